import { describe, expect, it } from "vitest";
import { FrameQueue, joinFrames } from "./opus_packing";

/** A packet of one 2.5 ms frame (RFC 6716 table 2: configuration 28), whose bytes are all `n`. */
function frame(n: number, bytes = 3): Uint8Array {
  return Uint8Array.of(0xe0, ...Array<number>(bytes).fill(n));
}

function queued(frames: number): FrameQueue {
  const queue = new FrameQueue();
  for (let n = 0; n < frames; n += 1) queue.push(frame(n));
  return queue;
}

/** The first byte of each frame of a joined packet. */
function heads(packet: Uint8Array | null, bytes = 3): number[] {
  const count = packet?.[1] ?? 0;
  return Array.from({ length: count }, (_, n) => packet?.[2 + n * bytes] ?? -1);
}

describe("joined Opus frames", () => {
  it("are one packet of code 3 at constant bitrate", () => {
    expect([...(joinFrames([frame(1), frame(2)]) ?? [])]).toEqual([0xe3, 2, 1, 1, 1, 2, 2, 2]);
  });

  it("must be alike", () => {
    expect(joinFrames([])).toBeNull();
    expect(joinFrames([frame(1), frame(2, 4)])).toBeNull();
    expect(joinFrames([frame(1), Uint8Array.of(0xe4, 2, 2, 2)])).toBeNull();
    expect(joinFrames([Uint8Array.of(0xe3, 1, 0)])).toBeNull();
  });
});

describe("the frame queue", () => {
  it("gives four frames at a time, oldest first", () => {
    const queue = queued(8);
    expect(heads(queue.take())).toEqual([0, 1, 2, 3]);
    expect(heads(queue.take())).toEqual([4, 5, 6, 7]);
    expect(queue.take()).toBeNull();
  });

  it("gives what is there when frames are short", () => {
    expect(heads(queued(3).take())).toEqual([0, 1, 2]);
  });

  it("throws away what it did not need for a second, but a spare", () => {
    const queue = queued(13);
    for (let tick = 0; tick < 100; tick += 1) {
      queue.take();
      for (let n = 0; n < 4; n += 1) queue.push(frame(n));
    }
    // 9 were left after every take; the spare is 2.
    expect(queue.dropped).toBe(7);
  });

  it("keeps the spare for ever", () => {
    const queue = queued(6);
    for (let tick = 0; tick < 1000; tick += 1) {
      queue.take();
      for (let n = 0; n < 4; n += 1) queue.push(frame(n));
    }
    expect(queue.dropped).toBe(0);
  });

  it("never holds more than 50 ms", () => {
    const queue = queued(30);
    expect(queue.dropped).toBe(10);
    expect(heads(queue.take())).toEqual([10, 11, 12, 13]);
  });
});
