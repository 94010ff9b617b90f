// How one hears the others, told to the room once a second, and more seldom in a large one: everybody's word
// goes to everybody.

import type { Stream, TrackHearing, TrackId } from "../protocol";
import type { RemoteStats } from "./audio_seam";
import type { SessionState } from "./state";

const PARTICIPANTS_PER_SECOND = 8;

interface Counts {
  received: number;
  lost: number;
  concealedMs: number;
  atMs: number;
}

export class Hearing {
  private readonly before = new Map<TrackId, Counts>();
  private dueMs = 0;

  /** What to tell; null while it is too soon, or there is nothing. */
  report(
    nowMs: number,
    participants: number,
    streams: Stream[],
    remotes: Record<TrackId, RemoteStats>,
  ): TrackHearing[] | null {
    if (nowMs < this.dueMs) return null;
    const seconds = Math.max(1, Math.ceil(participants / PARTICIPANTS_PER_SECOND));
    // A timer may come a little early.
    this.dueMs = nowMs + seconds * 1000 - 50;
    const tracks: TrackHearing[] = [];
    for (const { track } of streams) {
      const remote = remotes[track];
      if (remote === undefined) continue;
      const { received, lost, concealedMs, mouthToEarMs, paddingMs } = remote;
      const isPadded = mouthToEarMs !== null && PADDING_MS_MIN <= paddingMs;
      const now: Counts = { received, lost, concealedMs, atMs: nowMs };
      const before = this.before.get(track) ?? now;
      this.before.set(track, now);
      const lately = Math.max(0, lost - before.lost);
      const arrived = Math.max(0, received - before.received);
      tracks.push({
        track,
        ...(mouthToEarMs === null ? {} : { delay_us: Math.round(mouthToEarMs * 1000) }),
        ...(isPadded ? { padding_us: Math.round(paddingMs * 1000) } : {}),
        lost_permille: permille(lately, lately + arrived),
        // A browser's own player invents on for whoever sends nothing at all.
        concealed_permille:
          arrived + lately === 0
            ? 0
            : permille(Math.max(0, concealedMs - before.concealedMs), nowMs - before.atMs),
      });
    }
    return tracks.length === 0 ? null : tracks;
  }
}

/** The longest delay, in milliseconds, that somebody else says they need for somebody. */
export function roomLeastMs({ hearings, me }: Pick<SessionState, "hearings" | "me">): number {
  const others = Object.entries(hearings).filter(([listener]) => Number(listener) !== me);
  const needed = others.flatMap(([, tracks]) =>
    tracks.map(({ delay_us = 0, padding_us = 0 }) => delay_us - padding_us),
  );
  return Math.max(0, ...needed) / 1000;
}

/** The playhead is never quite where it is needed; less is no padding. */
const PADDING_MS_MIN = 0.5;

/** More than none is never zero. */
function permille(part: number, whole: number): number {
  return Math.min(1000, Math.ceil((1000 * part) / Math.max(1, whole)));
}
