// Plays and captures with our engine: an audio worklet, the link worker, and the rings between
// them. Lives on the page's thread, which may stall for seconds without anybody hearing it; except in
// Firefox, where the page owns the data channel, and packets up wait for it.
//
// An engine that stops is started anew a few times, and given up then: `onfailed` says so once, and
// whoever opened it plays the browser's own way.

import type { ClickSegment, Codec, PlayingMode, Source, Stream, StreamReception, TrackId } from "../protocol";
import {
  type AudioStats,
  type EngineCounts,
  type LinkCounts,
  type Mix,
  NEUTRAL,
  type PlayoutMode,
  type RemoteStats,
  type RoomClockStats,
  type UplinkChoice,
} from "../session/audio_seam";
import type { InputSink } from "../session/stem_seam";
import { outputDelayMs } from "./audio_context";
import { ContextDates } from "./context_dates";
import { EngineInput } from "./engine_input";
import { readStats, type EngineStats } from "./engine_module";
import type {
  FromWorker,
  FromWorklet,
  ToWorker,
  ToWorklet,
  WorkletOptions,
} from "./messages";
import { SILENCE_DB, type Player } from "./player";
import { randomSeed, randomSsrc } from "./random";
import { Reception } from "./reception";
import { localMs } from "./room_clock";
import type { RtcLink } from "./rtc_link";
import { payloadTypes } from "./sdp";
import { ringMemory } from "./slot_ring";
import { inputRing } from "./stems/input_ring";
import { within } from "./within";
import workletUrl from "./worklet.ts?worker&url";
import wasmUrl from "./engine.wasm?url";

/** A third of a second of one stream's packets up; every stream's of a stalled quantum down. */
const UP_SLOTS = 256;
const DOWN_SLOTS = 1024;
/** How long a thread may take to start before the browser's own way is taken instead. */
const START_PATIENCE_MS = 8_000;
/** An engine that stops is started anew this often; one that stops again and again is given up. */
const REVIVALS_MAX = 3;
/** The worklet tells ten times a second; older statistics are of an engine that does not run. */
const STATS_OLD_MS = 1_000;
/** The engine refuses to repeat more. */
const REDUNDANT_FRAMES_MAX = 2;
/** Every context runs at 48 kHz. */
const FRAMES_PER_MS = 48;
/** How often the page tells the worker about a data channel that it must keep. */
const PAGE_CHANNEL_LOOK_MS = 50;

export interface EngineOptions {
  context: AudioContext;
  channels: number;
  bitrate: number;
  /** What is published: the microphone, or a node of the same context. */
  input: MediaStream | AudioNode;
  uplink: UplinkChoice;
}

export class EngineAudio implements Player {
  onpublication: (() => void) | null = null;
  onfailed: ((why: string) => void) | null = null;
  readonly worker: Worker;
  readonly tap: AudioNode;
  private readonly context: AudioContext;
  private readonly workletOptions: WorkletOptions;
  private node: AudioWorkletNode;
  private readonly ssrcs: Record<Codec, number>;
  private link: RtcLink | null = null;
  private readonly input: EngineInput;
  private path: "data-channel" | "rtp" = "data-channel";
  private why = "";
  private wanted: Codec[] = [];
  private toldEncodings = "";
  private redundantFrames = 0;
  private readonly heardLoss = new Reception();
  private revivals = 0;
  private over = false;
  /** Threads that have not said a word yet. */
  private readonly starting = new Set<"worker" | "worklet">(["worker", "worklet"]);
  private onstarted: (() => void) | null = null;
  private streams: Stream[] = [];
  private readonly mixes = new Map<TrackId, Mix>();
  /** The newest of each kind: what an engine that is started anew is told. */
  private readonly kept = new Map<ToWorklet["type"], ToWorklet>();
  private sink: InputSink | null = null;
  private engineStats: EngineStats | null = null;
  private engineStatsAtMs = 0;
  private counts: LinkCounts | null = null;
  private roomClock: RoomClockStats | null = null;
  private readonly dates: ContextDates;
  private pageChannelTimer: ReturnType<typeof setInterval> | null = null;

  /** Starts both threads; throws where one of them does not come up. */
  static async start(options: EngineOptions): Promise<EngineAudio> {
    const { context, channels, bitrate } = options;
    const [wasm] = await Promise.all([
      fetch(wasmUrl).then((response) => response.arrayBuffer()),
      context.audioWorklet.addModule(workletUrl),
    ]);
    const up = ringMemory(UP_SLOTS);
    const down = ringMemory(DOWN_SLOTS);
    const engine = { channels, bitrate, seed: randomSeed() };
    const worker = new Worker(new URL("./link_worker.ts", import.meta.url), { type: "module" });
    const player = new EngineAudio(options, { wasm, up, down, engine }, worker);
    try {
      const started = player.bothStarted();
      tell(worker, { type: "start", up, down, uplink: options.uplink, wasm });
      await within(START_PATIENCE_MS, started);
    } catch (error) {
      await player.close();
      throw error;
    }
    return player;
  }

  private constructor({ context, input }: EngineOptions, worklet: WorkletOptions, worker: Worker) {
    this.context = context;
    this.workletOptions = worklet;
    this.worker = worker;
    this.tap = context.createGain();
    this.tap.connect(context.destination);
    this.ssrcs = { opus: randomSsrc(), "opus-64": randomSsrc(), pcm: randomSsrc() };
    this.input = new EngineInput(context, input, 1 < worklet.engine.channels);
    // Frames from here on have dates of their own.
    this.input.onjump = () => this.sink?.interrupted();
    this.dates = new ContextDates(context, this.input);
    this.node = this.openNode();
    worker.onerror = ({ message }) => this.fail(`the link worker stopped: ${message}`);
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.fromWorker(data);
  }

  attach(link: RtcLink): void {
    this.link = link;
    // The worker may have chosen before there was a link.
    if (this.path === "rtp") void this.sendOverRtp(link, true);
    const channel = link.pageChannel;
    if (channel === null) return;
    channel.binaryType = "arraybuffer";
    const look = () => {
      const open = channel.readyState === "open";
      tell(this.worker, { type: "page-channel", open, bufferedBytes: channel.bufferedAmount });
    };
    this.pageChannelTimer = setInterval(look, PAGE_CHANNEL_LOOK_MS);
    channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) =>
      tell(this.worker, { type: "page-message", message: data, arrivedMs: localMs() });
    channel.onopen = look;
    channel.onclose = look;
  }

  decodes(): Codec[] {
    return ["opus-64", "opus", "pcm"];
  }

  negotiated(answer: string): void {
    const { opus, red } = payloadTypes(answer);
    const microphone = this.link?.microphoneSsrc() ?? null;
    tell(this.worker, { type: "payload-types", opus, red, microphone });
  }

  setLinkUp(up: boolean): void {
    tell(this.worker, { type: "link", up });
  }

  publication(): { channels: number; codecs: Codec[]; sources: Source[] } {
    const { channels } = this.workletOptions.engine;
    const microphone = this.link?.microphoneSsrc() ?? null;
    if (this.path === "rtp" && microphone !== null) {
      return { channels, codecs: ["opus"], sources: [{ codec: "opus", ssrc: microphone }] };
    }
    const codecs: Codec[] = ["opus-64", "opus"];
    return {
      channels,
      codecs,
      sources: codecs.map((codec) => ({ codec, ssrc: this.ssrcs[codec] })),
    };
  }

  setEncodings(codecs: Codec[], redundantFrames: number): void {
    this.wanted = codecs;
    this.redundantFrames = Math.min(redundantFrames, REDUNDANT_FRAMES_MAX);
    this.sendEncodings();
  }

  setStreams(streams: Stream[]): void {
    const before = new Map(this.streams.map((stream) => [stream.ssrc, stream]));
    const after = new Map(streams.map((stream) => [stream.ssrc, stream]));
    // A slot that carries another track starts anew: nothing of the old one may be heard in it.
    const same = (a: Stream, b: Stream | undefined) =>
      b !== undefined && a.track === b.track && a.channels === b.channels;
    for (const old of this.streams) {
      if (!same(old, after.get(old.ssrc))) this.post({ type: "remove-remote", ssrc: old.ssrc });
    }
    this.streams = streams;
    for (const stream of streams) {
      if (!same(stream, before.get(stream.ssrc))) this.add(stream);
    }
  }

  setMuted(muted: boolean): void {
    this.keep({ type: "input-muted", muted });
  }

  setRemote(track: TrackId, mix: Mix): void {
    this.mixes.set(track, mix);
    for (const stream of this.streams) {
      if (stream.track === track) this.mix(stream);
    }
  }

  setDefaultPlayout(mode: PlayoutMode): void {
    this.keep({ type: "default-playout", mode });
  }

  setPlayingMode(mode: PlayingMode): void {
    this.keep({ type: "playing-mode", mode });
  }

  setRoomLeast(ms: number): void {
    this.keep({ type: "room-least", ms });
  }

  setClick(segments: ClickSegment[]): void {
    this.keep({ type: "click", segments });
  }

  setClickGain(gainDb: number | null): void {
    this.keep({ type: "click-gain", gainDb });
  }

  record(sink: InputSink | null): void {
    this.sink = sink;
    const ring = sink === null ? null : inputRing();
    this.keep({ type: "record", ring });
    if (ring !== null) sink?.open(ring, this.workletOptions.engine.channels);
  }

  setInput(stream: MediaStream): void {
    // Another device has another delay.
    this.input.replace(stream);
    this.dates.anotherInput();
  }

  reportUplink(codec: Codec, received: number, lost: number, jitterUs: number): void {
    tell(this.worker, { type: "uplink-report", codec, received, lost, jitterUs });
  }

  stats(): AudioStats {
    const remotes: Record<TrackId, RemoteStats> = {};
    const outputMs = outputDelayMs(this.context);
    const heard = this.freshStats();
    for (const { ssrc, ...remote } of heard?.remotes ?? []) {
      const stream = this.streams.find((each) => each.ssrc === ssrc);
      if (stream === undefined) continue;
      const { addedDelayMs, ...rest } = remote;
      remotes[stream.track] = { ...rest, delayMs: addedDelayMs + outputMs };
    }
    return {
      inputLevelDb: heard?.inputLevelDb ?? SILENCE_DB,
      uplinkPath: this.path,
      why: this.why,
      roomClock: this.roomClock,
      inputMs: this.dates.inputMs(),
      outputMs,
      remotes,
    };
  }

  reception(): StreamReception[] {
    return this.heardLoss.take(this.freshStats()?.remotes ?? []);
  }

  /** What both threads counted; null before the worker has said a word. */
  engineCounts(): EngineCounts | null {
    if (this.counts === null) return null;
    const { refusedPackets = 0, overrunFrames = 0 } = this.engineStats ?? {};
    return { ...this.counts, refusedPackets, overrunFrames, revivals: this.revivals };
  }

  async close(): Promise<void> {
    if (this.pageChannelTimer !== null) clearInterval(this.pageChannelTimer);
    this.over = true;
    this.onpublication = this.onfailed = null;
    this.input.close();
    this.node.disconnect();
    this.tap.disconnect();
    this.post({ type: "close" });
    this.worker.terminate();
  }

  /** Tells the engine what to send, where that changed. */
  private sendEncodings(): void {
    const { sources } = this.publication();
    const possible = sources.filter(({ codec }) => this.wanted.includes(codec));
    // Over RTP there is only `opus`; what signalling wants follows as soon as it is told so.
    const chosen = 0 < possible.length || this.wanted.length === 0 ? possible : sources.slice(-1);
    const encodings = chosen.map((source) => ({
      ...source,
      // A packet of bare opus holds one frame.
      redundantFrames: source.codec === "opus" ? 0 : this.redundantFrames,
    }));
    const told = JSON.stringify(encodings);
    if (told === this.toldEncodings) return;
    this.toldEncodings = told;
    this.post({ type: "encodings", encodings });
  }

  private openNode(): AudioWorkletNode {
    const { channels } = this.workletOptions.engine;
    const node = new AudioWorkletNode(this.context, "jam", {
      numberOfInputs: 1,
      numberOfOutputs: 1,
      outputChannelCount: [2],
      channelCount: channels,
      channelCountMode: "explicit",
      processorOptions: this.workletOptions,
    });
    node.onprocessorerror = () => {
      if (this.starting.has("worklet")) this.fail("the audio worklet stopped");
      else this.revive();
    };
    node.port.onmessage = ({ data }: MessageEvent<FromWorklet>) => this.fromWorklet(data);
    this.input.connect(node);
    node.connect(this.tap);
    return node;
  }

  /** Resolves when both threads run, rejects where one of them does not. */
  private bothStarted(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onstarted = resolve;
      this.onfailed = (why) => reject(new Error(why));
      // A context that waits for a touch renders nothing yet: what fails in it later is told later.
      if (this.context.state !== "running") this.started("worklet");
    });
  }

  private started(thread: "worker" | "worklet"): void {
    this.starting.delete(thread);
    if (this.starting.size === 0) this.onstarted?.();
  }

  /** There is no way on with this engine. */
  private fail(why: string): void {
    if (this.over) return;
    this.over = true;
    this.onfailed?.(why);
  }

  /** A worklet that threw is never called again: a new one takes its place and is told everything. */
  private revive(): void {
    if (this.over) return;
    if (REVIVALS_MAX <= this.revivals) {
      this.fail("it stopped again and again");
      return;
    }
    this.revivals += 1;
    this.node.onprocessorerror = this.node.port.onmessage = null;
    this.post({ type: "close" });
    this.node.disconnect();
    this.workletOptions.engine.seed = randomSeed();
    this.node = this.openNode();
    for (const message of this.kept.values()) this.post(message);
    this.toldEncodings = "";
    this.sendEncodings();
    for (const stream of this.streams) this.add(stream);
  }

  private add(stream: Stream): void {
    this.post({ type: "add-remote", ssrc: stream.ssrc, channels: stream.channels });
    this.mix(stream);
  }

  private mix({ ssrc, track }: Stream): void {
    this.post({ type: "mix", ssrc, ...(this.mixes.get(track) ?? NEUTRAL) });
  }

  private keep(message: ToWorklet): void {
    this.kept.set(message.type, message);
    this.post(message);
  }

  private post(message: ToWorklet): void {
    this.node.port.postMessage(message);
  }

  private fromWorklet(message: FromWorklet): void {
    switch (message.type) {
      case "ready":
        this.started("worklet");
        break;
      case "failed":
        this.fail(message.text);
        break;
      case "refused":
        // An engine that does not take what it is told lets somebody go unheard.
        this.revive();
        break;
      case "stalled":
        this.input.freshen();
        break;
      case "stats":
        this.engineStats = readStats(message.block);
        this.engineStatsAtMs = performance.now();
        if (message.probe !== null) this.input.probe(message.probe);
        break;
    }
  }

  /** Tells the engine where its frames lie on the room's clock, as often as that clock is told. */
  private tellRoomClock(): void {
    const { dates, roomClock } = this;
    if (this.context.state !== "running") return dates.stoodStill();
    if (dates.note()) this.sink?.interrupted();
    if (roomClock === null || !roomClock.settled) return;
    const times = dates.now(roomClock);
    if (times === null) return;
    this.post({ type: "room-clock", ...times });
    if (this.input.settling()) return;
    this.sink?.reading({
      frame: Math.round(times.contextMs * FRAMES_PER_MS),
      roomMs: times.capturedMs,
      precisionMs: roomClock.precisionMs,
      boundMs: roomClock.boundMs,
      steps: roomClock.steps,
    });
  }

  private freshStats(): EngineStats | null {
    return performance.now() - this.engineStatsAtMs < STATS_OLD_MS ? this.engineStats : null;
  }

  private fromWorker(message: FromWorker): void {
    switch (message.type) {
      case "path":
        void this.changePath(message.path, message.why);
        break;
      case "packets":
        this.sendFromPage(message.packets);
        break;
      case "counts":
        this.counts = message.counts;
        break;
      case "room-clock":
        this.roomClock = message.clock;
        this.tellRoomClock();
        break;
      case "failed":
        this.fail(message.text);
        break;
      case "ready":
        this.started("worker");
        break;
    }
  }

  private sendFromPage(packets: ArrayBuffer[]): void {
    const channel = this.link?.pageChannel;
    // It may have closed while the packets were on their way here.
    if (channel?.readyState !== "open") return;
    for (const packet of packets) channel.send(packet);
  }

  private async changePath(path: "data-channel" | "rtp", why: string): Promise<void> {
    const before = this.path;
    this.path = path;
    this.why = why;
    if (this.link !== null) await this.sendOverRtp(this.link, path === "rtp");
    if (before === path) return;
    this.sendEncodings();
    this.onpublication?.();
  }

  private async sendOverRtp(link: RtcLink, active: boolean): Promise<void> {
    try {
      await link.setSending(active);
    } catch (error) {
      this.fail(`the way up could not be changed: ${String(error)}`);
    }
  }
}

function tell(worker: Worker, message: ToWorker): void {
  worker.postMessage(message);
}
