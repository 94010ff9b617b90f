import { expect, it } from "vitest";
import { LOUD } from "./captured";
import { PROBE_FRAMES, Probe } from "./input_probe";

const quantum = (level: number) => new Float32Array(64).fill(level);

it("keeps the first quantum with sound since it was taken", () => {
  const probe = new Probe();
  probe.push(0, undefined);
  probe.push(64, quantum(0));
  probe.push(128, quantum(LOUD / 2));
  expect(probe.take()).toBeNull();
  probe.push(192, quantum(0.25));
  probe.push(256, quantum(0.5));
  expect(probe.take()).toEqual({ frame: 192, samples: new Float32Array(PROBE_FRAMES).fill(0.25) });
  expect(probe.take()).toBeNull();
  probe.push(320, quantum(-0.5));
  expect(probe.take()?.frame).toBe(320);
});

it("leaves quanta alone that are shorter than it", () => {
  const probe = new Probe();
  probe.push(0, new Float32Array(PROBE_FRAMES - 1).fill(1));
  expect(probe.take()).toBeNull();
});
