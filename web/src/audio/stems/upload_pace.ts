// How fast a stem is sent while there is music: never so that the music notices. Faster by a little with each
// piece that went well, half as fast where music gets lost or pieces begin to queue.

/** Bytes a second: 16 and 400 kbit/s. At the least an hour's recording takes a night. */
const LEAST_BYTES_S = 2_000;
const MOST_BYTES_S = 50_000;
const FIRST_BYTES_S = 12_000;
const FASTER_BYTES_S = 1_000;
/** A piece is worth a quarter of a second, within these. */
const PIECE_S = 0.25;
const PIECE_BYTES_MIN = 4_096;
const PIECE_BYTES_MAX = 16_384;
/** A piece where there is no music to be careful of; the server takes 1 MiB. */
const FREE_PIECE_BYTES = 262_144;
/** Of the music: less than so much is lost on a good day, too. */
const LOST_SHARE = 0.005;
/** A piece that takes twice as long as the fastest, and more than that on top, has queued. */
const QUEUED_MS = 40;
/** What was once the fastest is forgotten by and by: another network may be slower. */
const FORGET_SHARE = 0.02;
const SLOWER_EVERY_MS = 1_000;

export class UploadPace {
  /** Whether there is music. */
  playing = false;
  private bytesPerSecond = FIRST_BYTES_S;
  private leastMs = Number.POSITIVE_INFINITY;
  private slowedAtMs = Number.NEGATIVE_INFINITY;

  /** How much to send at once. */
  pieceBytes(): number {
    if (!this.playing) return FREE_PIECE_BYTES;
    const bytes = Math.round(this.bytesPerSecond * PIECE_S);
    return Math.min(PIECE_BYTES_MAX, Math.max(PIECE_BYTES_MIN, bytes));
  }

  /** So much was sent, and took so long until it was acknowledged; gives how long to wait now. */
  sent(nowMs: number, bytes: number, tookMs: number): number {
    if (!this.playing) return 0;
    if (2 * this.leastMs + QUEUED_MS < tookMs) this.slower(nowMs);
    else this.bytesPerSecond = Math.min(MOST_BYTES_S, this.bytesPerSecond + FASTER_BYTES_S);
    this.leastMs = Math.min(tookMs, this.leastMs * (1 + FORGET_SHARE));
    return Math.max(0, (1000 * bytes) / this.bytesPerSecond - tookMs);
  }

  /** So much of the music got lost on its way to the server. */
  lost(nowMs: number, share: number): void {
    if (LOST_SHARE < share) this.slower(nowMs);
  }

  private slower(nowMs: number): void {
    if (nowMs - this.slowedAtMs < SLOWER_EVERY_MS) return;
    this.slowedAtMs = nowMs;
    this.bytesPerSecond = Math.max(LEAST_BYTES_S, this.bytesPerSecond / 2);
  }
}
