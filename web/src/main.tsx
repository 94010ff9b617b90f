import { render } from "preact";

render(<h1>vjam</h1>, document.getElementById("app")!);
