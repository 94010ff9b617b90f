// What the page, the link worker and the audio worklet tell each other. Packets never travel this
// way: they go through the rings.

import type { ClickSegment, Codec, PlayingMode } from "../protocol";
import type {
  LinkCounts,
  Mix,
  PlayoutMode,
  RoomClockStats,
  UplinkChoice,
} from "../session/audio_seam";
import type { ContextRoomTimes } from "./context_clock";
import type { EngineSettings } from "./engine_module";
import type { InputProbe } from "./input_probe";

/** From the page to the link worker. */
export type ToWorker =
  | {
      type: "start";
      up: SharedArrayBuffer;
      down: SharedArrayBuffer;
      uplink: UplinkChoice;
      wasm: ArrayBuffer;
    }
  /** The data channel, transferred; a browser that cannot gives none and sends for the worker. */
  | { type: "channel"; channel: RTCDataChannel }
  | { type: "payload-types"; opus: number; red: number | null; microphone: number | null }
  | { type: "link"; up: boolean }
  | { type: "uplink-report"; codec: Codec; received: number; lost: number; jitterUs: number }
  /** The state of a data channel that lives on the page. */
  | { type: "page-channel"; open: boolean; bufferedBytes: number }
  /** What came on it, and when, in milliseconds since 1970. */
  | { type: "page-message"; message: ArrayBuffer; arrivedMs: number };

/** From the link worker to the page. */
export type FromWorker =
  | { type: "ready" }
  /** A loop of the worker ended; packets stay where they are from now on. */
  | { type: "failed"; text: string }
  | { type: "path"; path: "data-channel" | "rtp"; why: string }
  | { type: "packets"; packets: ArrayBuffer[] }
  | { type: "counts"; counts: LinkCounts }
  | { type: "room-clock"; clock: RoomClockStats | null };

/** What an `RTCRtpScriptTransform` of ours is for. */
export type TransformOptions = { role: "receive" } | { role: "send" };

export interface EncodingWanted {
  codec: Codec;
  ssrc: number;
  /** How many earlier codec frames each packet repeats; only `opus-64` and `pcm` can. */
  redundantFrames: number;
}

/** From the page to the audio worklet. */
export type ToWorklet =
  | { type: "encodings"; encodings: EncodingWanted[] }
  | { type: "input-muted"; muted: boolean }
  | { type: "add-remote"; ssrc: number; channels: number }
  | { type: "remove-remote"; ssrc: number }
  | ({ type: "mix"; ssrc: number } & Mix)
  | { type: "default-playout"; mode: PlayoutMode }
  | ({ type: "room-clock" } & ContextRoomTimes)
  /** Where the dry input goes; null for nowhere. */
  | { type: "record"; ring: SharedArrayBuffer | null }
  | { type: "playing-mode"; mode: PlayingMode }
  | { type: "room-least"; ms: number }
  | { type: "click"; segments: ClickSegment[] }
  /** Null is silence. */
  | { type: "click-gain"; gainDb: number | null }
  | { type: "close" };

/** From the audio worklet to the page. */
export type FromWorklet =
  | { type: "ready" }
  /** There is no engine in it, and there will be none. */
  | { type: "failed"; text: string }
  /** Nothing was computed for a while. */
  | { type: "stalled" }
  /** The engine did not take a command, so that somebody or oneself is not heard. */
  | { type: "refused"; command: ToWorklet["type"] }
  /** The engine's statistics block, see engine_module.ts, and a few samples of the input if there is any. */
  | { type: "stats"; block: Float64Array; probe: InputProbe | null };

/** What the audio worklet is built from. */
export interface WorkletOptions {
  wasm: ArrayBuffer;
  up: SharedArrayBuffer;
  down: SharedArrayBuffer;
  engine: EngineSettings;
}
