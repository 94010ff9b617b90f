// Where the page begins.

import { render } from "preact";

import { App } from "./ui/app";
import { installDebugHandle } from "./ui/debug";
import "./ui/style.css";

installDebugHandle();
const root = document.getElementById("app");
if (root !== null) render(<App />, root);
