// A room visit's sound: the microphone, the link to the server, and what plays. The only class that
// the session knows of this folder.
//
// It decides once, when it opens, which of the two players it has: our engine, or, where a piece is
// missing or does not start, the browser's own. Everything else is handed on.

import type { Capabilities, Codec, Source, Stream, TrackId } from "../protocol";
import type {
  AudioOptions,
  AudioPort,
  AudioStats,
  EngineChoice,
  LinkState,
  Mix,
} from "../session/audio_seam";
import { keepRunning, openContext, tryResume } from "./audio_context";
import { EngineAudio } from "./engine_audio";
import type { LinkCounts, UplinkChoice } from "./messages";
import { openMicrophone, stopTracks } from "./microphone";
import type { Player } from "./player";
import { probe, unusable } from "./probe";
import { RtcLink } from "./rtc_link";
import { StandardAudio } from "./standard_audio";

export { probe } from "./probe";

/** Bits per second of each encoding: where 64-sample frames of one channel stop being audible. */
const BITRATE_PER_CHANNEL = 128_000;

export interface JamAudioOptions extends AudioOptions {
  /** Channels to publish; 1 unless asked for. */
  channels?: 1 | 2;
  /** Published instead of a microphone: a node of `context`. For measurements in one context. */
  source?: AudioNode;
  /** The way up of our engine; chosen by what the network does unless asked for. */
  uplink?: UplinkChoice;
  /** A context to play in; whoever opens the sound with it closes it. */
  context?: AudioContext;
}

export class JamAudio implements AudioPort {
  onlink: ((state: LinkState) => void) | null = null;
  onpublication: (() => void) | null = null;
  readonly engine: EngineChoice;
  private readonly channels: number;
  private readonly context: AudioContext;
  private readonly ownContext: boolean;
  private readonly stopResuming: () => void;
  private readonly player: Player;
  private readonly link: RtcLink;
  private microphone: MediaStream;
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

  setEncodings(codecs: Codec[]): void {
    this.player.setEncodings(codecs);
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

  stats(): AudioStats {
    return this.player.stats();
  }

  /** Takes the server's once-a-second report on our own packets; it may move the way up. */
  reportUplink(received: number, lost: number, jitterUs: number): void {
    this.player.reportUplink(received, lost, jitterUs);
  }

  /** Swaps the input while everything plays on; "" is the system's default. */
  async setInputDevice(deviceId: string): Promise<void> {
    const stream = await openMicrophone(this.channels, deviceId);
    if (this.closed) return stopTracks(stream);
    const old = this.microphone;
    this.microphone = stream;
    this.player.setInput(stream);
    await this.link.replaceMicrophone(audioTrack(stream));
    stopTracks(old);
    this.watchInput();
  }

  /** Everything that is played, as a node of the sound's own context: to be recorded or measured. */
  debugTap(): AudioNode {
    return this.player.tap;
  }

  /** What the link worker counted; null without our engine. */
  linkCounts(): LinkCounts | null {
    return this.player instanceof EngineAudio ? this.player.linkCounts() : null;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.onlink = null;
    this.link.close();
    await this.player.close();
    stopTracks(this.microphone);
    this.stopResuming();
    if (this.ownContext && this.context.state !== "closed") await this.context.close();
  }

  /** An input that is unplugged is replaced by whatever the system offers instead. */
  private watchInput(): void {
    const track = audioTrack(this.microphone);
    track.onended = () => {
      if (!this.closed) this.setInputDevice("").catch(() => undefined);
    };
  }
}

async function openInput(
  { deviceId, stream, source }: JamAudioOptions,
  context: AudioContext,
  channels: number,
): Promise<MediaStream> {
  if (stream !== undefined) return stream;
  if (source === undefined) return await openMicrophone(channels, deviceId);
  const destination = new MediaStreamAudioDestinationNode(context, { channelCount: channels });
  source.connect(destination);
  return destination.stream;
}

async function choosePlayer(
  { force, source, uplink = "auto" }: JamAudioOptions,
  context: AudioContext,
  channels: number,
  microphone: MediaStream,
): Promise<[EngineChoice, Player]> {
  const choice = probe();
  if (force !== "standard" && choice.mode === "engine") {
    try {
      const bitrate = BITRATE_PER_CHANNEL * channels;
      const input = source ?? microphone;
      return [choice, await EngineAudio.start({ context, channels, bitrate, input, uplink })];
    } catch (error) {
      choice.missing = [
        `our engine did not start: ${error instanceof Error ? error.message : error}`,
      ];
    }
  }
  if (force === "engine") throw new Error(choice.missing.join("; "));
  const why = force === "standard" ? "asked for" : choice.missing.join("; ");
  const standard = new StandardAudio(context, channels, microphone, why);
  return [{ mode: "standard", missing: choice.missing }, standard];
}

function audioTrack(stream: MediaStream): MediaStreamTrack {
  const track = stream.getAudioTracks()[0];
  if (track === undefined) throw new Error("The input has no audio.");
  return track;
}
