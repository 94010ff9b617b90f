// What a session asks of the sound: the seam between signalling and web/src/audio, which implements
// it as class JamAudio. A session knows no RTCPeerConnection and no AudioContext, so that its tests
// need neither.

import type { Capabilities, Codec, Source, Stream, TrackId } from "../protocol";

/** Which way sound is played in this browser, and what kept us from the better one. */
export interface EngineChoice {
  /** Our engine in an audio worklet, or the browser's own jitter buffer and codec. */
  mode: "engine" | "standard";
  /** Pieces that the browser lacks, in words; empty when the engine runs. */
  missing: string[];
}

/** How one remote track is mixed for this pair of ears only. */
export interface Mix {
  gainDb: number;
  /** -1 left, 0 center, 1 right. */
  pan: number;
  muted: boolean;
  solo: boolean;
}

export interface RemoteStats {
  levelDb: number;
  /** Audio waiting in the jitter buffer. */
  bufferMs: number;
  /** From packet to loudspeaker, on this machine: buffer, decoder and output together. */
  delayMs: number;
  /** Packets, since the track was first heard. */
  received: number;
  lost: number;
  late: number;
  /** Audio that was invented for packets that did not come in time. */
  concealedMs: number;
  driftPpm: number;
}

/** A snapshot, updated about ten times a second. */
export interface AudioStats {
  inputLevelDb: number;
  uplinkPath: "data-channel" | "rtp" | "track";
  downlinkPath: string;
  /** Why these paths, in words. */
  why: string;
  remotes: Record<TrackId, RemoteStats>;
}

export type LinkState = "connecting" | "up" | "down";

export interface AudioOptions {
  deviceId?: string;
  force?: "standard" | "engine";
  /** An input that is open already; whoever opens the sound with it hands it over. */
  stream?: MediaStream;
}

/** One room visit's sound. */
export interface AudioPort {
  readonly engine: EngineChoice;
  /** False while the browser holds all sound back, which it does until a click or a key. */
  readonly running: boolean;
  onlink: ((state: LinkState) => void) | null;
  /** Called when publication() changed, for example because the uplink moved to RTP. */
  onpublication: (() => void) | null;
  capabilities(): Capabilities;
  offer(iceRestart: boolean): Promise<string>;
  accept(answer: string): Promise<void>;
  /** Returns true where a new offer is needed. */
  ensureSlots(slots: number): boolean;
  publication(): { channels: number; codecs: Codec[]; sources: Source[] };
  setEncodings(codecs: Codec[]): void;
  setStreams(streams: Stream[]): void;
  setMuted(muted: boolean): void;
  setRemote(track: TrackId, mix: Mix): void;
  stats(): AudioStats;
  /** Takes the server's report, each second, on how one encoding of ours arrives. */
  reportUplink(received: number, lost: number, jitterUs: number): void;
  setInputDevice(deviceId: string): Promise<void> | void;
  close(): Promise<void>;
}
