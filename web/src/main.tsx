// Where the page begins.

import { render } from "preact";

import { stemRecorder } from "./audio/stems/stem_recorder";
import { App } from "./ui/app";
import { watchCrashes } from "./ui/beside";
import { installDebugHandle } from "./ui/debug";
import "./ui/style/base.css";
import "./ui/style/pages.css";
import "./ui/style/room.css";
import "./ui/style/roles.css";
import "./ui/style/delays.css";
import "./ui/style/together.css";
import "./ui/style/findings.css";

installDebugHandle();
watchCrashes();
void stemRecorder.resume();
const root = document.getElementById("app");
if (root !== null) render(<App />, root);
