// Plays and captures with our engine: an audio worklet, the link worker, and the rings between
// them. Lives on the page's thread, which may stall for seconds without anybody hearing it.

import type { Codec, Source, Stream, TrackId } from "../protocol";
import type { Mix, RemoteStats } from "../session/audio_seam";
import { outputDelayMs } from "./audio_context";
import { readStats, type EngineStats } from "./engine_module";
import type {
  FromWorker,
  FromWorklet,
  LinkCounts,
  ToWorker,
  ToWorklet,
  UplinkChoice,
  WorkletOptions,
} from "./messages";
import { SILENCE_DB, UNCHANGED, type Player, type PlayerStats } from "./player";
import { Redundancy } from "./redundancy";
import type { RtcLink } from "./rtc_link";
import { payloadTypes } from "./sdp";
import { ringMemory } from "./slot_ring";
import workletUrl from "./worklet.ts?worker&url";
import wasmUrl from "./engine.wasm?url";

/** A third of a second of one stream's packets up; every stream's of a stalled quantum down. */
const UP_SLOTS = 256;
const DOWN_SLOTS = 1024;
/** How long a thread may take to start before the browser's own way is taken instead. */
const START_PATIENCE_MS = 8_000;
/** An engine that stops is started anew this often; one that stops again and again stays silent. */
const REVIVALS_MAX = 3;
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
  readonly worker: Worker;
  readonly tap: AudioNode;
  private readonly context: AudioContext;
  private readonly workletOptions: WorkletOptions;
  private node: AudioWorkletNode;
  private readonly ssrcs: Record<Codec, number>;
  private link: RtcLink | null = null;
  private source: AudioNode;
  private path: "data-channel" | "rtp" = "data-channel";
  private why = "";
  private wanted: Codec[] = [];
  private toldEncodings = "";
  private readonly redundancy = new Redundancy();
  private muted = false;
  private revivals = 0;
  private closed = false;
  private streams: Stream[] = [];
  private readonly mixes = new Map<TrackId, Mix>();
  private engineStats: EngineStats | null = null;
  private counts: LinkCounts | null = null;
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
      const workerReady = player.workerReady();
      tell(worker, { type: "start", up, down, uplink: options.uplink });
      await within(START_PATIENCE_MS, Promise.all([workerReady, player.workletReady()]));
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
    this.source = sourceNode(context, input);
    this.node = this.openNode();
  }

  attach(link: RtcLink): void {
    this.link = link;
    const channel = link.pageChannel;
    if (channel === null) return;
    channel.binaryType = "arraybuffer";
    const look = () => {
      const open = channel.readyState === "open";
      tell(this.worker, { type: "page-channel", open, bufferedBytes: channel.bufferedAmount });
    };
    this.pageChannelTimer = setInterval(look, PAGE_CHANNEL_LOOK_MS);
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

  setEncodings(codecs: Codec[]): void {
    this.wanted = codecs;
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
    this.muted = muted;
    this.post({ type: "input-muted", muted });
  }

  setRemote(track: TrackId, mix: Mix): void {
    this.mixes.set(track, mix);
    for (const stream of this.streams) {
      if (stream.track === track) this.mix(stream);
    }
  }

  setInput(stream: MediaStream): void {
    const next = sourceNode(this.context, stream);
    next.connect(this.node);
    this.source.disconnect(this.node);
    this.source = next;
  }

  reportUplink(received: number, lost: number, jitterUs: number): void {
    if (this.redundancy.observe(performance.now(), received, lost)) this.sendEncodings();
    tell(this.worker, { type: "uplink-report", received, lost, jitterUs });
  }

  stats(): PlayerStats {
    const remotes: Record<TrackId, RemoteStats> = {};
    const outputMs = outputDelayMs(this.context);
    for (const { ssrc, ...heard } of this.engineStats?.remotes ?? []) {
      const stream = this.streams.find((each) => each.ssrc === ssrc);
      if (stream === undefined) continue;
      const { playoutDelayMs, ...rest } = heard;
      remotes[stream.track] = { ...rest, delayMs: playoutDelayMs + outputMs };
    }
    return {
      inputLevelDb: this.engineStats?.inputLevelDb ?? SILENCE_DB,
      uplinkPath: this.path,
      downlinkPath: "engine",
      why: this.why,
      remotes,
    };
  }

  /** What the link worker counted; for tests and the curious. */
  linkCounts(): LinkCounts | null {
    return this.counts;
  }

  async close(): Promise<void> {
    if (this.pageChannelTimer !== null) clearInterval(this.pageChannelTimer);
    this.closed = true;
    this.onpublication = null;
    this.source.disconnect();
    this.node.disconnect();
    this.tap.disconnect();
    this.post({ type: "close" });
    this.worker.terminate();
  }

  /** Tells the engine what to send, where that changed: every change starts its encoders anew. */
  private sendEncodings(): void {
    const { sources } = this.publication();
    const possible = sources.filter(({ codec }) => this.wanted.includes(codec));
    // Over RTP there is only `opus`; what signalling wants follows as soon as it is told so.
    const chosen = 0 < possible.length || this.wanted.length === 0 ? possible : sources.slice(-1);
    const redundantFrames = this.redundancy.frames;
    const encodings = chosen.map((source) => ({ ...source, redundantFrames }));
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
    this.source.connect(node);
    node.connect(this.tap);
    return node;
  }

  /** A worklet that threw is never called again: a new one takes its place and is told everything. */
  private revive(): void {
    if (this.closed || REVIVALS_MAX <= this.revivals) return;
    this.revivals += 1;
    this.node.disconnect();
    this.source.disconnect(this.node);
    this.workletOptions.engine.seed = randomSeed();
    this.node = this.openNode();
    void this.workletReady().catch(() => this.revive());
    this.setMuted(this.muted);
    this.toldEncodings = "";
    this.sendEncodings();
    for (const stream of this.streams) this.add(stream);
  }

  private add(stream: Stream): void {
    this.post({ type: "add-remote", ssrc: stream.ssrc, channels: stream.channels });
    this.mix(stream);
  }

  private mix({ ssrc, track }: Stream): void {
    this.post({ type: "mix", ssrc, ...(this.mixes.get(track) ?? UNCHANGED) });
  }

  private post(message: ToWorklet): void {
    this.node.port.postMessage(message);
  }

  private workletReady(): Promise<void> {
    return new Promise((resolve, reject) => {
      let running = false;
      this.node.onprocessorerror = () => {
        if (running) this.revive();
        reject(new Error("the audio worklet stopped"));
      };
      this.node.port.onmessage = ({ data }: MessageEvent<FromWorklet>) => {
        running = true;
        if (data.type === "ready") resolve();
        else if (data.type === "failed") reject(new Error(data.text));
        else this.engineStats = readStats(data.block);
      };
      // A context that waits for a touch renders nothing yet; the engine in it is sound all the same.
      if (this.context.state !== "running") resolve();
    });
  }

  private workerReady(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.worker.onerror = (event) =>
        reject(new Error(`the link worker stopped: ${event.message}`));
      this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if (data.type === "ready") resolve();
        else this.fromWorker(data);
      };
    });
  }

  private fromWorker(message: FromWorker): void {
    switch (message.type) {
      case "path":
        void this.changePath(message.path, message.why);
        break;
      case "packets":
        for (const packet of message.packets) this.link?.pageChannel?.send(packet);
        break;
      case "counts":
        this.counts = message.counts;
        break;
      case "ready":
        break;
    }
  }

  private async changePath(path: "data-channel" | "rtp", why: string): Promise<void> {
    const before = this.path;
    this.path = path;
    this.why = why;
    await this.link?.setSending(path === "rtp");
    if (before === path) return;
    this.sendEncodings();
    this.onpublication?.();
  }
}

function sourceNode(context: AudioContext, input: MediaStream | AudioNode): AudioNode {
  return input instanceof MediaStream ? context.createMediaStreamSource(input) : input;
}

function tell(worker: Worker, message: ToWorker): void {
  worker.postMessage(message);
}

function randomSeed(): [number, number] {
  return [randomWord(), randomWord()];
}

function randomWord(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

/** SSRCs are chosen at random (RFC 3550 §8.1); 0 would read as none. */
function randomSsrc(): number {
  return randomWord() || 1;
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the audio threads did not start in time")), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
