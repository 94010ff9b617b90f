// Waits until the server has looked through a recording, and asks what it found.

import { ProblemError, call } from "../../../account/client";
import type { FilePeaks, StoredFile } from "../../../protocol/social";

export interface Found {
  /** As it is once it was looked through. */
  file: StoredFile;
  /** Null where nobody could tell how it sounds. */
  peaks: FilePeaks | null;
}

/** Gives what was found; null where nobody waits any more, or it takes too long. `wait` says whether to go on. */
export async function findPeaks(file: StoredFile, wait: (ms: number) => Promise<boolean>): Promise<Found | null> {
  let found = file;
  let pause = PAUSE_MS_FIRST;
  for (let asked = 0; found.analysis === "waiting"; asked += 1) {
    if (asked === ASKED_MAX || !(await wait(pause))) return null;
    pause = Math.min(PAUSE_MS_MAX, 1.5 * pause);
    try {
      found = await call("GET /api/v1/social/files/{file}", { path: { file: file.id } });
    } catch (error) {
      if (!passes(error)) throw error;
    }
  }
  if (found.analysis !== "done") return { file: found, peaks: null };
  for (let asked = 0; ; asked += 1) {
    try {
      return { file: found, peaks: await call("GET /api/v1/social/files/{file}/peaks", { path: { file: file.id } }) };
    } catch (error) {
      // Of some recordings only their length can be told.
      if (error instanceof ProblemError && error.code === "not_found") return { file: found, peaks: null };
      if (!passes(error)) throw error;
      if (asked === ASKED_MAX || !(await wait(PAUSE_MS_MAX))) return null;
    }
  }
}

function passes(error: unknown): boolean {
  return error instanceof ProblemError && ["unreachable", "unreadable", "busy", "too_many_requests"].includes(error.code);
}

const PAUSE_MS_FIRST = 1_000;
const PAUSE_MS_MAX = 15_000;
/** Most of an hour. */
const ASKED_MAX = 200;
