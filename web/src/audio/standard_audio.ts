// Plays and captures the ordinary WebRTC way: the browser's own codec and jitter buffer. For
// browsers without the pieces that our engine stands on, and to compare against.
//
// Surprising: Chromium lets a remote track into the audio graph only while a media element plays it
// too, so each remote has a muted one.

import type { Codec, Source, Stream, StreamReception, TrackId } from "../protocol";
import { type AudioStats, type Mix, NEUTRAL, type RemoteStats } from "../session/audio_seam";
import { outputDelayMs } from "./audio_context";
import { SILENCE_DB, type Player } from "./player";
import type { RtcLink } from "./rtc_link";

const STATS_EVERY_MS = 1000;
/** Frames that a level is taken over: 171 ms, so that ten looks a second miss nothing. */
const LEVEL_FRAMES = 8192;
/** Gain changes take this long to settle, so that they do not click. */
const RAMP_SECONDS = 0.01;

/** What a statistics report says of a track since it began. */
interface Received {
  packetsReceived: number;
  packetsLost: number;
  packetsDiscarded: number;
  concealedSamples: number;
  jitterBufferDelay: number;
  jitterBufferEmittedCount: number;
}

export class StandardAudio implements Player {
  onpublication: (() => void) | null = null;
  /** Never called: what plays here is the browser's own. */
  onfailed: ((why: string) => void) | null = null;
  readonly worker = null;
  readonly tap: GainNode;
  private readonly context: AudioContext;
  private readonly channels: number;
  private readonly why: string;
  private readonly inputLevel: Meter;
  private inputSource: AudioNode;
  private input: MediaStream;
  private link: RtcLink | null = null;
  private streams: Stream[] = [];
  private readonly remotes = new Map<TrackId, RemoteTrack>();
  private readonly mixes = new Map<TrackId, Mix>();
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(context: AudioContext, channels: number, input: MediaStream, why: string) {
    this.context = context;
    this.channels = channels;
    this.why = why;
    this.tap = context.createGain();
    this.tap.connect(context.destination);
    this.inputLevel = new Meter(context);
    this.input = input;
    this.inputSource = context.createMediaStreamSource(input);
    this.inputSource.connect(this.inputLevel.node);
    this.timer = setInterval(() => void this.readStats(), STATS_EVERY_MS);
  }

  attach(link: RtcLink): void {
    this.link = link;
  }

  decodes(): Codec[] {
    return ["opus"];
  }

  negotiated(): void {
    // Slots may have become known that streams were waiting for.
    this.setStreams(this.streams);
  }

  setLinkUp(): void {}

  publication(): { channels: number; codecs: Codec[]; sources: Source[] } {
    const ssrc = this.link?.microphoneSsrc() ?? null;
    const sources: Source[] = ssrc === null ? [] : [{ codec: "opus", ssrc }];
    return { channels: this.channels, codecs: ["opus"], sources };
  }

  setEncodings(): void {}

  setStreams(streams: Stream[]): void {
    this.streams = streams;
    const wanted = new Map<TrackId, MediaStreamTrack>();
    for (const { track, mid } of streams) {
      const media = mid === undefined ? null : (this.link?.slotTrack(mid) ?? null);
      if (media !== null) wanted.set(track, media);
    }
    for (const [track, remote] of this.remotes) {
      if (wanted.get(track) === remote.media) continue;
      remote.close();
      this.remotes.delete(track);
    }
    for (const [track, media] of wanted) {
      if (!this.remotes.has(track))
        this.remotes.set(track, new RemoteTrack(this.context, media, this.tap));
    }
    this.applyMixes();
  }

  setMuted(muted: boolean): void {
    for (const track of this.input.getAudioTracks()) track.enabled = !muted;
  }

  setRemote(track: TrackId, mix: Mix): void {
    this.mixes.set(track, mix);
    this.applyMixes();
  }

  setInput(stream: MediaStream): void {
    const enabled = this.input.getAudioTracks().every((track) => track.enabled);
    this.input = stream;
    this.setMuted(!enabled);
    this.inputSource.disconnect();
    this.inputSource = this.context.createMediaStreamSource(stream);
    this.inputSource.connect(this.inputLevel.node);
  }

  /** The browser's own jitter buffer steers itself. */
  setDefaultPlayout(): void {}

  /** Knows no room's time: its delays are the browser's, and it plays no click. */
  setPlayingMode(): void {}

  setRoomLeast(): void {}

  setClick(): void {}

  setClickGain(): void {}

  record(): void {}

  reportUplink(): void {}

  /** The browser tells by RTCP, and takes no repeated frames. */
  reception(): StreamReception[] {
    return [];
  }

  stats(): AudioStats {
    const remotes: Record<TrackId, RemoteStats> = {};
    const outputMs = outputDelayMs(this.context);
    for (const [track, remote] of this.remotes) remotes[track] = remote.stats(outputMs);
    return {
      inputLevelDb: this.inputLevel.levelDb(),
      uplinkPath: "track",
      roomClock: null,
      inputMs: 0,
      outputMs,
      why: this.why,
      remotes,
    };
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    for (const remote of this.remotes.values()) remote.close();
    this.remotes.clear();
    this.inputSource.disconnect();
    this.tap.disconnect();
  }

  private applyMixes(): void {
    const mixOf = (track: TrackId) => this.mixes.get(track) ?? NEUTRAL;
    const anySolo = [...this.remotes.keys()].some((track) => mixOf(track).solo);
    for (const [track, remote] of this.remotes) {
      const mix = mixOf(track);
      remote.apply(mix, !mix.muted && (mix.solo || !anySolo));
    }
  }

  private async readStats(): Promise<void> {
    const slots = await this.link?.statsOfSlots();
    for (const { track, mid } of this.streams) {
      const report = mid === undefined ? undefined : slots?.get(mid);
      if (report !== undefined)
        this.remotes.get(track)?.read(report as unknown as Partial<Received>);
    }
  }
}

/** One remote track on its way through the mix. */
class RemoteTrack {
  readonly media: MediaStreamTrack;
  private readonly element: HTMLAudioElement;
  private readonly source: AudioNode;
  private readonly gain: GainNode;
  private readonly pan: StereoPannerNode;
  private readonly meter: Meter;
  private before: Received = NOTHING;
  private now: Received = NOTHING;

  constructor(context: AudioContext, media: MediaStreamTrack, output: AudioNode) {
    this.media = media;
    const stream = new MediaStream([media]);
    this.element = new Audio();
    this.element.srcObject = stream;
    this.element.muted = true;
    // Refused before the first touch; the graph is as silent then, and both start together.
    this.element.play().catch(() => undefined);
    this.source = context.createMediaStreamSource(stream);
    this.meter = new Meter(context);
    this.gain = context.createGain();
    this.pan = context.createStereoPanner();
    this.source.connect(this.meter.node).connect(this.gain).connect(this.pan).connect(output);
  }

  apply(mix: Mix, audible: boolean): void {
    const at = this.gain.context.currentTime;
    const factor = audible ? 10 ** (mix.gainDb / 20) : 0;
    this.gain.gain.setTargetAtTime(factor, at, RAMP_SECONDS);
    this.pan.pan.setTargetAtTime(mix.pan, at, RAMP_SECONDS);
  }

  read(report: Partial<Received>): void {
    this.before = this.now;
    this.now = { ...NOTHING, ...report };
  }

  stats(outputMs: number): RemoteStats {
    const emitted = this.now.jitterBufferEmittedCount - this.before.jitterBufferEmittedCount;
    const waitedSeconds = this.now.jitterBufferDelay - this.before.jitterBufferDelay;
    const bufferMs = emitted <= 0 ? 0 : (waitedSeconds / emitted) * 1000;
    return {
      levelDb: this.meter.levelDb(),
      bufferMs,
      delayMs: bufferMs + outputMs,
      received: this.now.packetsReceived,
      lost: this.now.packetsLost,
      late: this.now.packetsDiscarded,
      concealedMs: this.now.concealedSamples / 48,
      leftOut: false,
      mouthToEarMs: null,
      paddingMs: 0,
      wantedMs: null,
      playout: null,
    };
  }

  close(): void {
    this.element.srcObject = null;
    for (const node of [this.source, this.meter.node, this.gain, this.pan]) node.disconnect();
  }
}

/** The level of what passes through a node. */
class Meter {
  readonly node: AnalyserNode;
  private readonly samples = new Float32Array(LEVEL_FRAMES);

  constructor(context: AudioContext) {
    this.node = context.createAnalyser();
    this.node.fftSize = LEVEL_FRAMES;
  }

  levelDb(): number {
    this.node.getFloatTimeDomainData(this.samples);
    const peak = this.samples.reduce((high, sample) => Math.max(high, Math.abs(sample)), 0);
    return peak < 1e-5 ? SILENCE_DB : 20 * Math.log10(peak);
  }
}

const NOTHING: Received = {
  packetsReceived: 0,
  packetsLost: 0,
  packetsDiscarded: 0,
  concealedSamples: 0,
  jitterBufferDelay: 0,
  jitterBufferEmittedCount: 0,
};
