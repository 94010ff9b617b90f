// What a visit to a room is made of: whose it is, and the world it happens in.

import type { RoomId } from "../protocol";
import type { AudioPort } from "./audio_seam";
import type { SocketLike } from "./signalling";
import type { StemPort } from "./stem_seam";
import type { Habits } from "./state";
import type { Problem } from "./words";

export interface Visit {
  room: RoomId;
  name: string;
  deviceId: string;
  /** Whether one's own sound is published, or one only listens. */
  part: "musician" | "listener";
  /** What one had the last time. */
  habits?: Partial<Habits>;
}

/** Whether one enters a room for the first time in a visit, or was in it before. */
export type Coming = "first" | "back";

/** What came of asking for a pass: null where nobody owns the room, which wants none. */
export type PassAnswer = { pass: string | null } | { problem: Problem };

/** The world outside, in one place so that tests can bring their own. */
export interface Surroundings {
  openSocket(): SocketLike;
  /**
   * Asks for a pass into the room, and does not fail. Left out for whoever has nothing to ask with, no account,
   * no password and no invite: they join at once.
   */
  readonly askPass?: (coming: Coming) => Promise<PassAnswer>;
  /** Opens the sound with this input; `engineFailure` says why it must do without our engine. */
  openAudio(deviceId: string, engineFailure: string | null): Promise<AudioPort>;
  /** Whoever records on this machine. */
  readonly stems: StemPort;
}
