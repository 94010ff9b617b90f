// A few samples of what the audio worklet is given, for the page to find again in what the microphone's track
// delivers: see input_watch.ts.

import { LOUD } from "./captured";

export interface InputProbe {
  /** The context's frame that the samples begin at. */
  frame: number;
  samples: Float32Array;
}

/** Enough to be found once only, and less than any quantum. */
export const PROBE_FRAMES = 32;

/** Keeps the beginning of the first quantum that is no silence since it was last taken. Allocates nothing. */
export class Probe {
  private readonly probe: InputProbe = { frame: 0, samples: new Float32Array(PROBE_FRAMES) };
  private full = false;

  push(frame: number, input: Float32Array | undefined): void {
    if (this.full || input === undefined || input.length < PROBE_FRAMES) return;
    const { samples } = this.probe;
    for (let i = 0; i < PROBE_FRAMES; i += 1) {
      samples[i] = input[i] as number;
      this.full ||= LOUD < Math.abs(samples[i] as number);
    }
    this.probe.frame = frame;
  }

  /** What is posted is copied. */
  take(): InputProbe | null {
    const { full } = this;
    this.full = false;
    return full ? this.probe : null;
  }
}
