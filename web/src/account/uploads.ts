// The files that are on their way, one after the other. They go on while other pages of the app are
// looked at; what leaves the app breaks them off, which is asked about before.

import { signal } from "@preact/signals";

import type { StoredFile } from "../protocol/social";
import { ProblemError } from "./client";
import { Canceled, type SendingStage, type UploadWorld, upload } from "./upload";

export type Stage = "queued" | SendingStage | "done" | "failed" | "canceled";

export interface Entry {
  key: number;
  name: string;
  size: number;
  stage: Stage;
  /** Bytes that are there. */
  sent: number;
  /** Why it failed; empty otherwise. */
  problem: string;
  /** What it became; null until then. */
  file: StoredFile | null;
}

export class Uploads {
  /** In the order in which they were chosen. */
  readonly entries = signal<readonly Entry[]>([]);
  /** The last one that became a file. */
  readonly arrived = signal<StoredFile | null>(null);
  readonly #world: UploadWorld;
  readonly #files = new Map<number, File>();
  readonly #aborters = new Map<number, AbortController>();
  #running = false;
  #keys = 0;

  constructor(world: UploadWorld) {
    this.#world = world;
  }

  add(files: Iterable<File>): void {
    const added = [...files].map((file): Entry => {
      const key = (this.#keys += 1);
      this.#files.set(key, file);
      return { key, name: file.name, size: file.size, stage: "queued", sent: 0, problem: "", file: null };
    });
    this.entries.value = [...this.entries.value, ...added];
    void this.#run();
  }

  /** Takes in a file that is on the server already. */
  adopt(file: StoredFile): void {
    const { name, size } = file;
    const key = (this.#keys += 1);
    this.entries.value = [...this.entries.value, { key, name, size, stage: "done", sent: size, problem: "", file }];
  }

  /** Breaks one off where it is on its way, and forgets it. What the server has of it stays there. */
  drop(key: number): void {
    this.cancel(key);
    this.#keep((entry) => entry.key !== key);
  }

  /** Breaks one off, or takes it from those that wait. */
  cancel(key: number): void {
    if (!isOnItsWay(this.#entry(key))) return;
    this.#change(key, { stage: "canceled" });
    this.#aborters.get(key)?.abort();
  }

  /** Tries one again that failed or was canceled, from its beginning. */
  again(key: number): void {
    const stage = this.#entry(key)?.stage;
    if (stage !== "failed" && stage !== "canceled") return;
    // What is still ending of the earlier try has nothing to say any more.
    this.#aborters.delete(key);
    this.#change(key, { stage: "queued", sent: 0, problem: "" });
    void this.#run();
  }

  /** Takes all those from the list that are at an end, well or not. */
  tidy(): void {
    this.#keep(isOnItsWay);
  }

  /** Breaks all off and forgets them. */
  clear(): void {
    for (const { key } of this.entries.value) this.cancel(key);
    this.#keep(() => false);
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (;;) {
      const next = this.entries.value.find(({ stage }) => stage === "queued");
      if (next === undefined) break;
      await this.#send(next.key);
    }
    this.#running = false;
  }

  async #send(key: number): Promise<void> {
    const file = this.#files.get(key);
    if (file === undefined) return;
    const aborter = new AbortController();
    this.#aborters.set(key, aborter);
    const change = (part: Partial<Entry>) => {
      if (!aborter.signal.aborted) this.#change(key, part);
    };
    change({ stage: "sending" });
    try {
      const became = await upload(file, this.#world, aborter.signal, (stage, sent) => change({ stage, sent }));
      this.arrived.value = became;
      // It was canceled too late.
      this.#change(key, { stage: "done", sent: file.size, file: became });
      this.#files.delete(key);
    } catch (error) {
      if (error instanceof Canceled) return;
      if (!(error instanceof ProblemError)) console.error(error);
      change({ stage: "failed", problem: error instanceof ProblemError ? error.message : FAILED });
    } finally {
      if (this.#aborters.get(key) === aborter) this.#aborters.delete(key);
    }
  }

  #entry(key: number): Entry | undefined {
    return this.entries.value.find((entry) => entry.key === key);
  }

  #change(key: number, part: Partial<Entry>): void {
    this.entries.value = this.entries.value.map((entry) => (entry.key === key ? { ...entry, ...part } : entry));
  }

  #keep(which: (entry: Entry) => boolean): void {
    this.entries.value = this.entries.value.filter(which);
    for (const key of this.#files.keys()) {
      if (this.#entry(key) === undefined) this.#files.delete(key);
    }
  }
}

export function isOnItsWay(entry: Entry | undefined): boolean {
  return entry !== undefined && ["queued", "sending", "broken", "finishing"].includes(entry.stage);
}

const FAILED = "The upload failed. Try it again.";
