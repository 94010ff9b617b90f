import { expect, it } from "vitest";
import { CapturedPieces } from "./captured";

let state = 1;
/** -1 to 1: a generator that does not repeat within a test, as multiplication in doubles would. */
const random = () => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 31 - 1;
};
const noise = (frames: number, level: number) => Float32Array.from({ length: frames }, () => level * random());

/** Pieces of 480 frames, each captured when the last was over, from `sound`. */
function noted(sound: Float32Array, startMs = 5_000): CapturedPieces {
  const pieces = new CapturedPieces();
  for (let at = 0; at < sound.length; at += 480) pieces.note(sound.slice(at, at + 480), startMs + at / 48);
  return pieces;
}

it("says when samples were captured, to the frame, within a piece and across two", () => {
  const sound = noise(24_000, 0.5);
  const pieces = noted(sound);
  for (const at of [0, 4_800, 4_801, 5_270, 23_968]) {
    expect(pieces.find(sound.slice(at, at + 32))).toBeCloseTo(5_000 + at / 48, 6);
  }
  expect(pieces.find(noise(32, 0.5))).toBeNull();
});

it("finds the hiss of a quiet room in 16 bits, and no silence", () => {
  const sound = Float32Array.from(noise(24_000, 3), (sample) => Math.round(sample) / 32_768);
  expect(noted(sound).find(sound.slice(9_000, 9_032))).toBeCloseTo(5_000 + 9_000 / 48, 6);
  expect(noted(new Float32Array(24_000)).find(new Float32Array(32))).toBeNull();
});

it("finds nothing that is there twice", () => {
  const tone = Float32Array.from({ length: 24_000 }, (_, i) => Math.sin((2 * Math.PI * (i % 48)) / 48));
  expect(noted(tone).find(tone.slice(9_000, 9_032))).toBeNull();
});

it("follows the dates where pieces were lost, and forgets what is older than a second", () => {
  const [before, after] = [noise(48_000, 0.5), noise(24_000, 0.5)];
  const pieces = noted(before);
  for (let at = 0; at < after.length; at += 480) pieces.note(after.slice(at, at + 480), 9_000 + at / 48);
  expect(pieces.find(after.slice(0, 32))).toBeCloseTo(9_000, 6);
  expect(pieces.find(before.slice(40_000, 40_032))).toBeCloseTo(5_000 + 40_000 / 48, 6);
  expect(pieces.find(before.slice(1_000, 1_032))).toBeNull();
  pieces.clear();
  expect(pieces.find(after.slice(0, 32))).toBeNull();
});

it("outlives pieces of any length", () => {
  const pieces = new CapturedPieces();
  pieces.note(new Float32Array(0), 1);
  expect(pieces.find(noise(32, 1))).toBeNull();
  const sound = noise(48_000, 1);
  pieces.note(sound, 10);
  expect(pieces.find(sound.slice(10, 42))).toBeCloseTo(10 + 10 / 48, 6);
  pieces.note(noise(48_001, 1), 20);
  expect(pieces.find(sound.slice(10, 42))).toBeNull();
});
