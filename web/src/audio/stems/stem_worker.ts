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

/** A piece is half a second's worth; a check of a long stem is answered at once, or later. */
const REQUEST_MS_MAX = 60_000;

let compiled: Promise<WebAssembly.Module> | null = null;

const desk = new Desk({
  mount: () => OriginDisk.mount(),
  module: async () => {
    compiled ??= fetch(wasmUrl)
      .then((response) => response.arrayBuffer())
      .then((wasm) => WebAssembly.compile(wasm));
    try {
      return new StemModule(await compiled);
    } catch (error) {
      // The next take tries again.
      compiled = null;
      throw error;
    }
  },
  // One that hangs would keep all others waiting.
  request: (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(REQUEST_MS_MAX) }),
  nowMs: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  randomId,
  tell: (state) => scope.postMessage({ type: "state", state }),
});

scope.onmessage = ({ data }) => void desk.handle(data);
setInterval(() => desk.tick(), TICK_MS);
