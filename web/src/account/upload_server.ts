// The server that files are sent to, and the clock, the connection and the hash of this browser.

import { ProblemError, call } from "./client";
import type { Problem, Upload } from "../protocol/social";
import type { UploadWorld } from "./upload";

export const uploadWorld: UploadWorld = {
  server: {
    begin: (name, size) => call("POST /api/v1/social/uploads", { body: { name, size } }),
    here: (upload) => call("GET /api/v1/social/uploads/{upload}", { path: { upload } }),
    send,
    complete: (upload, sha256) =>
      call("POST /api/v1/social/uploads/{upload}/complete", { path: { upload }, body: sha256 === null ? {} : { sha256 } }),
    cancel: (upload) => call("DELETE /api/v1/social/uploads/{upload}", { path: { upload } }),
  },
  now: () => performance.now(),
  wait,
  hash,
};

/** Not by `call`, which nothing breaks off: a part on a slow line would outlast its being canceled. */
async function send(id: string, offset: number, part: Blob, signal: AbortSignal): Promise<Upload> {
  const aborter = new AbortController();
  const abort = () => aborter.abort();
  signal.addEventListener("abort", abort);
  // A line may die without anybody being told.
  const timer = setTimeout(abort, PART_WAIT_MS);
  try {
    const response = await fetch(`/api/v1/social/uploads/${encodeURIComponent(id)}`, {
      method: "PATCH",
      headers: { "Upload-Offset": String(offset), "Content-Type": "application/octet-stream" },
      body: part,
      credentials: "same-origin",
      cache: "no-store",
      signal: aborter.signal,
    });
    const answer = (await response.json().catch(() => ({}))) as Partial<Upload & Problem>;
    if (response.ok && typeof answer.offset === "number") return answer as Upload;
    const { code = "unreadable", detail = "The server gave an answer that this page cannot read" } = answer;
    const words = code === "not_signed_in" ? "You are not signed in any more. Sign in again." : detail;
    throw new ProblemError(response.ok ? "unreadable" : code, words);
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw new ProblemError("unreachable", "The server cannot be reached. Check your connection and try again.");
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer);
      removeEventListener("online", go);
      signal.removeEventListener("abort", go);
      resolve();
    };
    const timer = setTimeout(go, ms);
    // There is a network again.
    addEventListener("online", go);
    signal.addEventListener("abort", go);
  });
}

async function hash(file: Blob): Promise<string | null> {
  try {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
    return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  } catch {
    // A page that was not fetched over TLS has no `subtle`, a full phone no memory.
    return null;
  }
}

/** The shortest part at 10 kbit/s takes less. */
const PART_WAIT_MS = 120_000;
