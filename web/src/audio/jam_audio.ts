// A room visit's sound: the microphone, the link to the server, and what plays. The only class that
// the session knows of this folder.
//
// It decides once, when it opens, which of the two players it has: our engine, or, where a piece is
// missing or does not start, the browser's own. Everything else is handed on.

import type {
  Capabilities,
  ClickSegment,
  Codec,
  PlayingMode,
  Source,
  Stream,
  StreamReception,
  TrackId,
} from "../protocol";
import {
  ASKED_FOR,
  type AudioOptions,
  type AudioPort,
  type AudioStats,
  type EngineChoice,
  type EngineCounts,
  type LinkState,
  type Mix,
  type PlayoutMode,
} from "../session/audio_seam";
import type { InputSink } from "../session/stem_seam";
import { keepRunning, openContext, tryResume } from "./audio_context";
import { EngineAudio } from "./engine_audio";
import { openMicrophone, stopTracks } from "./microphone";
import type { Player } from "./player";
import { probe, unusable } from "./probe";
import { RtcLink } from "./rtc_link";
import { StandardAudio } from "./standard_audio";

/** Bits per second of each encoding: where 64-sample frames of one channel stop being audible. */
const BITRATE_PER_CHANNEL = 128_000;

export interface JamAudioOptions extends AudioOptions {
  /** Channels to publish; 1 unless asked for. */
  channels?: 1 | 2;
  /** Published instead of a microphone: a node of `context`. For measurements in one context. */
  source?: AudioNode;
  /** A context to play in; whoever opens the sound with it closes it. */
  context?: AudioContext;
}

export class JamAudio implements AudioPort {
  onlink: ((state: LinkState) => void) | null = null;
  onpublication: (() => void) | null = null;
  onfailed: ((why: string) => void) | null = null;
  oninputended: ((replaced: boolean) => void) | null = null;
  readonly engine: EngineChoice;
  private readonly channels: number;
  private readonly context: AudioContext;
  private readonly ownContext: boolean;
  private readonly stopResuming: () => void;
  private readonly player: Player;
  private readonly link: RtcLink;
  private microphone: MediaStream;
  /** How often an input was chosen: an earlier choice that opens late is not taken. */
  private choices = 0;
  private closed = false;

  static async open(options: JamAudioOptions): Promise<JamAudio> {
    const problem = unusable();
    if (problem !== null) throw new Error(problem);
    const channels = options.channels ?? 1;
    const context = options.context ?? openContext();
    const stopResuming = keepRunning(context);
    let microphone: MediaStream | null = null;
    try {
      microphone = await openInput(options, context, channels);
      // A page that may record may play, without waiting for a gesture.
      tryResume(context);
      const [engine, player] = await choosePlayer(options, context, channels, microphone);
      return new JamAudio(engine, player, context, microphone, channels, stopResuming, options);
    } catch (error) {
      if (microphone !== null) stopTracks(microphone);
      stopResuming();
      if (options.context === undefined) await context.close();
      throw error;
    }
  }

  private constructor(
    engine: EngineChoice,
    player: Player,
    context: AudioContext,
    microphone: MediaStream,
    channels: number,
    stopResuming: () => void,
    options: JamAudioOptions,
  ) {
    this.engine = engine;
    this.player = player;
    this.context = context;
    this.ownContext = options.context === undefined;
    this.microphone = microphone;
    this.channels = channels;
    this.stopResuming = stopResuming;
    this.link = new RtcLink({ microphone: audioTrack(microphone), worker: player.worker });
    this.link.onstate = (state) => {
      player.setLinkUp(state === "up");
      this.onlink?.(state);
    };
    player.onpublication = () => this.onpublication?.();
    player.onfailed = (why) => this.onfailed?.(why);
    player.attach(this.link);
    this.watchInput();
  }

  get running(): boolean {
    return this.context.state === "running";
  }

  capabilities(): Capabilities {
    const engine = this.engine.mode === "engine" ? "browser" : "standard";
    return { engine, decodes: this.player.decodes() };
  }

  async offer(iceRestart: boolean): Promise<string> {
    return await this.link.offer(iceRestart);
  }

  async accept(answer: string): Promise<void> {
    await this.link.accept(answer);
    this.player.negotiated(answer);
  }

  ensureSlots(slots: number): boolean {
    return this.link.ensureSlots(slots);
  }

  publication(): { channels: number; codecs: Codec[]; sources: Source[] } {
    return this.player.publication();
  }

  setEncodings(codecs: Codec[], redundantFrames: number): void {
    this.player.setEncodings(codecs, redundantFrames);
  }

  setStreams(streams: Stream[]): void {
    this.player.setStreams(streams);
  }

  setMuted(muted: boolean): void {
    this.player.setMuted(muted);
  }

  setRemote(track: TrackId, mix: Mix): void {
    this.player.setRemote(track, mix);
  }

  setDefaultPlayout(mode: PlayoutMode): void {
    this.player.setDefaultPlayout(mode);
  }

  setPlayingMode(mode: PlayingMode): void {
    this.player.setPlayingMode(mode);
  }

  setRoomLeast(ms: number): void {
    this.player.setRoomLeast(ms);
  }

  setClick(segments: ClickSegment[]): void {
    this.player.setClick(segments);
  }

  setClickGain(gainDb: number | null): void {
    this.player.setClickGain(gainDb);
  }

  record(sink: InputSink | null): void {
    this.player.record(sink);
  }

  stats(): AudioStats {
    return this.player.stats();
  }

  /** Takes the server's once-a-second report on one of our encodings; it may move the way up. */
  reception(): StreamReception[] {
    return this.player.reception();
  }

  reportUplink(codec: Codec, received: number, lost: number, jitterUs: number): void {
    this.player.reportUplink(codec, received, lost, jitterUs);
  }

  /** Swaps the input while everything plays on; "" is the system's default. */
  async setInputDevice(deviceId: string): Promise<boolean> {
    this.choices += 1;
    const choice = this.choices;
    const overtaken = () => this.closed || choice !== this.choices;
    let stream: MediaStream;
    try {
      stream = await openMicrophone(this.channels, deviceId);
    } catch (error) {
      if (overtaken()) return false;
      throw error;
    }
    if (overtaken()) {
      stopTracks(stream);
      return false;
    }
    const old = this.microphone;
    this.microphone = stream;
    this.player.setInput(stream);
    stopTracks(old);
    this.watchInput();
    await this.link.replaceMicrophone(audioTrack(stream));
    return true;
  }

  /** Everything that is played, as a node of the sound's own context: to be recorded or measured. */
  debugTap(): AudioNode {
    return this.player.tap;
  }

  engineCounts(): EngineCounts | null {
    return this.player instanceof EngineAudio ? this.player.engineCounts() : null;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.onlink = this.onfailed = this.oninputended = null;
    this.link.close();
    await this.player.close();
    stopTracks(this.microphone);
    this.stopResuming();
    if (this.ownContext && this.context.state !== "closed") await this.context.close();
  }

  /** An input that is unplugged is replaced by whatever the system offers instead. */
  private watchInput(): void {
    const track = audioTrack(this.microphone);
    track.onended = async () => {
      if (this.closed || track !== audioTrack(this.microphone)) return;
      try {
        if (await this.setInputDevice("")) this.oninputended?.(true);
      } catch {
        this.oninputended?.(false);
      }
    };
  }
}

async function openInput(
  { deviceId, stream, source, silent = false }: JamAudioOptions,
  context: AudioContext,
  channels: number,
): Promise<MediaStream> {
  if (stream !== undefined) return stream;
  if (source === undefined && !silent) return await openMicrophone(channels, deviceId);
  const destination = new MediaStreamAudioDestinationNode(context, { channelCount: channels });
  source?.connect(destination);
  return destination.stream;
}

async function choosePlayer(
  { force, failure, source, uplink = "auto" }: JamAudioOptions,
  context: AudioContext,
  channels: number,
  microphone: MediaStream,
): Promise<[EngineChoice, Player]> {
  const { mode, missing } = probe();
  let failed = failure ?? null;
  if (force !== "standard" && failed === null && mode === "engine") {
    try {
      const bitrate = BITRATE_PER_CHANNEL * channels;
      const input = source ?? microphone;
      const player = await EngineAudio.start({ context, channels, bitrate, input, uplink });
      return [{ mode, missing, failure: null }, player];
    } catch (error) {
      failed = `it did not start: ${error instanceof Error ? error.message : error}`;
    }
  }
  const why = force === "standard" ? ASKED_FOR : [...missing, failed ?? []].flat().join("; ");
  if (force === "engine") throw new Error(why);
  const standard = new StandardAudio(context, channels, microphone, why);
  return [{ mode: "standard", missing, failure: failed }, standard];
}

function audioTrack(stream: MediaStream): MediaStreamTrack {
  const track = stream.getAudioTracks()[0];
  if (track === undefined) throw new Error("The input has no audio.");
  return track;
}
