// The room's clock in the link worker: an instance of the engine's module of its own, asked when to ask and
// told what was answered. See engine/core/src/room_clock.
//
// The local clock is what every thread of this page can compute: milliseconds since 1970 as the browser
// counts them, which nobody sets while the page lives.

import type { RoomClockStats } from "../session/audio_seam";

interface Exports {
  memory: WebAssembly.Memory;
  clock_message(): number;
  clock_numbers(): number;
  clock_set_link(nowNs: number, up: number): void;
  clock_timeout(): number;
  clock_question(nowNs: number): number;
  clock_answered(nowNs: number, bytes: number): number;
  clock_update(nowNs: number): number;
}

/** What the engine's buffer holds, and how many numbers it writes. */
const MESSAGE_BYTES = 256;
const NUMBERS = 10;

/** This thread's time in milliseconds since 1970, finer and steadier than Date.now. */
export function localMs(): number {
  return performance.timeOrigin + performance.now();
}

export class RoomClock {
  private readonly exports: Exports;

  constructor(wasm: BufferSource) {
    const module = new WebAssembly.Module(wasm);
    this.exports = new WebAssembly.Instance(module, {}).exports as unknown as Exports;
  }

  setLink(nowMs: number, up: boolean): void {
    this.exports.clock_set_link(nowMs * 1e6, up ? 1 : 0);
  }

  /** When `question` wants to be called next; null for never. */
  timeoutMs(): number | null {
    const ns = this.exports.clock_timeout();
    return Number.isNaN(ns) ? null : ns / 1e6;
  }

  /** The question that is due, to be sent at once; null where none is. */
  question(nowMs: number): Uint8Array<ArrayBuffer> | null {
    const length = this.exports.clock_question(nowMs * 1e6);
    return length === 0 ? null : this.message().slice(0, length);
  }

  /** Takes a message that came; false where it is no answer. */
  answered(nowMs: number, message: Uint8Array): boolean {
    if (MESSAGE_BYTES < message.byteLength) return false;
    this.message().set(message);
    return this.exports.clock_answered(nowMs * 1e6, message.byteLength) !== 0;
  }

  /** How well the clock is known; null before the first answer. */
  stats(nowMs: number): RoomClockStats | null {
    if (this.exports.clock_update(nowMs * 1e6) === 0) return null;
    const { buffer } = this.exports.memory;
    const numbers = new Float64Array(buffer, this.exports.clock_numbers(), NUMBERS);
    const at = (index: number) => numbers[index] ?? 0;
    return {
      localMs: nowMs,
      aheadMs: at(0),
      rate: at(1),
      settled: at(2) !== 0,
      boundMs: at(3),
      precisionMs: at(4),
      ratePpm: at(5),
      steps: at(6),
      exchanges: at(7),
      roundTripMs: at(8),
      jitterMs: at(9),
    };
  }

  private message(): Uint8Array<ArrayBuffer> {
    const { buffer } = this.exports.memory;
    return new Uint8Array(buffer, this.exports.clock_message(), MESSAGE_BYTES) as Uint8Array<ArrayBuffer>;
  }
}
