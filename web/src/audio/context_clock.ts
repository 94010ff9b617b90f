// Which moment of the room's clock a frame of an AudioContext belongs to, at the microphone and at the
// loudspeaker, as far as the browser says.
//
// A browser tells now and then which frame its device plays at the moment; each such word is off by
// fractions of a millisecond either way, so the median of some seconds is taken. What surprises: where nothing
// measures when a frame of the input was captured (see input_watch.ts), it is what is left after the delays of
// output and input that the browser does tell.

import type { RoomClockStats } from "../session/audio_seam";

/** Where a moment of the context lies on the room's clock. */
export interface ContextRoomTimes {
  contextMs: number;
  /** When the input of that moment was at the microphone, and when its output is at the loudspeaker. */
  capturedMs: number;
  heardMs: number;
}

export interface ContextLatencies {
  outputMs: number;
  /** From the microphone to the context. */
  inputMs: number;
}

/** Words that are remembered: three seconds of five each. */
const REMEMBERED = 15;

export class ContextClock {
  private readonly aheads: number[] = [];

  /** Takes one word of the browser: what it plays, and when, by the page's own count. */
  note({ contextTime, performanceTime }: AudioTimestamp, timeOrigin: number): void {
    if (!contextTime || !performanceTime) return;
    this.aheads.push(timeOrigin + performanceTime - contextTime * 1000);
    if (REMEMBERED < this.aheads.length) this.aheads.shift();
  }

  /** Forgets what it was told, as after the context stood still. */
  clear(): void {
    this.aheads.length = 0;
  }

  /** When a moment of the context is computed, in ms since 1970; null before anything was noted. */
  computedMs(contextMs: number, outputMs: number): number | null {
    const ahead = this.ahead();
    return ahead === null ? null : contextMs + ahead - outputMs;
  }

  /** Where a moment of the context lies; null before anything was noted. */
  at(
    contextMs: number,
    clock: RoomClockStats,
    { outputMs, inputMs }: ContextLatencies,
  ): ContextRoomTimes | null {
    const ahead = this.ahead();
    if (ahead === null) return null;
    const room = (localMs: number) =>
      localMs + clock.aheadMs + (localMs - clock.localMs) * clock.rate;
    const heard = contextMs + ahead;
    return { contextMs, heardMs: room(heard), capturedMs: room(heard - outputMs - inputMs) };
  }

  private ahead(): number | null {
    return [...this.aheads].sort((a, b) => a - b)[this.aheads.length >> 1] ?? null;
  }
}
