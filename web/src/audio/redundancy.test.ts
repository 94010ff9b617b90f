import { expect, it } from "vitest";
import { Redundancy } from "./redundancy";

it("follows loss up at once, and down after a quiet minute", () => {
  const redundancy = new Redundancy();
  const after = (second: number, lost: number) => {
    redundancy.observe(second * 1000, 750 - lost, lost);
    return redundancy.frames;
  };
  expect([after(0, 0), after(1, 3), after(2, 1), after(3, 30)]).toEqual([0, 0, 1, 2]);
  for (let second = 4; second <= 63; second += 1) expect(after(second, 0)).toBe(2);
  expect(after(64, 0)).toBe(0);
});

it("says when it changed", () => {
  const redundancy = new Redundancy();
  const lossy = [1, 2, 3].map((second) => redundancy.observe(second * 1000, 749, 1));
  expect(lossy).toEqual([false, true, false]);
});
