// When what a context is given was at the microphone, measured where a browser lets the page read the track
// beside the context (Chromium). Others only say a number, see engine_input.ts.

import { CapturedPieces } from "./captured";
import type { InputProbe } from "./input_probe";
import { localMs } from "./room_clock";

/** What the DOM library's types do not know: https://www.w3.org/TR/mediacapture-transform/ and mediacapture-extensions. */
type ProcessorClass = new (init: { track: MediaStreamTrack }) => {
  readable: ReadableStream<AudioData>;
};
type TrackWithStats = MediaStreamTrack & {
  /** Milliseconds from the microphone to the track. */
  stats?: { latency?: number };
};

/** Every context runs at 48 kHz. */
const RATE_HZ = 48_000;
const FRAMES_PER_MS = 48;
/** How long a probe dates what comes after it: clocks part by less than half a millisecond meanwhile. */
const PROBE_OLD_MS = 1_000;
/** How long a track, or a queue, that is new may take to be measured: some pieces and probes. */
const SETTLING_MS = 2_000;
/** Probes whose median is taken: their dates waver by some tenths of a millisecond. */
const PROBES = 5;
/** What parts probes by more than they waver: a piece was lost, or waits for longer from now on. */
const JUMP_MS = 4;
/** Pieces whose way to the page is compared: the fastest tells how their dates differ from the page's. */
const WAYS = 400;

export class InputWatch {
  private readonly pieces = new CapturedPieces();
  private reader: ReadableStreamDefaultReader<AudioData> | null = null;
  private mono = new Float32Array(0);
  private plane = new Float32Array(0);
  /** From a piece's own date to the page's clock, at most, for each of the latest pieces. */
  private readonly ways: number[] = [];
  private readonly latencies: number[] = [];
  /** By how much the page's clock was ahead of the context's frames at the microphone. */
  private aheads: number[] = [];
  /** A probe that parts from the others counts once the next one says the same. */
  private apart: number | null = null;
  private probedAtMs = -Infinity;
  private forgotAtMs = -Infinity;
  private jumped = false;

  /** `wide` where the context takes both channels, so that its first is the track's first. */
  constructor(private readonly wide: boolean) {}

  /** Reads another track from now on; null for none. */
  follow(track: MediaStreamTrack | null): void {
    this.close();
    const { MediaStreamTrackProcessor: Processor } = globalThis as { MediaStreamTrackProcessor?: ProcessorClass };
    if (track === null || Processor === undefined) return;
    try {
      const reader = new Processor({ track }).readable.getReader();
      this.reader = reader;
      void this.read(reader, track);
    } catch {
      // What cannot be read is not measured.
    }
  }

  /** Takes what the worklet was given. */
  probe({ frame, samples }: InputProbe): void {
    const captured = this.pieces.find(samples);
    if (captured === null) return;
    const ahead = captured + Math.min(...this.ways) - frame / FRAMES_PER_MS;
    this.probedAtMs = localMs();
    const median = middle(this.aheads);
    if (median === null || Math.abs(ahead - median) < JUMP_MS) {
      this.apart = null;
      this.aheads.push(ahead);
      if (PROBES < this.aheads.length) this.aheads.shift();
    } else if (this.apart !== null && Math.abs(ahead - this.apart) < JUMP_MS) {
      this.jumped = true;
      this.aheads = [this.apart, ahead];
      this.apart = null;
    } else {
      this.apart = ahead;
    }
  }

  /** When a moment of the context was at the microphone, in ms since 1970; null where that is not known. */
  capturedMs(contextMs: number): number | null {
    const ahead = middle(this.aheads);
    if (ahead === null || PROBE_OLD_MS < localMs() - this.probedAtMs) return null;
    return contextMs + ahead;
  }

  /** Whether {@link capturedMs} may soon know more. */
  settling(): boolean {
    return this.reader !== null && this.aheads.length === 0 && localMs() < this.forgotAtMs + SETTLING_MS;
  }

  /** Whether sound waits longer or less than before all at once, since this was last asked. */
  takeJump(): boolean {
    const { jumped } = this;
    this.jumped = false;
    return jumped;
  }

  /** From the microphone to the track, as the browser dates its pieces: the least that a context can have. */
  trackMs(): number {
    return Math.min(...this.latencies);
  }

  /** The context's queue was emptied: what is given to it from now on is younger. */
  forget(): void {
    this.aheads = [];
    this.apart = null;
    this.probedAtMs = -Infinity;
    this.jumped = false;
    this.forgotAtMs = localMs();
  }

  close(): void {
    this.reader?.cancel().catch(() => undefined);
    this.reader = null;
    this.pieces.clear();
    this.ways.length = this.latencies.length = 0;
    this.forget();
  }

  private async read(reader: ReadableStreamDefaultReader<AudioData>, track: TrackWithStats): Promise<void> {
    for (;;) {
      const { value } = await reader.read().catch(() => ({ value: undefined }));
      if (value === undefined || reader !== this.reader) {
        value?.close();
        return;
      }
      this.note(value, track);
      value.close();
    }
  }

  private note(data: AudioData, track: TrackWithStats): void {
    // What the context converts is not found again.
    if (data.sampleRate !== RATE_HZ) return;
    const dated = data.timestamp / 1000;
    const saidS = (track.getSettings() as { latency?: number }).latency ?? 0;
    const latency = track.stats?.latency ?? saidS * 1000;
    this.latencies.push(latency);
    this.ways.push(localMs() - dated - latency);
    if (WAYS < this.ways.length) {
      this.ways.shift();
      this.latencies.shift();
    }
    this.pieces.note(this.oneChannel(data), dated);
  }

  /** As a context mixes it into one. */
  private oneChannel(data: AudioData): Float32Array {
    const { numberOfFrames: frames, numberOfChannels: channels } = data;
    if (this.mono.length !== frames) {
      this.mono = new Float32Array(frames);
      this.plane = new Float32Array(frames);
    }
    data.copyTo(this.mono, { planeIndex: 0, format: "f32-planar" });
    if (channels !== 2 || this.wide) return this.mono;
    data.copyTo(this.plane, { planeIndex: 1, format: "f32-planar" });
    for (let i = 0; i < frames; i += 1) {
      this.mono[i] = 0.5 * ((this.mono[i] as number) + (this.plane[i] as number));
    }
    return this.mono;
  }
}

function middle(numbers: readonly number[]): number | null {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? null;
}
