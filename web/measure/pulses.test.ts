import { describe, expect, it } from "vitest";
import { chirp, delays, PULSE_FRAMES } from "./pulses";

function train(frames: number, delay: number, without: readonly number[] = []): Float32Array {
  const samples = new Float32Array(frames);
  for (let n = 0; n * PULSE_FRAMES + delay + 480 < frames; n += 1) {
    if (!without.includes(n)) samples.set(chirp(), n * PULSE_FRAMES + delay);
  }
  return samples;
}

describe("the delay of a chirp train", () => {
  it("is found to the frame, behind whatever silence", () => {
    const frames = 6 * PULSE_FRAMES;
    expect(delays(train(frames, 100), train(frames, 100 + 531)).frames).toEqual([
      531, 531, 531, 531,
    ]);
  });

  it("counts chirps that did not come out", () => {
    const frames = 6 * PULSE_FRAMES;
    const { frames: found, unheard } = delays(train(frames, 0), train(frames, 77, [1, 2]));
    expect(found).toEqual([77, 77]);
    expect(unheard).toBe(2);
  });

  it("is not found in silence", () => {
    const frames = 4 * PULSE_FRAMES;
    expect(delays(train(frames, 0), new Float32Array(frames)).frames).toEqual([]);
  });
});
