// A session in the middle of a made-up world, for tests: a server that says what the test makes it
// say, and a sound that notes what it was asked for.

import { signal } from "@preact/signals";
import { vi } from "vitest";

import type {
  Capabilities,
  ClickSegment,
  ClientEnvelope,
  Codec,
  PlayingMode,
  ServerEnvelope,
  ServerMessage,
  Source,
  Stream,
  StreamReception,
  Track,
  TrackId,
} from "../protocol";
import type { AudioPort, AudioStats, EngineChoice, LinkState, Mix, PlayoutMode, RemoteStats } from "./audio_seam";
import { Session } from "./session";
import type { SocketLike } from "./signalling";
import type { Surroundings } from "./visit";
import { type InputSink, NO_STEMS, type StemOf, type StemPort, type StemsState } from "./stem_seam";

/** Sound that is never made: notes what it was asked for. */
class FakeAudio implements AudioPort {
  readonly engine: EngineChoice;
  running = true;
  onlink: ((state: LinkState) => void) | null = null;
  onpublication: (() => void) | null = null;
  onfailed: ((why: string) => void) | null = null;
  oninputended: ((replaced: boolean) => void) | null = null;
  readonly calls: string[] = [];
  slotsNeedAnOffer = false;
  /** What an offer waits for. */
  held: Promise<void> | null = null;

  constructor(readonly deviceId: string, failure: string | null) {
    this.engine = { mode: failure === null ? "engine" : "standard", missing: [], failure };
  }

  capabilities(): Capabilities {
    if (this.engine.mode === "standard") return { engine: "standard", decodes: ["opus"] };
    return { engine: "browser", decodes: ["opus-64", "opus", "pcm"] };
  }
  async offer(iceRestart: boolean): Promise<string> {
    this.calls.push(iceRestart ? "offer with ICE restart" : "offer");
    await this.held;
    return "offer";
  }
  async accept(answer: string): Promise<void> {
    this.calls.push(`accept ${answer}`);
  }
  ensureSlots(slots: number): boolean {
    this.calls.push(`slots ${slots}`);
    return this.slotsNeedAnOffer;
  }
  publication(): { channels: number; codecs: Codec[]; sources: Source[] } {
    return { channels: 1, codecs: ["opus-64", "opus"], sources: [{ codec: "opus-64", ssrc: 1 }] };
  }
  setEncodings(codecs: Codec[], redundantFrames: number): void {
    const repeated = redundantFrames === 0 ? "" : ` with ${redundantFrames} repeated`;
    this.calls.push(`encodings ${codecs.join(" ")}${repeated}`);
  }
  setStreams(streams: Stream[]): void {
    if (0 < streams.length) this.calls.push(`streams ${streams.map((s) => s.track).join(" ")}`);
  }
  setMuted(muted: boolean): void {
    if (muted) this.calls.push("muted");
  }
  setRemote(track: TrackId, mix: Mix): void {
    const playout = mix.playout === null ? "" : `, playout ${mix.playout}`;
    this.calls.push(`mix ${track}: ${mix.gainDb} dB${playout}`);
  }
  setDefaultPlayout(mode: PlayoutMode): void {
    if (mode !== "automatic") this.calls.push(`playout ${mode}`);
  }
  setPlayingMode(mode: PlayingMode): void {
    const before = this.calls.findLast((call) => call.startsWith("playing"));
    if (`playing ${mode}` !== (before ?? "playing tight")) this.calls.push(`playing ${mode}`);
  }
  setRoomLeast(ms: number): void {
    if (ms !== 0) this.calls.push(`room least ${ms}`);
  }
  private clicks = false;
  setClick(segments: ClickSegment[]): void {
    const tempi = segments.map((segment) => segment.tempo_millibpm / 1000);
    if (0 < tempi.length || this.clicks) this.calls.push(["click", ...tempi].join(" "));
    this.clicks = 0 < tempi.length;
  }
  setClickGain(gainDb: number | null): void {
    if (gainDb !== 0) this.calls.push(`click gain ${gainDb}`);
  }
  record(sink: InputSink | null): void {
    this.calls.push(sink === null ? "record no more" : "record");
    sink?.open(new SharedArrayBuffer(8), 1);
  }
  /** What is told of each track. */
  remotes: Record<TrackId, RemoteStats> = {};
  stats(): AudioStats {
    const ends = { inputMs: 0, outputMs: 0 };
    return {
      inputLevelDb: -20, uplinkPath: "data-channel", why: "", roomClock: null, ...ends, remotes: this.remotes,
    };
  }
  /** What the next second's report is. */
  lossy: StreamReception[] = [];
  reception(): StreamReception[] {
    return this.lossy;
  }
  reportUplink(codec: Codec, received: number, lost: number): void {
    this.calls.push(`uplink ${codec} ${received} ${lost}`);
  }
  setInputDevice(deviceId: string): Promise<boolean> {
    if (deviceId === "broken") return Promise.reject(new DOMException("", "NotReadableError"));
    return Promise.resolve(deviceId !== "overtaken");
  }
  engineCounts(): null {
    return null;
  }
  async close(): Promise<void> {
    this.calls.push("close");
  }
}

/** A recorder that records nothing: notes what it was asked for. */
class FakeStems implements StemPort {
  readonly state = signal<StemsState>(NO_STEMS);
  readonly calls: string[] = [];

  begin({ take, room, name, label }: StemOf): InputSink {
    this.calls.push(`begin ${take.id} ${room} ${name} ${label}`);
    return {
      open: (_ring, channels) => void this.calls.push(`open ${channels}`),
      reading: () => undefined,
      interrupted: () => undefined,
    };
  }
  end(): void {
    this.calls.push("end");
  }
  over(take: string): void {
    this.calls.push(`over ${take}`);
  }
  setPlaying(playing: boolean): void {
    this.calls.push(playing ? "playing" : "silent");
  }
  noteUplink(): void {}
}

class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly sent: ClientEnvelope[] = [];

  send(text: string): void {
    const message = JSON.parse(text) as ClientEnvelope;
    if (message.type !== "ping") this.sent.push(message);
  }
  close(): void {
    this.onclose?.();
  }
  receive(message: ServerMessage, to?: ClientEnvelope): void {
    const envelope: ServerEnvelope =
      to?.request === undefined ? message : { request: to.request, ...message };
    this.onmessage?.({ data: JSON.stringify(envelope) });
  }
}

/** A session in the middle of its world. */
export class World {
  readonly sockets: FakeSocket[] = [];
  readonly audios: FakeAudio[] = [];
  readonly stems = new FakeStems();
  readonly session: Session;

  constructor(
    part: "musician" | "listener" = "musician",
    openAudio?: () => Promise<AudioPort>,
    askPass?: Surroundings["askPass"],
  ) {
    this.session = new Session(
      { room: "duo", name: "Ana", deviceId: "", part },
      {
        openSocket: () => {
          const socket = new FakeSocket();
          this.sockets.push(socket);
          return socket;
        },
        ...(askPass === undefined ? {} : { askPass }),
        stems: this.stems,
        openAudio:
          openAudio ??
          (async (deviceId, failure) => {
            const audio = new FakeAudio(deviceId, failure);
            this.audios.push(audio);
            return audio;
          }),
      },
    );
  }

  get socket(): FakeSocket {
    return last(this.sockets);
  }

  get audio(): FakeAudio {
    return last(this.audios);
  }

  get phase() {
    return this.session.state.value.phase;
  }

  get types(): string[] {
    return this.socket.sent.map((message) => message.type);
  }

  /** Lets everything happen that waits for nothing. */
  async settle(): Promise<void> {
    await vi.advanceTimersByTimeAsync(0);
  }

  /** Answers the newest message of that type. */
  async answer(type: ClientEnvelope["type"], message: ServerMessage): Promise<void> {
    const asked = this.socket.sent.findLast((sent) => sent.type === type);
    if (asked === undefined) throw new Error(`no ${type} was sent: ${this.types.join(" ")}`);
    this.socket.receive(message, asked);
    await this.settle();
  }

  async open(): Promise<void> {
    this.socket.onopen?.();
    await this.settle();
  }

  /** From the start, or a drop, to published and playing; the server has the track as given. */
  async enter(resumed = false, track?: { muted: boolean }): Promise<void> {
    if (this.sockets.length === 0) await this.session.start();
    await this.settle();
    await this.open();
    const tracks = track === undefined ? [] : [{ id: 1, label: "mic", channels: 1, ...track }];
    await this.answer("join", joined(resumed, tracks));
    await this.answer("connect", CONNECTED);
    if (this.types.includes("publish")) {
      await this.answer("publish", { type: "published", track: 1, label: "mic" });
    }
    this.audio.onlink?.("up");
  }
}

function last<T>(items: T[]): T {
  const item = items.at(-1);
  if (item === undefined) throw new Error("nothing there");
  return item;
}

export function joined(resumed: boolean, tracks: Track[] = []): ServerMessage {
  return {
    type: "joined",
    version: 1,
    room: "duo",
    participant: 1,
    ticket: resumed ? "second ticket" : "first ticket",
    ticket_seconds: 30,
    seat: resumed ? "second seat" : "first seat",
    seat_seconds: 15,
    participants: [{ id: 1, name: "Ana", engine: "browser", presence: "online", tracks }],
    chat: [],
    resumed,
  };
}

export const CONNECTED: ServerMessage = { type: "connected", description: { kind: "sdp", sdp: "answer" } };
export const STREAM: Stream = { ssrc: 9, mid: "1", participant: 2, track: 20, codec: "opus-64", channels: 1 };
