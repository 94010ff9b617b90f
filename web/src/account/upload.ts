// Sends one file, in parts: a connection that breaks costs a part of it and never the file. After
// anything that may pass, the server is asked how much it has, and goes on from there. What surprises:
// a part begins small and grows with the line, so that one takes seconds, whatever line it is; a file
// that comes to nothing is given up at the server, too, since it takes room there.

import type { Id, StoredFile, Upload } from "../protocol/social";
import { ProblemError, type Code } from "./client";

/** What a file is sent to. */
export interface UploadServer {
  begin(name: string, size: number): Promise<Upload>;
  /** How much of it is there. */
  here(id: Id): Promise<Upload>;
  /** Sends what comes next; the signal breaks it off. */
  send(id: Id, offset: number, part: Blob, signal: AbortSignal): Promise<Upload>;
  complete(id: Id, sha256: string | null): Promise<StoredFile>;
  cancel(id: Id): Promise<void>;
}

/** What else is needed. */
export interface UploadWorld {
  server: UploadServer;
  now(): number;
  /** Waits as long, or until it is worth trying again, or the signal comes. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** The SHA-256 of a file as the server takes it; null where there is none to be had. */
  hash(file: Blob): Promise<string | null>;
}

/** `broken`: the server cannot be reached, and is tried again. */
export type SendingStage = "sending" | "broken" | "finishing";

/** Whoever sent it does not want to any more. */
export class Canceled extends Error {
  constructor() {
    super("The upload was canceled.");
    this.name = "Canceled";
  }
}

/** Sends a file to its end. Fails with `Canceled`, or with a `ProblemError` that does not pass. */
export async function upload(
  file: File,
  world: UploadWorld,
  signal: AbortSignal,
  onProgress: (stage: SendingStage, sent: number) => void,
): Promise<StoredFile> {
  const { server } = world;
  const patience = new Patience(world, signal, onProgress);
  const { id } = await patience.persist(() => server.begin(file.name, file.size), (code) => code !== "too_many_uploads");
  try {
    await sendAll(id, file, world, signal, patience);
    patience.at("finishing", file.size);
    const sha256 = file.size < HASHED_BYTES_MAX ? await world.hash(file) : null;
    stopIf(signal);
    return await patience.persist(() => server.complete(id, sha256));
  } catch (error) {
    // Where it cannot be told, the server deletes it after a day.
    void server.cancel(id).catch(() => {});
    throw error;
  }
}

async function sendAll(id: Id, file: File, world: UploadWorld, signal: AbortSignal, patience: Patience): Promise<void> {
  const { server, now } = world;
  let offset = 0;
  let [next_bytes, most_bytes] = [PART_BYTES_FIRST, PART_BYTES_MAX];
  let stalls = 0;
  patience.at("sending", offset);
  while (offset < file.size) {
    const bytes = offset === 0 ? PART_BYTES_KNOWN : next_bytes;
    const part = await read(file.slice(offset, Math.min(file.size, offset + bytes)));
    stopIf(signal);
    const [before, begun] = [offset, now()];
    try {
      ({ offset } = await server.send(id, offset, part, signal));
      const took = now() - begun;
      stalls = 0;
      if (before === 0) next_bytes = Math.min(most_bytes, PART_BYTES_FIRST);
      else if (took < PART_MS_SHORT) next_bytes = Math.min(most_bytes, 2 * bytes);
      else if (PART_MS_LONG < took) next_bytes = Math.max(PART_BYTES_MIN, bytes / 2);
    } catch (error) {
      stopIf(signal);
      // What stands between may take no parts of this size.
      if (before !== 0 && error instanceof ProblemError && TOO_LONG.includes(error.code)) {
        most_bytes = next_bytes = Math.max(PART_BYTES_MIN, bytes / 2);
      }
      await patience.after(error);
      ({ offset } = await patience.persist(() => server.here(id)));
      stalls = before < offset ? 0 : stalls + 1;
      if (STALLS_MAX < stalls) throw error;
    }
    stopIf(signal);
    if (before < offset) patience.renew();
    patience.at("sending", offset);
  }
}

/** How long something is tried that fails. */
class Patience {
  readonly #world: UploadWorld;
  readonly #signal: AbortSignal;
  readonly #onProgress: (stage: SendingStage, sent: number) => void;
  #failures = 0;
  #stage: "sending" | "finishing" = "sending";
  #sent = 0;
  #broken = false;

  constructor(world: UploadWorld, signal: AbortSignal, onProgress: (stage: SendingStage, sent: number) => void) {
    this.#world = world;
    this.#signal = signal;
    this.#onProgress = onProgress;
  }

  /** It got on: what failed before counts no more. */
  renew(): void {
    this.#failures = 0;
  }

  at(stage: "sending" | "finishing", sent: number): void {
    [this.#stage, this.#sent, this.#broken] = [stage, sent, false];
    this.#onProgress(stage, sent);
  }

  /** Does it until it goes well. */
  async persist<T>(action: () => Promise<T>, passes: (code: Code) => boolean = () => true): Promise<T> {
    for (;;) {
      try {
        const done = await action();
        // There it is again.
        if (this.#broken) this.at(this.#stage, this.#sent);
        return done;
      } catch (error) {
        stopIf(this.#signal);
        if (error instanceof ProblemError && !passes(error.code)) throw error;
        await this.after(error);
      }
    }
  }

  /** Waits after a failure that may pass; throws any other one. */
  async after(error: unknown): Promise<void> {
    if (!(error instanceof ProblemError) || !PASSING.includes(error.code)) throw error;
    this.#failures += 1;
    // A tunnel may be long; a server that answers, and always the same, does not come to its senses.
    const lost = error.code === "unreachable";
    if (!lost && FAILURES_MAX < this.#failures) throw error;
    // The next part is known to be another one: there is nothing to wait for.
    if (error.code === "wrong_offset" && this.#failures === 1) return;
    if (lost) this.#onProgress("broken", this.#sent);
    this.#broken ||= lost;
    await this.#world.wait(Math.min(WAIT_MS_MAX, WAIT_MS_FIRST * 2 ** (this.#failures - 1)), this.#signal);
    stopIf(this.#signal);
  }
}

/** Bytes in memory: a file that was changed meanwhile is found out here, and not as a lost connection. */
async function read(part: Blob): Promise<Blob> {
  try {
    return new Blob([await part.arrayBuffer()]);
  } catch {
    throw new ProblemError("invalid", "The file cannot be read any more: it was changed or moved. Choose it again.");
  }
}

function stopIf(signal: AbortSignal): void {
  if (signal.aborted) throw new Canceled();
}

/** What may be otherwise when it is tried again. `bad_request` is a part that came too slowly, or not whole. */
const PASSING: readonly Code[] = [
  "unreachable", "unreadable", "busy", "internal", "objects_unavailable", "too_many_requests", "too_many_uploads",
  "wrong_offset", "bad_request",
];

/** What a part that was too long for the line may have ended with. */
const TOO_LONG: readonly Code[] = ["unreachable", "unreadable", "bad_request"];

/** In one request; the server refuses a longer one. */
export const PART_BYTES_MAX = 8 * 1024 * 1024;
/**
 * The very first part: the server knows a file by its head. What it refuses in the middle of a long body
 * looks like a broken connection to a browser; a short one is read to its end.
 */
const PART_BYTES_KNOWN = 4096;
const PART_BYTES_FIRST = 1024 * 1024;
const PART_BYTES_MIN = 128 * 1024;
const PART_MS_SHORT = 2_500;
const PART_MS_LONG = 10_000;

/** Larger files are compared by nobody: the hash wants the file in memory, whole. */
export const HASHED_BYTES_MAX = 64 * 1024 * 1024;

const FAILURES_MAX = 10;
/** Parts in a row that never arrive, while the server answers everything else. */
const STALLS_MAX = 20;
const WAIT_MS_FIRST = 1_000;
const WAIT_MS_MAX = 30_000;
