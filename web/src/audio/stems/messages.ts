// What the page and the stem worker tell each other.

import type { InputReading, StemOf, StemsState } from "../../session/stem_seam";

/** From the page to the worker. */
export type ToStems =
  | { type: "begin"; of: StemOf }
  | { type: "open"; ring: SharedArrayBuffer; channels: number }
  | { type: "reading"; reading: InputReading }
  | { type: "interrupted" }
  | { type: "end" }
  | { type: "over"; take: string }
  | { type: "playing"; playing: boolean }
  | { type: "uplink"; lostShare: number };

/** From the worker to the page. */
export type FromStems = { type: "state"; state: StemsState };
