// Scenarios with sound share a machine with whatever else it does. A thread that sleeps a
// millisecond at a time notes by how much it wakes too late: what stalls it stalls every audio
// thread. A scenario that fails beside a stall is played again; one that fails on a machine that
// kept time has failed. (tests/src/machine.rs does the same for the tests in Rust.)

import { test } from "node:test";
import { Worker } from "node:worker_threads";

import { Undo } from "./undo.js";

/** What a browser's own jitter buffer no longer hides. */
const HEARD_MS = 10;
/** A shared machine may stall in several in a row; one that keeps time has one only. */
const ATTEMPTS = 5;

/** A test that plays music, on processes and pages of its own for every attempt. */
export function inRealTime(name, scenario) {
  test(name, async (t) => {
    for (let attempt = 1; ; attempt++) {
      const stalls = watch();
      const undo = new Undo();
      try {
        await undo.after(() => scenario(undo, t));
        await stalls.end();
        return;
      } catch (error) {
        const ms = await stalls.end();
        t.diagnostic(`attempt ${attempt}: failed while the machine stalled for ${ms.toFixed(1)} ms at most: ${error.message}`);
        if (ATTEMPTS <= attempt || ms < HEARD_MS) throw error;
      }
    }
  });
}

/** Watches the machine until it is asked; gives the longest stall in milliseconds. */
function watch() {
  const shared = new Float64Array(new SharedArrayBuffer(8));
  const worker = new Worker(WATCH, { eval: true, workerData: shared });
  return { end: async () => (await worker.terminate(), shared[0]) };
}

const WATCH = `
  const { workerData: longest } = require("node:worker_threads");
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const before = performance.now();
    Atomics.wait(never, 0, 0, 1);
    longest[0] = Math.max(longest[0], performance.now() - before - 1);
  }
`;
