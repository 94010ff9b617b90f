// Several Opus frames as one Opus packet, for browsers that may only send every 10 ms.
//
// The engine encodes 2.5 ms frames at a hard constant bitrate, so that all frames of a packet have
// the same configuration and size: RFC 6716 §3.2.5 joins them as code 3 with CBR, two bytes in
// front of the frames. Any Opus decoder plays the result.

/** Frames of 2.5 ms in one 10 ms packet. */
export const FRAMES_PER_PACKET = 4;

const CODE_MASK = 0x03;
const SEVERAL_FRAMES = 0x03;

/**
 * Joins packets of one frame each (code 0), oldest first. Null where they cannot be joined: none,
 * more than 48, or of different configuration or size.
 */
export function joinFrames(packets: readonly Uint8Array[]): Uint8Array<ArrayBuffer> | null {
  const toc = packets[0]?.[0];
  const bytes = packets[0]?.byteLength;
  if (toc === undefined || bytes === undefined || 48 < packets.length) return null;
  const joinable = (packet: Uint8Array) =>
    packet[0] === toc && packet.byteLength === bytes && (toc & CODE_MASK) === 0;
  if (!packets.every(joinable)) return null;
  const joined = new Uint8Array(2 + packets.length * (bytes - 1));
  joined[0] = toc | SEVERAL_FRAMES;
  joined[1] = packets.length;
  packets.forEach((packet, index) => joined.set(packet.subarray(1), 2 + index * (bytes - 1)));
  return joined;
}

/** Ticks over which the queue must have had frames to spare before it is shortened: 1 s. */
const PATIENCE_TICKS = 100;
/** Frames kept in hand against the audio thread being late. */
const SPARE_FRAMES = 2;
/** Never more than 50 ms: older frames are thrown away. */
const QUEUE_FRAMES_MAX = 20;

/**
 * Frames on their way from the audio thread into the browser's packets, four at a time.
 *
 * The two run on clocks of their own. When frames are short, a packet has fewer and its listeners
 * conceal the rest; the frames that come later then are a reserve. When the reserve was not touched
 * for a second, what exceeds the spare is thrown away, so that delay comes back down.
 */
export class FrameQueue {
  private frames: Uint8Array[] = [];
  private leftMin = Infinity;
  private ticks = 0;
  /** Frames thrown away. */
  dropped = 0;

  push(frame: Uint8Array): void {
    this.frames.push(frame);
    if (QUEUE_FRAMES_MAX < this.frames.length) this.drop(this.frames.length - QUEUE_FRAMES_MAX);
  }

  /** The payload of the next 10 ms; null when there is nothing to send. */
  take(): Uint8Array<ArrayBuffer> | null {
    const taken = this.frames.splice(0, FRAMES_PER_PACKET);
    this.leftMin = Math.min(this.leftMin, this.frames.length);
    this.ticks += 1;
    if (this.ticks === PATIENCE_TICKS) {
      this.drop(Math.max(0, this.leftMin - SPARE_FRAMES));
      this.ticks = 0;
      this.leftMin = Infinity;
    }
    return joinFrames(taken);
  }

  clear(): void {
    this.frames = [];
    this.ticks = 0;
    this.leftMin = Infinity;
  }

  private drop(frames: number): void {
    this.frames.splice(0, frames);
    this.dropped += frames;
  }
}
