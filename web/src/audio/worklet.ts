// The audio thread: runs the engine once per render quantum. It neither waits nor allocates there,
// beyond what the browser makes it.
//
// The order inside a quantum is for the earliest departure: what was captured leaves before what
// arrived is rendered. Time is the context's own: a packet that came during a quantum is taken at
// the next one, which is when it could first have been heard.

import { EngineModule } from "./engine_module";
import { Probe } from "./input_probe";
import type { FromWorklet, ToWorklet, WorkletOptions } from "./messages";
import { RingReader, RingWriter } from "./slot_ring";
import { InputWriter } from "./stems/input_ring";

/** What the DOM library's types lack: the names of an AudioWorkletGlobalScope. */
declare const currentFrame: number;
declare const sampleRate: number;
declare function registerProcessor(name: string, processor: unknown): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

const STATS_PER_SECOND = 10;
/** No quantum for so long is a stall: quanta come in batches, but none of 50 ms. */
const STALL_MS = 50;
/** Date.now counts whole milliseconds, so only the sum over many quanta is told. */
const LOAD_QUANTA = 32;

class JamProcessor extends AudioWorkletProcessor {
  private readonly up: RingWriter;
  private readonly channels: number;
  private recorder: InputWriter | null = null;
  private readonly probe = new Probe();
  private muted = false;
  private readonly down: RingReader;
  private engine: EngineModule | null = null;
  private nextStatsFrame = 0;
  private busyMs = 0;
  private busyQuanta = 0;
  private computedAt = 0;
  private started = false;
  /** Made once for each length of a quantum, which does not change in practice. */
  private silent: [Float32Array] = [SILENCE];

  constructor({ processorOptions }: { processorOptions: WorkletOptions }) {
    super();
    const { wasm, up, down, engine } = processorOptions;
    this.channels = engine.channels;
    this.up = new RingWriter(up);
    this.down = new RingReader(down);
    this.port.onmessage = ({ data }: MessageEvent<ToWorklet>) => this.handle(data);
    try {
      this.engine = new EngineModule(wasm, engine);
    } catch (error) {
      this.tell({ type: "failed", text: String(error) });
    }
  }

  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const { engine } = this;
    if (engine === null) return false;
    const startedAt = Date.now();
    this.noteStall(startedAt);
    const input = inputs[0] ?? [];
    const output = outputs[0] ?? [];
    const frames = output[0]?.length ?? 0;
    const nowMs = (currentFrame / sampleRate) * 1000;
    if (!this.started) {
      this.started = true;
      this.tell({ type: "ready" });
    }
    this.send(engine, nowMs, input, frames);
    this.probe.push(currentFrame, input[0]);
    this.recorder?.push(currentFrame, input, frames, this.muted);
    this.receive(engine, nowMs);
    engine.render(nowMs, output, frames);
    this.noteLoad(engine, startedAt);
    if (this.nextStatsFrame <= currentFrame) {
      this.nextStatsFrame = currentFrame + sampleRate / STATS_PER_SECOND;
      this.tell({ type: "stats", block: engine.statsBlock(), probe: this.probe.take() });
    }
    return true;
  }

  /** What came from the microphone meanwhile may wait in the browser for ever: the page lets it go. */
  private noteStall(now: number): void {
    if (this.started && this.computedAt + STALL_MS < now) this.tell({ type: "stalled" });
    this.computedAt = now;
  }

  /** A computer that is too slow for everybody leaves somebody out. */
  private noteLoad(engine: EngineModule, startedAt: number): void {
    // The clock may be set back.
    this.busyMs += Math.max(0, Date.now() - startedAt);
    this.busyQuanta += 1;
    if (this.busyQuanta < LOAD_QUANTA) return;
    engine.noteLoad(this.busyMs);
    this.busyMs = this.busyQuanta = 0;
  }

  private send(engine: EngineModule, nowMs: number, input: Float32Array[], frames: number): void {
    // Without a source connected there is no channel at all: capture silence, so that the media
    // clock goes on.
    const captured = input.length === 0 ? this.silence(frames) : input;
    if (engine.capture(nowMs, captured, frames) === 0) return;
    for (let packet = engine.pollPacket(); packet !== null; packet = engine.pollPacket()) {
      this.up.push(packet);
    }
    this.up.wake();
  }

  private silence(frames: number): Float32Array[] {
    const view = this.silent[0];
    if (view.length !== frames) this.silent = [SILENCE.subarray(0, frames)];
    return this.silent;
  }

  private receive(engine: EngineModule, nowMs: number): void {
    for (;;) {
      const length = this.down.popInto(engine.packetBuffer());
      if (length === 0) return;
      engine.handlePacket(nowMs, length);
    }
  }

  private handle(message: ToWorklet): void {
    const { engine } = this;
    if (engine === null) return;
    switch (message.type) {
      case "encodings":
        this.check(message, engine.setEncodings(message.encodings));
        break;
      case "input-muted":
        this.muted = message.muted;
        engine.setInputMuted(message.muted);
        break;
      case "add-remote":
        this.check(message, engine.addRemote(message.ssrc, message.channels));
        break;
      case "remove-remote":
        engine.removeRemote(message.ssrc);
        break;
      case "mix":
        engine.setMix(message.ssrc, message);
        break;
      case "default-playout":
        engine.setDefaultPlayout(message.mode);
        break;
      case "room-clock":
        engine.setRoomClock(message);
        break;
      case "record":
        this.recorder = message.ring === null ? null : new InputWriter(message.ring, this.channels);
        break;
      case "playing-mode":
        engine.setPlayingMode(message.mode);
        break;
      case "room-least":
        engine.setRoomLeast(message.ms);
        break;
      case "click":
        // Signalling lets nothing through that cannot be played; if it does, only the click is missing.
        engine.setClick(message.segments);
        break;
      case "click-gain":
        engine.setClickGain(message.gainDb);
        break;
      case "close":
        this.engine = null;
        break;
    }
  }

  private check({ type: command }: ToWorklet, taken: boolean): void {
    if (!taken) this.tell({ type: "refused", command });
  }

  private tell(message: FromWorklet): void {
    this.port.postMessage(message);
  }
}

/** As long as the longest quantum. */
const SILENCE = new Float32Array(8192);

registerProcessor("jam", JamProcessor);
