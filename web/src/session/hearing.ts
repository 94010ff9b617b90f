// How one hears the others, told to the room once a second, and more seldom in a large one: everybody's word
// goes to everybody. With it goes, to the server alone, what one's own device and network are like: it tells
// causes apart.

import type { ClientMessage, DeviceReport, NetworkReport, Stream, TrackHearing, TrackId } from "../protocol";
import type { AudioStats, PlayoutStats, RemoteStats } from "./audio_seam";
import type { SessionState } from "./state";

/** What is sent. */
export type Told = Extract<ClientMessage, { type: "hearing" }>;

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

  /** What to tell; null while it is too soon, or there is nobody to tell. */
  report(
    nowMs: number,
    participants: number,
    streams: Stream[],
    stats: Pick<AudioStats, "remotes" | "roomClock" | "inputMs" | "outputMs">,
  ): Told | null {
    if (nowMs < this.dueMs) return null;
    const { remotes } = stats;
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
        ...waits(remote.playout, paddingMs),
      });
    }
    if (tracks.length === 0 && participants < 2) return null;
    const network = networkReport(stats);
    return {
      type: "hearing",
      tracks,
      device: deviceReport(stats),
      ...(network === null ? {} : { network }),
    };
  }
}

/** The longest delay, in milliseconds, that somebody else says they need for somebody. */
export function roomLeastMs({ hearings, me }: Pick<SessionState, "hearings" | "me">): number {
  const others = Object.entries(hearings).filter(([listener]) => Number(listener) !== me);
  const needed = others.flatMap(([, tracks]) =>
    tracks.map(({ delay_us = 0, padding_us = 0 }) => delay_us - padding_us),
  );
  // Nobody is aligned with whoever is further away.
  return Math.max(0, ...needed.filter((us) => us <= ALIGNED_US_MAX)) / 1000;
}

/** As far as the mode goes that has everybody equally late. */
const ALIGNED_US_MAX = 300_000;

/** The playhead is never quite where it is needed; less is no padding. */
const PADDING_MS_MIN = 0.5;
/** Why our engine lets a track wait, as far as the server cares. */
function waits(
  playout: PlayoutStats | null,
  paddingMs: number,
): Pick<TrackHearing, "network_us" | "spare_us"> {
  if (playout === null) return {};
  const { networkMs, callbackMs, driftMs, redundancyMs, targetMs } = playout;
  const asked = networkMs + callbackMs + driftMs + redundancyMs;
  // What a playing mode waits for is nobody's mistake.
  const spare = micros(Math.max(0, targetMs - asked - paddingMs));
  return { network_us: micros(networkMs), ...(spare === 0 ? {} : { spare_us: spare }) };
}

function deviceReport({
  remotes,
  inputMs,
  outputMs,
}: Pick<AudioStats, "remotes" | "inputMs" | "outputMs">): DeviceReport {
  const leftOut = Object.values(remotes as Record<TrackId, RemoteStats>).filter((each) => each.leftOut);
  return {
    ...(inputMs === 0 ? {} : { input_latency_us: micros(inputMs) }),
    ...(outputMs === 0 ? {} : { output_latency_us: micros(outputMs) }),
    ...(leftOut.length === 0 ? {} : { left_out: leftOut.length }),
  };
}

function networkReport({ roomClock }: Pick<AudioStats, "roomClock">): NetworkReport | null {
  if (roomClock === null) return null;
  return {
    round_trip_us: micros(roomClock.roundTripMs),
    jitter_us: micros(roomClock.jitterMs),
  };
}

/** As a number of the protocol. */
function micros(ms: number): number {
  return Math.min(0xffff_ffff, Math.max(0, Math.round(ms * 1000)));
}

/** More than none is never zero. */
function permille(part: number, whole: number): number {
  return Math.min(1000, Math.ceil((1000 * part) / Math.max(1, whole)));
}
