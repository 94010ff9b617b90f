// When the frames of received streams were captured, as the server tells it on the data channel once a second:
// a transform sees no header extension, so that it is put back into the packets here.

/** An RTCP packet of ours (APP, "vjrc"), and the kind that tells of captures; protocol/src/room_clock.rs. */
const APPLICATION = 204;
const NAME = 0x766a7263;
const CAPTURES = 2;
const HEADER_BYTES = 12;
const ENTRY_BYTES = 12;

/** Fractions of a second in the short time, and how many there are before it wraps. */
const FRACTIONS = 1 << 18;
const WRAP = 1 << 24;
const RATE = 48_000;
const STALE_FRAMES = 5 * RATE;

/** More streams than the server can tell of. */
const STREAMS_MAX = 256;

interface Capture {
  timestamp: number;
  shortTime: number;
}

export class CaptureTimes {
  private readonly streams = new Map<number, Capture>();

  /** Takes a message of the data channel; false where it tells of something else. */
  take(message: ArrayBuffer): boolean {
    const view = new DataView(message);
    if (view.byteLength < HEADER_BYTES || view.getUint8(1) !== APPLICATION) return false;
    if (view.getUint32(8) !== NAME || (view.getUint8(0) & 0x1f) !== CAPTURES) return false;
    for (let at = HEADER_BYTES; at + ENTRY_BYTES <= view.byteLength; at += ENTRY_BYTES) {
      if (STREAMS_MAX <= this.streams.size) this.streams.clear();
      const capture = { timestamp: view.getUint32(at + 4), shortTime: view.getUint32(at + 8) & (WRAP - 1) };
      this.streams.set(view.getUint32(at), capture);
    }
    return true;
  }

  /** The short time at which a frame was captured; null while the server has not told of the stream. */
  of(ssrc: number, timestamp: number): number | null {
    const capture = this.streams.get(ssrc);
    if (capture === undefined) return null;
    // Timestamps wrap at 2^32, a day apart.
    const frames = (timestamp - capture.timestamp) | 0;
    // It is told again each second; whose publisher says it no more is not known any more.
    if (STALE_FRAMES < Math.abs(frames)) return null;
    const shortTime = capture.shortTime + Math.round((frames * FRACTIONS) / RATE);
    return ((shortTime % WRAP) + WRAP) % WRAP;
  }
}
