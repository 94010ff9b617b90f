// `window.vjam`: what a test, or a musician reporting a problem, may look at. Read-only, plain data;
// `copy(JSON.stringify(vjam.report()))` in the console is a useful bug report.

import type { AudioPort, AudioStats, EngineChoice, EngineCounts, Mix } from "../session/audio_seam";
import type { Session } from "../session/session";
import type { SessionState } from "../session/state";
import type { TrackId } from "../protocol";

export interface DebugHandle {
  /** What the app knows of the room; null outside of a room. Without seat, ticket and the keys of takes. */
  readonly state: Omit<SessionState, "seat" | "ticket"> | null;
  /** What the sound reports; null before it is open. */
  readonly stats: AudioStats | null;
  /** Which way sound runs; null before it is open. */
  readonly engine: EngineChoice | null;
  /** What our engine counted; null without it. */
  readonly counts: EngineCounts | null;
  /** The sound itself (`debugTap()` is what one hears, as a node); null before it is open. */
  readonly audio: AudioPort | null;
  /** All of it at once. */
  report(): Pick<DebugHandle, "state" | "stats" | "engine" | "counts">;
  mute(muted: boolean): void;
  mix(track: TrackId, change: Partial<Mix>): void;
  chat(text: string): void;
  leave(): void;
}

declare global {
  interface Window {
    vjam: DebugHandle;
  }
}

let present: Session | null = null;

export function exposeSession(session: Session | null): void {
  present = session;
}

export function installDebugHandle(): void {
  window.vjam = {
    get state() {
      if (present === null) return null;
      // Secrets stay out of bug reports.
      const { seat: _seat, ticket: _ticket, shared, ...rest } = present.state.peek();
      const takes = shared.takes.map(({ key: _key, ...take }) => ({ ...take, key: "" }));
      return { ...rest, shared: { ...shared, takes } };
    },
    get stats() {
      return present?.stats() ?? null;
    },
    get engine() {
      return present?.port?.engine ?? null;
    },
    get counts() {
      return present?.port?.engineCounts() ?? null;
    },
    get audio() {
      return present?.port ?? null;
    },
    report() {
      return { state: this.state, stats: this.stats, engine: this.engine, counts: this.counts };
    },
    mute: (muted) => present?.setMuted(muted),
    mix: (track, change) => present?.setMix(track, change),
    chat: (text) => void present?.chat(text),
    leave: () => present?.leave(),
  };
}
