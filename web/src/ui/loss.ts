// Loss over the last ten seconds. A count since the beginning would blame a bad minute for hours.

export interface Counters {
  received: number;
  lost: number;
  concealedMs: number;
}

export interface Recent {
  /** Share of packets that never came. */
  lost: number;
  /** Share of time that was invented. */
  concealed: number;
}

export class LossWindow {
  private readonly snapshots: { atMs: number; counters: Counters }[] = [];

  /** Takes the counters as they are; null until two snapshots lie half a second apart. */
  update(atMs: number, counters: Counters): Recent | null {
    const newest = this.snapshots.at(-1);
    // Counters that went back belong to a new stream.
    if (newest !== undefined && counters.received < newest.counters.received) {
      this.snapshots.length = 0;
    }
    if (newest === undefined || STEP_MS <= atMs - newest.atMs) {
      this.snapshots.push({ atMs, counters });
    }
    while (2 < this.snapshots.length && WINDOW_MS < atMs - (this.snapshots[1]?.atMs ?? atMs)) {
      this.snapshots.shift();
    }
    const oldest = this.snapshots[0];
    if (oldest === undefined || atMs - oldest.atMs < STEP_MS) return null;
    const lost = counters.lost - oldest.counters.lost;
    const sent = counters.received - oldest.counters.received + lost;
    const concealedMs = counters.concealedMs - oldest.counters.concealedMs;
    return {
      // Reordered packets can be counted lost first and taken back later.
      lost: 0 < sent ? Math.max(0, lost / sent) : 0,
      concealed: Math.min(1, Math.max(0, concealedMs / (atMs - oldest.atMs))),
    };
  }
}

const STEP_MS = 500;
const WINDOW_MS = 10_000;
