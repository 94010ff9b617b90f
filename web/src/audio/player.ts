// What the two ways to play have in common: our engine in an audio worklet, and the browser's own
// receivers. JamAudio owns one of them beside the link.

import type { ClickSegment, Codec, PlayingMode, Source, Stream, StreamReception, TrackId } from "../protocol";
import type { AudioStats, Mix, PlayoutMode } from "../session/audio_seam";
import type { InputSink } from "../session/stem_seam";
import type { RtcLink } from "./rtc_link";

export interface Player {
  /** Called when `publication` has changed. */
  onpublication: (() => void) | null;
  /** Called once the player has stopped for good and says nothing any more; another must play. */
  onfailed: ((why: string) => void) | null;
  decodes(): Codec[];
  /** The worker that encoded frames go through; null where the browser's own tracks are played. */
  readonly worker: Worker | null;
  /** Hands over the link, once, before its first offer. */
  attach(link: RtcLink): void;
  /** The link was negotiated (again). */
  negotiated(answer: string): void;
  setLinkUp(up: boolean): void;
  publication(): { channels: number; codecs: Codec[]; sources: Source[] };
  /** Sends these, each packet repeating so many earlier codec frames where it can. */
  setEncodings(codecs: Codec[], redundantFrames: number): void;
  setStreams(streams: Stream[]): void;
  setMuted(muted: boolean): void;
  setRemote(track: TrackId, mix: Mix): void;
  setDefaultPlayout(mode: PlayoutMode): void;
  setPlayingMode(mode: PlayingMode): void;
  setRoomLeast(ms: number): void;
  setClick(segments: ClickSegment[]): void;
  setClickGain(gainDb: number | null): void;
  record(sink: InputSink | null): void;
  setInput(stream: MediaStream): void;
  reportUplink(codec: Codec, received: number, lost: number, jitterUs: number): void;
  stats(): AudioStats;
  /** How streams arrived since it was last asked: those that lost something. */
  reception(): StreamReception[];
  /** Everything that is played, to be recorded or measured. */
  readonly tap: AudioNode;
  close(): Promise<void>;
}

export const SILENCE_DB = -100;
