// How many earlier codec frames each packet repeats, steered by the loss that the server reports.
//
// Redundancy costs bits, not delay: on a clean network there is none. What surprises: it follows
// loss up within two seconds and down only after a quiet minute, because every change starts the
// encoder anew. The native engine follows the same rule (engine/device/src/session/redundancy.rs).

/** Seconds that are looked back on. */
const WINDOW = 5;
/** From this mean loss on, two packets in a row are lost often enough to repeat two. */
const DEEP_SHARE = 0.005;
/** How long there must have been no loss at all before redundancy goes. */
const QUIET_MS = 60_000;

export class Redundancy {
  /** Codec frames that each packet repeats at the moment. */
  frames = 0;
  private readonly recent: number[] = [];
  private lastLossMs: number | null = null;

  /** One second's report. Says whether `frames` has changed. */
  observe(nowMs: number, received: number, lost: number): boolean {
    this.recent.unshift(lost / Math.max(1, received + lost));
    this.recent.length = Math.min(this.recent.length, WINDOW);
    if (0 < lost) this.lastLossMs = nowMs;
    const lossySeconds = this.recent.filter((share) => 0 < share).length;
    const mean = this.recent.reduce((sum, share) => sum + share, 0) / WINDOW;
    // A single second with loss is an accident.
    const wanted = lossySeconds < 2 ? 0 : mean < DEEP_SHARE ? 1 : 2;
    const quiet = this.lastLossMs === null || QUIET_MS < nowMs - this.lastLossMs;
    const before = this.frames;
    if (this.frames < wanted || quiet) this.frames = wanted;
    return this.frames !== before;
  }
}
