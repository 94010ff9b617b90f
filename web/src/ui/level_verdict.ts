// What the input's level of the last seconds means, in words.

import { LEVEL_DB_MIN } from "./format";

export class LevelVerdict {
  private held = false;
  private loudestDb = LEVEL_DB_MIN;
  private loudestAtMs = 0;

  /** Takes a level in dBFS, or null while the browser holds sound back until a click. */
  take(nowMs: number, levelDb: number | null): void {
    this.held = levelDb === null;
    if (levelDb === null) return;
    if (this.loudestDb <= levelDb || MEMORY_MS < nowMs - this.loudestAtMs) {
      this.loudestDb = levelDb;
      this.loudestAtMs = nowMs;
    }
  }

  words(): string {
    if (this.held) return "Click anywhere on the page to see your level.";
    if (TOO_LOUD_DB <= this.loudestDb) return "Too loud: turn the input down a little.";
    if (QUIET_DB <= this.loudestDb) return "We hear you well.";
    if (SILENT_DB <= this.loudestDb) return "We hear you, but quietly: turn the input up.";
    return "Nothing yet: play or sing a note.";
  }
}

/** Longer than the rests of somebody who tunes. */
const MEMORY_MS = 3_000;
const TOO_LOUD_DB = -1;
const QUIET_DB = -36;
const SILENT_DB = -54;
