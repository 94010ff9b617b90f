// Stands in for JamAudio in screenshots: connects to nothing, reports plausible numbers.

import { probe } from "../src/audio/probe";
import type { AudioPort, AudioStats, LinkState, RemoteStats } from "../src/session/audio_seam";
import type { Capabilities, Codec, Source, Stream } from "../src/protocol";

export class JamAudio implements AudioPort {
  readonly engine = probe();
  readonly running = !location.search.includes("held");
  onlink: ((state: LinkState) => void) | null = null;
  onpublication: (() => void) | null = null;
  private streams: Stream[] = [];

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

  setRemote(): void {}

  stats(): AudioStats {
    const remotes: Record<number, RemoteStats> = {};
    for (const { track } of this.streams) {
      const wobble = Math.sin(performance.now() / 300 + track);
      remotes[track] = {
        levelDb: -14 - 3 * (track % 5) + 2 * wobble,
        bufferMs: 2.7 + track,
        delayMs: 11.6 + track,
        received: Math.floor(performance.now()),
        lost: track % 3 === 0 ? Math.floor(performance.now() / 400) : 0,
        late: 0,
        concealedMs: track % 3 === 0 ? performance.now() / 350 : 0,
        driftPpm: 4,
      };
    }
    return {
      inputLevelDb: -17 + 3 * Math.sin(performance.now() / 200),
      uplinkPath: "data-channel",
      downlinkPath: "rtp",
      why: "Sends 2.67 ms frames over a data channel.",
      remotes,
    };
  }

  reportUplink(): void {}

  setInputDevice(): void {}

  async close(): Promise<void> {}
}
