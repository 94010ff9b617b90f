// Packets between two threads through shared memory: one writer, one reader, neither ever waits.
//
// Written by us because an AudioWorklet may not block and messages between threads cost garbage.
// Surprising: a full ring refuses the newest packet instead of overwriting the oldest, because only
// the reader may move the read position; a reader that slept finds the oldest packets and the
// engine's jitter buffer throws away what is too late.

const WRITE = 0;
const READ = 1;
const REFUSED = 2;
const HEADER_BYTES = 16;

/** No part of vjam sends a longer packet; protocol/src/limits.rs says the same. */
export const PACKET_BYTES_MAX = 1_400;
/** A length and a packet. */
const SLOT_BYTES = 4 + PACKET_BYTES_MAX;

/** Memory for a ring of `slots` packets; hand it to both ends. */
export function ringMemory(slots: number): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + slots * SLOT_BYTES);
}

/** What both ends see. Positions count packets since the start and wrap at 2^32. */
class RingEnd {
  protected readonly positions: Int32Array;
  protected readonly lengths: DataView;
  protected readonly bytes: Uint8Array;
  protected readonly slots: number;

  constructor(memory: SharedArrayBuffer) {
    this.positions = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.lengths = new DataView(memory);
    this.bytes = new Uint8Array(memory);
    this.slots = Math.floor((memory.byteLength - HEADER_BYTES) / SLOT_BYTES);
  }

  /** Packets that were refused because the reader was too slow. */
  get refused(): number {
    return Atomics.load(this.positions, REFUSED) >>> 0;
  }

  protected slotStart(position: number): number {
    return HEADER_BYTES + ((position >>> 0) % this.slots) * SLOT_BYTES;
  }
}

/** The writing end; belongs to one thread. */
export class RingWriter extends RingEnd {
  /** Puts one packet in; false where it is too long or the ring is full. Wakes nobody. */
  push(packet: Uint8Array): boolean {
    const write = Atomics.load(this.positions, WRITE);
    const waiting = (write - Atomics.load(this.positions, READ)) >>> 0;
    if (PACKET_BYTES_MAX < packet.byteLength || this.slots <= waiting) {
      Atomics.add(this.positions, REFUSED, 1);
      return false;
    }
    const start = this.slotStart(write);
    this.lengths.setUint32(start, packet.byteLength, true);
    this.bytes.set(packet, start + 4);
    // The store publishes the slot: Atomics operations are sequentially consistent.
    Atomics.store(this.positions, WRITE, (write + 1) | 0);
    return true;
  }

  /** Wakes the reader. Once after a batch: the call costs the audio thread a system call. */
  wake(): void {
    Atomics.notify(this.positions, WRITE);
  }
}

/** The reading end; belongs to one thread. */
export class RingReader extends RingEnd {
  /** Copies the oldest packet into `to` and gives its length; 0 when there is none. */
  popInto(to: Uint8Array): number {
    const read = Atomics.load(this.positions, READ);
    if (read === Atomics.load(this.positions, WRITE)) return 0;
    const start = this.slotStart(read);
    const length = this.lengths.getUint32(start, true);
    copy(this.bytes, start + 4, to, length);
    // Only after the copy: from here on the writer may use the slot again.
    Atomics.store(this.positions, READ, (read + 1) | 0);
    return length;
  }

  /** Resolves as soon as a packet is there. */
  async wait(): Promise<void> {
    for (;;) {
      const write = Atomics.load(this.positions, WRITE);
      if (write !== Atomics.load(this.positions, READ)) return;
      const woken = Atomics.waitAsync(this.positions, WRITE, write);
      if (woken.async) await woken.value;
    }
  }
}

/** Packets up to here are copied byte by byte: a view would be garbage for the audio thread. */
const LOOP_BYTES_MAX = 256;

function copy(from: Uint8Array, start: number, to: Uint8Array, length: number): void {
  if (LOOP_BYTES_MAX < length) {
    to.set(from.subarray(start, start + length));
    return;
  }
  for (let at = 0; at < length; at += 1) to[at] = from[start + at] as number;
}
