// The way of the input from the audio worklet to whoever records it: a ring of pieces, each with the number of
// its first frame. A full ring drops the newest piece, and the recording shows the gap.

import { PACKET_BYTES_MAX, RingWriter, ringMemory } from "../slot_ring";

/** Bytes of a piece before its samples: the number of its first frame. */
export const HEAD_BYTES = 8;
const SAMPLE_BYTES = 4;
/** What a render quantum has at most in practice; a longer one goes in several pieces. */
const PIECE_FRAMES_MAX = 128;
/** Five seconds at the shortest quantum: as long as a disk may be busy. */
const SLOTS = 4096;

export function inputRing(): SharedArrayBuffer {
  return ringMemory(SLOTS);
}

/** Belongs to the audio thread: allocates nothing but when a quantum has another length than the one before. */
export class InputWriter {
  private readonly ring: RingWriter;
  private readonly memory = new ArrayBuffer(PACKET_BYTES_MAX - (PACKET_BYTES_MAX % HEAD_BYTES));
  private readonly head = new Float64Array(this.memory, 0, 1);
  private readonly samples = new Float32Array(this.memory, HEAD_BYTES);
  private piece = new Uint8Array(this.memory, 0, 0);

  constructor(
    memory: SharedArrayBuffer,
    private readonly channels: number,
  ) {
    this.ring = new RingWriter(memory);
  }

  /** Takes a quantum of input, planar; silence where it is muted, or where there is no input. */
  push(frame: number, input: readonly Float32Array[], frames: number, muted: boolean): void {
    for (let from = 0; from < frames; from += PIECE_FRAMES_MAX) {
      const count = Math.min(PIECE_FRAMES_MAX, frames - from);
      const { channels, samples } = this;
      this.head[0] = frame + from;
      for (let channel = 0; channel < channels; channel += 1) {
        // A source of one channel is heard on both sides.
        const source = input[channel] ?? input[0];
        for (let at = 0; at < count; at += 1) {
          const sample = muted || source === undefined ? 0 : (source[from + at] as number);
          samples[at * channels + channel] = sample;
        }
      }
      const bytes = HEAD_BYTES + count * channels * SAMPLE_BYTES;
      if (this.piece.byteLength !== bytes) this.piece = new Uint8Array(this.memory, 0, bytes);
      this.ring.push(this.piece);
    }
  }
}
