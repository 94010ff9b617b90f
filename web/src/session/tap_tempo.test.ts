import { expect, it } from "vitest";

import { tapped, tempoOf } from "./tap_tempo";

const taps = (...timesMs: number[]) => timesMs.reduce<number[]>((all, ms) => tapped(all, ms), []);

it("a tempo is the median of the latest intervals", () => {
  expect(tempoOf(taps(1_000))).toBeNull();
  expect(tempoOf(taps(0, 500))).toBe(120);
  // One late tap is a long interval and a short one.
  expect(tempoOf(taps(0, 500, 1_000, 1_620, 2_000, 2_500))).toBe(120);
  expect(tempoOf(taps(0, 500, 1_100))).toBeCloseTo(60_000 / 550, 6);
});

it("after a pause one taps anew, and old taps are forgotten", () => {
  expect(tempoOf(taps(0, 500, 1_000, 3_001))).toBeNull();
  expect(tempoOf(taps(0, 500, 1_000, 3_001, 3_601))).toBe(100);
  const slower = taps(...Array.from({ length: 9 }, (_, i) => 400 * i), ...Array.from({ length: 6 }, (_, i) => 3_800 + 600 * i));
  expect(tempoOf(slower)).toBe(100);
});

it("a clock that was set back does no harm", () => {
  expect(tempoOf(taps(5_000, 5_500, 100))).toBeNull();
  expect(tempoOf(taps(5_000, 5_000))).toBe(60_000);
});
