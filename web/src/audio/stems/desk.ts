// Keeps one's own stems: records one at a time, and sends what is there until the server has all of it. Lives in
// the stem worker; the disk, the network and the clock come from outside.
//
// What surprises: a stem that an earlier visit did not end is sent, but not called whole, until its take is known
// to be over or nobody has gone on with it for a while: whoever reloads the page goes on with it.

import type { LocalStem, StemOf, StemsState } from "../../session/stem_seam";
import type { Disk, StemFile, StemMeta } from "./disk";
import type { ToStems } from "./messages";
import { Recording } from "./recording";
import { INPUT_BYTES, type StemModule } from "./stem_module";
import { type Step, Upload } from "./upload";
import { UploadPace } from "./upload_pace";

export interface World {
  /** Throws where this browser has none. */
  mount(): Promise<Disk>;
  module(): Promise<StemModule>;
  request(url: string, init: RequestInit): Promise<Response>;
  /** Milliseconds since 1970. */
  nowMs(): number;
  sleep(ms: number): Promise<void>;
  randomId(): string;
  tell(state: StemsState): void;
}

/** A stem on the disk that is ours to send. */
interface Kept {
  meta: StemMeta;
  file: StemFile;
  upload: Upload;
  /** When it is looked at again. */
  dueMs: number;
  state: LocalStem["state"];
  text: string;
}

export class Desk {
  private disk: Disk | null = null;
  private readonly kept = new Map<string, Kept>();
  /** Stems that another page has open: another tab, or this one before it was loaded anew. */
  private taken: StemMeta[] = [];
  private adoptMs = 0;
  private readonly over = new Set<string>();
  private readonly pace = new UploadPace();
  /** What is to be recorded, as soon as the sound hands its input over. */
  private wanted: StemOf | null = null;
  private recording: Recording | null = null;
  private problem: string | null = null;
  private flushedMs = 0;
  /** Messages are dealt with one after the other: opening a file takes a while. */
  private work: Promise<void>;
  private sending = false;
  private told = "";

  constructor(private readonly world: World) {
    this.work = this.mount();
  }

  /** Resolves once the message, and all before it, are dealt with. */
  handle(message: ToStems): Promise<void> {
    this.work = this.work.then(() => this.take(message)).catch((error: unknown) => this.failed(error));
    return this.work;
  }

  /** To be called some times a second: takes what was recorded, and sends. */
  tick(): void {
    const nowMs = this.world.nowMs();
    try {
      this.recording?.drain();
      if (this.recording !== null && FLUSH_MS <= nowMs - this.flushedMs) {
        this.flushedMs = nowMs;
        this.recording.flush();
      }
    } catch (error) {
      this.stopped(error);
    }
    if (0 < this.taken.length && this.adoptMs <= nowMs) {
      this.adoptMs = nowMs + ADOPT_MS;
      this.work = this.work.then(() => this.adopt()).catch((error: unknown) => this.failed(error));
    }
    if (!this.sending) void this.send();
    this.tellState();
  }

  private async mount(): Promise<void> {
    try {
      this.disk = await this.world.mount();
      this.taken = await this.disk.list();
      await this.adopt();
    } catch {
      this.problem = NO_DISK;
    }
  }

  /** Takes over what nobody has open any more; it may have been sent and deleted meanwhile. */
  private async adopt(): Promise<void> {
    const there = (await this.disk?.list()) ?? [];
    const stems = new Set(this.taken.map(({ stem }) => stem));
    this.taken = [];
    for (const meta of there.filter(({ stem }) => stems.has(stem))) {
      const file = await this.disk?.open(meta.stem);
      if (file === null || file === undefined) this.taken.push(meta);
      else this.keep(meta, file);
    }
  }

  private async take(message: ToStems): Promise<void> {
    switch (message.type) {
      case "begin":
        return await this.begin(message.of);
      case "open":
        return await this.open(message.ring, message.channels);
      case "reading":
        this.recording?.reading(message.reading);
        return;
      case "interrupted":
        return await this.beginRun();
      case "end":
        return await this.end();
      case "over":
        this.over.add(message.take);
        return;
      case "playing":
        this.pace.playing = message.playing;
        return;
      case "uplink":
        this.pace.lost(this.world.nowMs(), message.lostShare);
        return;
    }
  }

  private async begin(of: StemOf): Promise<void> {
    await this.end();
    this.wanted = of;
    if (this.disk !== null) this.problem = null;
  }

  /** How many channels there are is known once the sound hands its input over. */
  private async open(ring: SharedArrayBuffer, channels: number): Promise<void> {
    const { disk, wanted, world } = this;
    if (disk === null || wanted === null) return;
    if (this.recording === null || this.recording.meta.channels !== channels) {
      await this.endRecording();
      const kept = (await this.unfinished(wanted, channels)) ?? (await this.create(disk, wanted, channels));
      this.recording = new Recording(kept.meta, kept.file, await world.module());
      kept.state = "recording";
      kept.text = "";
    }
    await this.beginRun();
    this.recording?.open(ring);
  }

  /** The number of a run is taken before anything of it is written: no two may have the same. */
  private async beginRun(): Promise<void> {
    const { recording } = this;
    if (recording === null) return;
    recording.meta.runs += 1;
    recording.meta.recordedMs = this.world.nowMs();
    await this.disk?.save(recording.meta);
    recording.beginRun();
  }

  /** What an earlier visit recorded of this take, or this one before the sound was opened anew. */
  private async unfinished({ take, name }: StemOf, channels: number): Promise<Kept | undefined> {
    const fits = (meta: StemMeta) =>
      meta.take === take.id && meta.name === name && meta.channels === channels && !meta.ended;
    // A page that was just left lets go of its files a moment later.
    for (let tries = 0; tries < ADOPT_TRIES && this.taken.some(fits); tries += 1) {
      await this.world.sleep(ADOPT_TRY_MS);
      await this.adopt();
    }
    return [...this.kept.values()].find(({ meta }) => fits(meta));
  }

  private async create(disk: Disk, { take, room, name, label }: StemOf, channels: number): Promise<Kept> {
    const { id, key, title } = take;
    const stem = this.world.randomId();
    const about = { take: id, stem, label, name, channels, key, title, room };
    const meta: StemMeta = { ...about, runs: 0, frames: 0, ended: false, recordedMs: this.world.nowMs() };
    await disk.save(meta);
    const file = await disk.open(stem);
    if (file === null) throw new Error("a new file is taken");
    return this.keep(meta, file);
  }

  private keep(meta: StemMeta, file: StemFile): Kept {
    const source = {
      meta,
      size: () => file.size(),
      read: (at: number, bytes: number) => {
        const piece = new Uint8Array(Math.min(bytes, Math.max(0, file.size() - at)));
        return piece.subarray(0, file.read(piece, at));
      },
      checksum: () => this.checksum(file),
    };
    const upload = new Upload(source, this.world.request, this.world.nowMs);
    const kept: Kept = { meta, file, upload, dueMs: 0, state: "sending", text: "" };
    this.kept.set(meta.stem, kept);
    return kept;
  }

  private async end(): Promise<void> {
    this.wanted = null;
    await this.endRecording();
  }

  private async endRecording(): Promise<void> {
    const { recording } = this;
    this.recording = null;
    if (recording === null) return;
    const kept = this.kept.get(recording.meta.stem);
    try {
      recording.end();
    } catch (error) {
      this.stopped(error);
    }
    recording.meta.ended = true;
    recording.meta.recordedMs = this.world.nowMs();
    await this.disk?.save(recording.meta);
    if (kept !== undefined) Object.assign(kept, { state: "sending", text: "", dueMs: 0 });
  }

  /** One piece of the stem whose turn it is, and then the next one by itself. */
  private async send(): Promise<void> {
    const nowMs = this.world.nowMs();
    const due = [...this.kept.values()].filter((kept) => kept.dueMs <= nowMs);
    const next = due.sort((a, b) => a.dueMs - b.dueMs)[0];
    if (next === undefined) return;
    this.sending = true;
    try {
      const step = await next.upload.step(this.pace.pieceBytes(), this.isWhole(next.meta));
      await this.stepped(next, step);
    } finally {
      this.sending = false;
    }
  }

  private async stepped(kept: Kept, step: Step): Promise<void> {
    const nowMs = this.world.nowMs();
    const recorded = this.recording?.meta === kept.meta;
    const state = recorded ? "recording" : "sending";
    switch (step.kind) {
      case "sent": {
        const waitMs = this.pace.sent(nowMs, step.bytes, step.tookMs);
        Object.assign(kept, { dueMs: nowMs + waitMs, state, text: "" });
        return;
      }
      case "idle":
        Object.assign(kept, { dueMs: nowMs + IDLE_MS, state, text: "" });
        return;
      case "later":
        // What is asked again at once is no news.
        if (0 < step.ms) Object.assign(kept, { state: recorded ? state : "waiting", text: step.text });
        kept.dueMs = nowMs + step.ms;
        return;
      case "refused":
        kept.dueMs = nowMs + REFUSED_MS;
        Object.assign(kept, { state: recorded ? state : "refused", text: step.text });
        // The server deletes a take after some weeks; its stems need not stay longer here.
        if (!recorded && KEPT_MS < nowMs - kept.meta.recordedMs) await this.forget(kept);
        return;
      case "done":
        if (!recorded) await this.forget(kept);
        return;
    }
  }

  private async forget(kept: Kept): Promise<void> {
    this.kept.delete(kept.meta.stem);
    kept.file.close();
    await this.disk?.remove(kept.meta.stem);
  }

  private isWhole(meta: StemMeta): boolean {
    if (this.recording?.meta === meta) return false;
    const old = ABANDONED_MS < this.world.nowMs() - meta.recordedMs;
    return meta.ended || this.over.has(meta.take) || old;
  }

  private async checksum(file: StemFile): Promise<string> {
    const module = await this.world.module();
    for (let at = 0; ; ) {
      const bytes = file.read(module.input().subarray(0, INPUT_BYTES), at);
      if (bytes === 0) return module.finishHash();
      module.hash(bytes);
      at += bytes;
    }
  }

  /** The disk took no more: what is there is good, and is sent. */
  private stopped(error: unknown): void {
    const full = error instanceof DOMException && error.name === "QuotaExceededError";
    this.problem = full ? DISK_FULL : `Your recording stopped: ${words(error)}. What is there is sent.`;
    const kept = this.kept.get(this.recording?.meta.stem ?? "");
    this.recording = null;
    this.wanted = null;
    if (kept === undefined) return;
    kept.meta.ended = true;
    Object.assign(kept, { state: "sending", dueMs: 0 });
    void this.disk?.save(kept.meta).catch(() => undefined);
  }

  private failed(error: unknown): void {
    this.stopped(error);
    this.tellState();
  }

  private tellState(): void {
    const stems = [...this.kept.values()].map(({ meta, file, upload, state, text }): LocalStem => {
      const seconds =
        this.recording?.meta === meta ? this.recording.seconds() : meta.frames / FRAMES_PER_SECOND;
      const [bytes, sentBytes] = [file.size(), upload.offset ?? 0];
      return { take: meta.take, title: meta.title, seconds: Math.floor(seconds), bytes, sentBytes, state, text };
    });
    const state = { stems, problem: this.problem };
    const told = JSON.stringify(state);
    if (told === this.told) return;
    this.told = told;
    this.world.tell(state);
  }
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const NO_DISK =
  "This browser lets the page keep no files, so you are not recorded. A private window often does not; a newer Chrome, Edge, Firefox or Safari does.";
const DISK_FULL =
  "There is no space left for your recording, and it stopped. What was recorded until then is sent. Free some space, then begin another take.";

const FRAMES_PER_SECOND = 48_000;
/** What a crash of the computer may cost. */
const FLUSH_MS = 1_000;
/** How soon what was just recorded is sent. */
const IDLE_MS = 250;
const REFUSED_MS = 60_000;
/** How often a file is tried that another page has; and for how long by whoever wants to record into it, which is
    less than what the ring holds. */
const ADOPT_MS = 5_000;
const ADOPT_TRIES = 10;
const ADOPT_TRY_MS = 200;
/** Nobody goes on with it any more. */
const ABANDONED_MS = 15 * 60_000;
/** As long as the server keeps a take. */
const KEPT_MS = 30 * 24 * 3_600_000;
