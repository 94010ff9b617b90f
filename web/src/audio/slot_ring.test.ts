import { describe, expect, it } from "vitest";
import { PACKET_BYTES_MAX, ringMemory, RingReader, RingWriter } from "./slot_ring";

function ring(slots: number) {
  const memory = ringMemory(slots);
  return { writer: new RingWriter(memory), reader: new RingReader(memory) };
}

function drain(reader: RingReader): number[][] {
  const packet = new Uint8Array(PACKET_BYTES_MAX);
  const packets: number[][] = [];
  for (let n = reader.popInto(packet); 0 < n; n = reader.popInto(packet)) {
    packets.push([...packet.subarray(0, n)]);
  }
  return packets;
}

describe("the slot ring", () => {
  it("gives packets in order, each with its own length", () => {
    const { writer, reader } = ring(4);
    writer.push(Uint8Array.of(1));
    writer.push(Uint8Array.of(2, 3, 4));
    expect(drain(reader)).toEqual([[1], [2, 3, 4]]);
    expect(drain(reader)).toEqual([]);
  });

  it("refuses the newest when full, and takes packets again after one was read", () => {
    const { writer, reader } = ring(2);
    expect([1, 2, 3].map((n) => writer.push(Uint8Array.of(n)))).toEqual([true, true, false]);
    expect(reader.refused).toBe(1);
    expect(drain(reader)).toEqual([[1], [2]]);
    expect(writer.push(Uint8Array.of(4))).toBe(true);
    expect(drain(reader)).toEqual([[4]]);
  });

  it("refuses a packet that no slot holds", () => {
    const { writer, reader } = ring(2);
    expect(writer.push(new Uint8Array(PACKET_BYTES_MAX + 1))).toBe(false);
    expect(writer.push(new Uint8Array(PACKET_BYTES_MAX).fill(7))).toBe(true);
    expect(drain(reader)[0]).toHaveLength(PACKET_BYTES_MAX);
  });

  it("keeps order through many wraps", () => {
    const { writer, reader } = ring(3);
    for (let n = 0; n < 1000; n += 2) {
      writer.push(Uint8Array.of(n & 255));
      writer.push(Uint8Array.of((n + 1) & 255));
      expect(drain(reader)).toEqual([[n & 255], [(n + 1) & 255]]);
    }
  });

  it("goes on when its positions wrap at 2^32", () => {
    const memory = ringMemory(4);
    new Int32Array(memory, 0, 2).fill(-2);
    const writer = new RingWriter(memory);
    const reader = new RingReader(memory);
    for (let n = 0; n < 4; n += 1) expect(writer.push(Uint8Array.of(n))).toBe(true);
    expect(writer.push(Uint8Array.of(9))).toBe(false);
    expect(drain(reader)).toEqual([[0], [1], [2], [3]]);
  });

  it("wakes a reader that waits", async () => {
    const { writer, reader } = ring(2);
    const waited = reader.wait();
    writer.push(Uint8Array.of(5));
    writer.wake();
    await waited;
    expect(drain(reader)).toEqual([[5]]);
  });

  it("does not wait while something is there", async () => {
    const { writer, reader } = ring(2);
    writer.push(Uint8Array.of(5));
    await reader.wait();
    expect(drain(reader)).toEqual([[5]]);
  });
});
