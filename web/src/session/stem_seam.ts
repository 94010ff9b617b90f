// What a session asks of whoever records one's own sound: the seam between the session and
// web/src/audio/stems, which implements it as class StemRecorder. A recorder outlives the visit: what was
// recorded is sent on for as long as the page is open.

import type { ReadonlySignal } from "@preact/signals";

import type { RoomId, Take } from "../protocol";

/** One's own recording of one take, on this machine until the server has it. */
export interface LocalStem {
  take: string;
  title: string;
  /** How long it is; what an earlier visit recorded counts only once it was ended. */
  seconds: number;
  bytes: number;
  sentBytes: number;
  state: "recording" | "sending" | "waiting" | "refused";
  /** Why it waits, or is refused; empty otherwise. */
  text: string;
}

export interface StemsState {
  stems: LocalStem[];
  /** Why nothing is recorded here; null where something could be. */
  problem: string | null;
}

export const NO_STEMS: StemsState = { stems: [], problem: null };

/** Which recording it is. */
export interface StemOf {
  take: Take;
  room: RoomId;
  /** Of the participant. */
  name: string;
  label: string;
}

/** When a frame of the input was at the microphone, by the room's clock, and how well that is known. */
export interface InputReading {
  frame: number;
  roomMs: number;
  precisionMs: number;
  boundMs: number;
  steps: number;
}

/** Where the sound hands its input to. */
export interface InputSink {
  /** The input comes through this memory from now on, interleaved; see input_ring.ts. */
  open(ring: SharedArrayBuffer, channels: number): void;
  reading(reading: InputReading): void;
  /** The device stood still or is another: frames from now on are dated by later readings alone. */
  interrupted(): void;
}

export interface StemPort {
  readonly state: ReadonlySignal<StemsState>;
  /** Goes on with the recording of this take, or begins it. */
  begin(of: StemOf): InputSink;
  /** Ends the recording; what is there is sent. */
  end(): void;
  /** A take is over: what an earlier visit recorded of it is all that there will be. */
  over(take: string): void;
  /** Whether there is music to be careful of, and how much of it got lost lately. */
  setPlaying(playing: boolean): void;
  noteUplink(lostShare: number): void;
}
