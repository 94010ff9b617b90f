// What a session asks of the sound: the seam between signalling and web/src/audio, which implements
// it as class JamAudio. A session knows no RTCPeerConnection and no AudioContext, so that its tests
// need neither.

import type {
  Capabilities,
  ClickSegment,
  Codec,
  PlayingMode,
  Source,
  Stream,
  StreamReception,
  TrackId,
} from "../protocol";
import type { InputSink } from "./stem_seam";

/** Which way sound is played in this browser, and what kept us from the better one. */
export interface EngineChoice {
  /** Our engine in an audio worklet, or the browser's own jitter buffer and codec. */
  mode: "engine" | "standard";
  /** Pieces that the browser lacks, in words; empty when the engine runs. */
  missing: string[];
  /** Why our engine does not run in a browser that lacks nothing; null unless it failed. */
  failure: string | null;
}

/**
 * What the playout delay is steered by: left to the engine, leaned towards less delay or towards
 * less risk, or so many milliseconds whatever the network does.
 */
export type PlayoutMode = "automatic" | "lower" | "safer" | number;

/** The engine refuses a longer fixed delay. */
export const FIXED_MS_MAX = 500;

/** How loud one may have the click. */
export const CLICK_GAIN_DB_MIN = -40;
export const CLICK_GAIN_DB_MAX = 12;

/** How one remote track is mixed for this pair of ears only. */
export interface Mix {
  gainDb: number;
  /** -1 left, 0 center, 1 right. */
  pan: number;
  muted: boolean;
  solo: boolean;
  /** Null for what holds for everybody. */
  playout: PlayoutMode | null;
}

export const NEUTRAL: Mix = { gainDb: 0, pan: 0, muted: false, solo: false, playout: null };

export interface RemoteStats {
  levelDb: number;
  /** Audio waiting in the jitter buffer. */
  bufferMs: number;
  /**
   * What is heard is older than it would be without packets, by this much; the network and the
   * publisher's own devices come on top. Our engine counts the packet and the codec's look-ahead,
   * the jitter buffer and the output; the browser's own player knows of the last two alone.
   */
  delayMs: number;
  /**
   * From their microphone to this loudspeaker, by the room's clock and as both devices tell of themselves;
   * null while either end does not know the room's time.
   */
  mouthToEarMs: number | null;
  /** What of that the playing mode wants, and nothing needs. */
  paddingMs: number;
  /** How late the playing mode wants it to be heard; null for as early as holds. */
  wantedMs: number | null;
  /** Packets, since the track was first heard. */
  received: number;
  lost: number;
  late: number;
  /** Audio that was invented for packets that did not come in time. */
  concealedMs: number;
  /** Not heard, because this computer is too slow for everybody. */
  leftOut: boolean;
  /** Our engine's account of the delay; null where the browser's own player has it. */
  playout: PlayoutStats | null;
}

/** How long our engine lets a track wait, and why. */
export interface PlayoutStats {
  mode: PlayoutMode;
  /** From a packet's arrival until its first frame is handed to the output; and what is wanted. */
  delayMs: number;
  targetMs: number;
  /** What the target is made of: what each cause asks for. */
  networkMs: number;
  callbackMs: number;
  driftMs: number;
  redundancyMs: number;
  /** Of the latest minute that was played; of all there was while that is less. */
  concealedMsPerMinute: number;
  /** Codec frames played from a later packet's redundancy. */
  recovered: number;
  /** How much faster the publisher's clock runs; null until that is known. */
  driftPpm: number | null;
  /** How much faster than this device the track is consumed at the moment. */
  ratePpm: number;
}

/** `why` where the link asked for the way that sound runs. */
export const ASKED_FOR = "asked for";

/** The clock that everybody in the room shares, and how well it is known here. */
export interface RoomClockStats {
  /** By this browser's count, in milliseconds since 1970... */
  localMs: number;
  /** ...the room's clock was ahead of it by so much, and gains so much for each millisecond. */
  aheadMs: number;
  rate: number;
  /** Known as well as it is going to be. */
  settled: boolean;
  /** How far off it is at most, were all the way to the server in one direction. */
  boundMs: number;
  /** How far off it may be if both directions are alike. */
  precisionMs: number;
  ratePpm: number;
  /** How often one of the two clocks was set. */
  steps: number;
  /** Answers so far. */
  exchanges: number;
  /** The quickest way to the server and back of late; and what nine of ten differ from the one before by. */
  roundTripMs: number;
  jitterMs: number;
}

/** A snapshot, updated about ten times a second. */
export interface AudioStats {
  inputLevelDb: number;
  uplinkPath: "data-channel" | "rtp" | "track";
  /** Why this path, in words. */
  why: string;
  /** Null without our engine, and before the first answer. */
  roomClock: RoomClockStats | null;
  /** From the microphone to the page and from the page to the loudspeaker, as the browser tells; 0 where it does not. */
  inputMs: number;
  outputMs: number;
  remotes: Record<TrackId, RemoteStats>;
}

/** What the link worker of our engine counts since the start. */
export interface LinkCounts {
  sentPackets: number;
  sentBytes: number;
  /** Packets that our side threw away because the path was full. */
  skippedPackets: number;
  receivedFrames: number;
  queuedMs: number;
  /** Packets that found the ring from the audio thread full, and the ring towards it. */
  refusedUpPackets: number;
  refusedDownPackets: number;
  /** Frames that the browser's own packets could not take in time. */
  droppedFrames: number;
}

/** The same with what the audio thread counts; for tests and reports of problems. */
export interface EngineCounts extends LinkCounts {
  /** Packets whose stream or content the engine did not know. */
  refusedPackets: number;
  /** Codec frames that nobody took from the engine in time. */
  overrunFrames: number;
  /** How often the engine was started anew. */
  revivals: number;
}

export type LinkState = "connecting" | "up" | "down";

/** Whether our engine's way up is chosen as it goes, or RTP from the start (tests, comparisons). */
export type UplinkChoice = "auto" | "rtp";

export interface AudioOptions {
  deviceId?: string;
  force?: "standard" | "engine";
  /** Why our engine is not to be tried again: it failed in this visit. */
  failure?: string;
  /** `auto` unless asked for. */
  uplink?: UplinkChoice;
  /** Publishes silence and opens no input, for those who only listen. */
  silent?: boolean;
  /** An input that is open already; whoever opens the sound with it hands it over. */
  stream?: MediaStream;
}

/** One room visit's sound. */
export interface AudioPort {
  readonly engine: EngineChoice;
  /** False while the browser holds all sound back, which it does until a click or a key. */
  readonly running: boolean;
  onlink: ((state: LinkState) => void) | null;
  /**
   * Called when the input ended by itself, as when it is unplugged: true once the system's default
   * took its place, false where there is none.
   */
  oninputended: ((replaced: boolean) => void) | null;
  /** Called when publication() changed, for example because the uplink moved to RTP. */
  onpublication: (() => void) | null;
  /** Called once the sound has stopped for good, with the reason: it must be opened anew. */
  onfailed: ((why: string) => void) | null;
  capabilities(): Capabilities;
  offer(iceRestart: boolean): Promise<string>;
  accept(answer: string): Promise<void>;
  /** Returns true where a new offer is needed. */
  ensureSlots(slots: number): boolean;
  publication(): { channels: number; codecs: Codec[]; sources: Source[] };
  /** Sends these, each packet repeating so many earlier codec frames where it can. */
  setEncodings(codecs: Codec[], redundantFrames: number): void;
  setStreams(streams: Stream[]): void;
  setMuted(muted: boolean): void;
  setRemote(track: TrackId, mix: Mix): void;
  /** For every track whose mix has no mode of its own; nothing without our engine. */
  setDefaultPlayout(mode: PlayoutMode): void;
  /** How late everybody is heard, compared with each other; nothing without our engine. */
  setPlayingMode(mode: PlayingMode): void;
  /** How late somebody else in the room hears somebody at least, which *aligned* goes by. */
  setRoomLeast(ms: number): void;
  /** The room's click, played to these ears alone; nothing without our engine. */
  setClick(segments: ClickSegment[]): void;
  /** How loud it is; null is silence. */
  setClickGain(gainDb: number | null): void;
  /** Hands the dry input over from now on; null for no more. Nothing without our engine. */
  record(sink: InputSink | null): void;
  stats(): AudioStats;
  /** How streams arrived since it was last asked: those that lost something. */
  reception(): StreamReception[];
  /** Null without our engine. */
  engineCounts(): EngineCounts | null;
  /** Takes the server's report, each second, on how one encoding of ours arrives. */
  reportUplink(codec: Codec, received: number, lost: number, jitterUs: number): void;
  /** Swaps the input; false where a later choice, or the end, came first. */
  setInputDevice(deviceId: string): Promise<boolean>;
  close(): Promise<void>;
}
