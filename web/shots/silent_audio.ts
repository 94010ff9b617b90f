// Stands in for JamAudio in screenshots: connects to nothing, reports plausible numbers.

import { probe } from "../src/audio/probe";
import { inputRing } from "../src/audio/stems/input_ring";
import type { AudioPort, AudioStats, EngineChoice, LinkState, Mix, PlayoutMode, RemoteStats } from "../src/session/audio_seam";
import type { InputSink } from "../src/session/stem_seam";
import type { Capabilities, Codec, Source, Stream } from "../src/protocol";

export class JamAudio implements AudioPort {
  readonly engine: EngineChoice = location.search.includes("standard")
    ? { mode: "standard", missing: ["no AudioWorklet"], failure: null }
    : probe();
  readonly running = !location.search.includes("held");
  onlink: ((state: LinkState) => void) | null = null;
  onpublication: (() => void) | null = null;
  oninputended: ((replaced: boolean) => void) | null = null;
  onfailed: ((why: string) => void) | null = null;
  private streams: Stream[] = [];
  private everybody: PlayoutMode = "automatic";
  private readonly playouts = new Map<number, PlayoutMode>();

  static async open(): Promise<JamAudio> {
    return new JamAudio();
  }

  capabilities(): Capabilities {
    return { engine: "browser", decodes: ["opus-64", "opus", "pcm"] };
  }

  async offer(): Promise<string> {
    return "v=0\r\n";
  }

  async accept(): Promise<void> {
    this.onlink?.("up");
  }

  ensureSlots(): boolean {
    return false;
  }

  publication(): { channels: number; codecs: Codec[]; sources: Source[] } {
    return { channels: 1, codecs: ["opus-64", "opus"], sources: [{ codec: "opus-64", ssrc: 1 }] };
  }

  setEncodings(): void {}

  setStreams(streams: Stream[]): void {
    this.streams = streams;
  }

  setMuted(): void {}

  setRemote(track: number, { playout }: Mix): void {
    if (playout === null) this.playouts.delete(track);
    else this.playouts.set(track, playout);
  }

  setDefaultPlayout(mode: PlayoutMode): void {
    this.everybody = mode;
  }

  record(sink: InputSink | null): void {
    sink?.open(inputRing(), 1);
  }

  setPlayingMode(): void {}

  setRoomLeast(): void {}

  setClick(): void {}

  setClickGain(): void {}

  reception(): [] {
    return [];
  }

  stats(): AudioStats {
    const remotes: Record<number, RemoteStats> = {};
    for (const { track } of this.streams) {
      const wobble = Math.sin(performance.now() / 300 + track);
      remotes[track] = {
        levelDb: -14 - 3 * (track % 5) + 2 * wobble,
        bufferMs: 2.7 + track,
        delayMs: 11.6 + track,
        mouthToEarMs: 24.1 + track,
        paddingMs: 0,
        wantedMs: null,
        received: Math.floor(performance.now()),
        lost: track % 3 === 0 ? Math.floor(performance.now() / 400) : 0,
        late: 0,
        concealedMs: track % 3 === 0 ? performance.now() / 350 : 0,
        leftOut: new URLSearchParams(location.search).has("slow") && track % 3 === 2,
        playout: {
          mode: this.playouts.get(track) ?? this.everybody,
          delayMs: 2.4 + track + 0.2 * wobble,
          targetMs: 2.7 + track,
          networkMs: 0.8 + track / 2,
          callbackMs: 1.3,
          driftMs: 0.3,
          redundancyMs: 0.3 + track / 2,
          concealedMsPerMinute: track % 3 === 0 ? 171.4 : 0,
          recovered: 12 * track,
          driftPpm: track === 4 ? null : 12.3 - track,
          ratePpm: -track,
        },
      };
    }
    return {
      inputLevelDb: -17 + 3 * Math.sin(performance.now() / 200),
      uplinkPath: "data-channel",
      why: "Sends 2.67 ms frames over a data channel.",
      roomClock: this.engine.mode === "standard" ? null : {
        localMs: 0,
        aheadMs: 0,
        rate: 0,
        settled: true,
        boundMs: 4.2,
        precisionMs: 0.1,
        ratePpm: 0,
        steps: 0,
        exchanges: 300,
        roundTripMs: 8.4,
        jitterMs: 0.7,
      },
      inputMs: 10,
      outputMs: 8,
      remotes,
    };
  }

  reportUplink(): void {}

  engineCounts(): null {
    return null;
  }

  async setInputDevice(): Promise<boolean> {
    return true;
  }

  async close(): Promise<void> {}
}
