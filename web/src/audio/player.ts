// What the two ways to play have in common: our engine in an audio worklet, and the browser's own
// receivers. JamAudio owns one of them beside the link.

import type { Codec, Source, Stream, TrackId } from "../protocol";
import type { Mix, RemoteStats } from "../session/audio_seam";
import type { RtcLink } from "./rtc_link";

export interface PlayerStats {
  inputLevelDb: number;
  uplinkPath: "data-channel" | "rtp" | "track";
  downlinkPath: string;
  why: string;
  remotes: Record<TrackId, RemoteStats>;
}

export interface Player {
  /** Called when `publication` has changed. */
  onpublication: (() => void) | null;
  decodes(): Codec[];
  /** The worker that encoded frames go through; null where the browser's own tracks are played. */
  readonly worker: Worker | null;
  /** Hands over the link, once, before its first offer. */
  attach(link: RtcLink): void;
  /** The link was negotiated (again). */
  negotiated(answer: string): void;
  setLinkUp(up: boolean): void;
  publication(): { channels: number; codecs: Codec[]; sources: Source[] };
  setEncodings(codecs: Codec[]): void;
  setStreams(streams: Stream[]): void;
  setMuted(muted: boolean): void;
  setRemote(track: TrackId, mix: Mix): void;
  setInput(stream: MediaStream): void;
  reportUplink(received: number, lost: number, jitterUs: number): void;
  stats(): PlayerStats;
  /** Everything that is played, to be recorded or measured. */
  readonly tap: AudioNode;
  close(): Promise<void>;
}

export const UNCHANGED: Mix = { gainDb: 0, pan: 0, muted: false, solo: false };
export const SILENCE_DB = -100;
