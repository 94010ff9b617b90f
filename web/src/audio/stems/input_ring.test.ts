import { expect, it } from "vitest";

import { RingReader } from "../slot_ring";
import { HEAD_BYTES, InputWriter, inputRing } from "./input_ring";

/** (first frame, samples) of everything that waits. */
function pieces(memory: SharedArrayBuffer): [number, number[]][] {
  const reader = new RingReader(memory);
  const into = new Uint8Array(1_400);
  const found: [number, number[]][] = [];
  for (let length = reader.popInto(into); length !== 0; length = reader.popInto(into)) {
    const piece = into.slice(0, length).buffer;
    found.push([new Float64Array(piece, 0, 1)[0] ?? -1, [...new Float32Array(piece, HEAD_BYTES)]]);
  }
  return found;
}

it("carries input interleaved, with the number of its first frame", () => {
  const memory = inputRing();
  const writer = new InputWriter(memory, 2);
  writer.push(64, [Float32Array.of(1, 2), Float32Array.of(-1, -2)], 2, false);
  writer.push(66, [Float32Array.of(3, 4, 5)], 3, false);
  writer.push(69, [], 1, false);
  writer.push(70, [Float32Array.of(9)], 1, true);
  expect(pieces(memory)).toEqual([
    [64, [1, -1, 2, -2]],
    [66, [3, 3, 4, 4, 5, 5]],
    [69, [0, 0]],
    [70, [0, 0]],
  ]);
});

it("cuts a quantum that is too long for one piece", () => {
  const memory = inputRing();
  const input = Float32Array.from({ length: 300 }, (_, n) => n);
  new InputWriter(memory, 1).push(1_000, [input], 300, false);
  const found = pieces(memory);
  expect(found.map(([frame, samples]) => [frame, samples.length])).toEqual([[1_000, 128], [1_128, 128], [1_256, 44]]);
  expect(found.flatMap(([, samples]) => samples)).toEqual([...input]);
});

it("a reader that sleeps loses the newest, and finds that in the numbers", () => {
  const memory = inputRing();
  const writer = new InputWriter(memory, 1);
  const quantum = [new Float32Array(64)];
  for (let frame = 0; frame < 64 * 5_000; frame += 64) writer.push(frame, quantum, 64, false);
  const frames = pieces(memory).map(([frame]) => frame);
  expect(frames).toEqual(Array.from({ length: 4_096 }, (_, n) => 64 * n));
});
