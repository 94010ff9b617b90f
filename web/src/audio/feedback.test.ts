import { expect, it } from "vitest";

import { chirp, returnedDb } from "./feedback";

const CHIRP = chirp(48_000);

/** What a microphone hears of a chirp that comes after so many frames, over noise. */
function heard(gain: number, at: number, noise = 0): Float32Array {
  const samples = new Float32Array(CHIRP.length + 2_000);
  let state = 1;
  for (let i = 0; i < samples.length; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    samples[i] = noise * (state / 2 ** 31 - 1) + gain * (CHIRP[i - at] ?? 0);
  }
  return samples;
}

it("tells by how much a chirp comes back quieter, also upside down and in noise", () => {
  expect(returnedDb(CHIRP, heard(0.1, 777))).toBeCloseTo(-20, 1);
  expect(returnedDb(CHIRP, heard(-0.01, 0))).toBeCloseTo(-40, 1);
  expect(Math.abs((returnedDb(CHIRP, heard(0.01, 1500, 0.01)) ?? 0) + 40)).toBeLessThan(1);
});

it("takes silence and noise for nothing", () => {
  expect(returnedDb(CHIRP, heard(0, 0))).toBeNull();
  expect(returnedDb(CHIRP, heard(0, 0, 0.3))).toBeNull();
});
