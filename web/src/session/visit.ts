// What a visit to a room is made of: whose it is, and the world it happens in.

import type { RoomId } from "../protocol";
import type { AudioPort } from "./audio_seam";
import type { SocketLike } from "./signalling";
import type { StemPort } from "./stem_seam";
import type { Habits } from "./state";

export interface Visit {
  room: RoomId;
  name: string;
  deviceId: string;
  /** Whether one's own sound is published, or one only listens. */
  part: "musician" | "listener";
  /** What one had the last time. */
  habits?: Partial<Habits>;
}

/** The world outside, in one place so that tests can bring their own. */
export interface Surroundings {
  openSocket(): SocketLike;
  /** Opens the sound with this input; `engineFailure` says why it must do without our engine. */
  openAudio(deviceId: string, engineFailure: string | null): Promise<AudioPort>;
  /** Whoever records on this machine. */
  readonly stems: StemPort;
}
