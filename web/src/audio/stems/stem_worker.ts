// The thread that records: between the audio worklet's ring, the disk and the server. Everything is the desk's;
// here are the real world and a timer.

import { randomId } from "../random";
import { Desk } from "./desk";
import { OriginDisk } from "./disk";
import type { FromStems, ToStems } from "./messages";
import { StemModule } from "./stem_module";
import wasmUrl from "./stem.wasm?url";

/** What the DOM library's types lack: they know no worker globals beside the page's. */
interface Scope {
  onmessage: ((event: MessageEvent<ToStems>) => void) | null;
  postMessage(message: FromStems): void;
}
const scope = self as unknown as Scope;

/** A twentieth of what the ring holds. */
const TICK_MS = 100;

let compiled: Promise<WebAssembly.Module> | null = null;

const desk = new Desk({
  mount: () => OriginDisk.mount(),
  module: async () => {
    compiled ??= fetch(wasmUrl)
      .then((response) => response.arrayBuffer())
      .then((wasm) => WebAssembly.compile(wasm));
    return new StemModule(await compiled);
  },
  request: (url, init) => fetch(url, init),
  nowMs: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  randomId,
  tell: (state) => scope.postMessage({ type: "state", state }),
});

scope.onmessage = ({ data }) => void desk.handle(data);
setInterval(() => desk.tick(), TICK_MS);
