// The WebAssembly engine as an object: the exports of engine/web/src/exports.rs with names and types.
//
// Its memory may grow when a remote is added, which detaches every view; views are therefore made
// anew when the buffer has changed, never kept across calls.

import type { BeatStrength, ClickSegment, Codec, PlayingMode } from "../protocol";
import type { Mix, PlayoutMode, PlayoutStats } from "../session/audio_seam";
import type { ContextRoomTimes } from "./context_clock";
import type { EncodingWanted } from "./messages";
import { PACKET_BYTES_MAX } from "./slot_ring";

interface Exports {
  memory: WebAssembly.Memory;
  open(
    periodFramesMax: number,
    channels: number,
    bitrate: number,
    seedHigh: number,
    seedLow: number,
  ): number;
  input(channel: number): number;
  output(channel: number): number;
  packet(): number;
  statistics(): number;
  handle_packet(nowNs: number, bytes: number): number;
  capture(nowNs: number, channels: number, frames: number): number;
  set_room_clock(contextNs: number, capturedNs: number, heardNs: number): void;
  poll_packet(): number;
  render(nowNs: number, frames: number): void;
  note_load(busyMs: number): void;
  set_encoding(index: number, codec: number, ssrc: number, redundantFrames: number): number;
  apply_encodings(count: number): number;
  set_playing_mode(mode: number): number;
  set_room_least(ms: number): void;
  click_segment(
    index: number,
    startUs: number,
    bar: number,
    tempoMillibpm: number,
    beats: number,
    accents: number,
    silent: number,
  ): number;
  apply_click(count: number): number;
  set_click_gain(gainDb: number): number;
  set_input_muted(muted: number): number;
  add_remote(ssrc: number, channels: number): number;
  remove_remote(ssrc: number): number;
  set_mix(ssrc: number, gainDb: number, pan: number, muted: number, soloed: number): number;
  set_playout(ssrc: number, mode: number, fixedFrames: number): number;
  set_default_playout(mode: number, fixedFrames: number): number;
  update_statistics(): number;
}

/** Numbers of the statistics block before the first remote, and for each remote. */
const HEAD_NUMBERS = 4;
const REMOTE_NUMBERS = 26;
/** Every track travels at 48 kHz. */
const FRAMES_PER_MS = 48;

export interface EngineRemoteStats {
  ssrc: number;
  levelDb: number;
  bufferMs: number;
  received: number;
  lost: number;
  late: number;
  concealedMs: number;
  /** What the stream adds beside devices and network: packet, codec and playout delay. */
  addedDelayMs: number;
  /** Cross-faded changes of the playout delay. */
  splices: number;
  /** How often packets were missing, one or several in a row. */
  gaps: number;
  /** This computer is too slow for everybody, and this is one of the quietest. */
  leftOut: boolean;
  /** From their microphone to this loudspeaker, by the room's clock; null while that is not known. */
  mouthToEarMs: number | null;
  /** What of that the playing mode wants, and no packet needs. */
  paddingMs: number;
  /** How late the playing mode wants it to be heard; null for as early as holds. */
  wantedMs: number | null;
  playout: PlayoutStats;
}

export interface EngineStats {
  inputLevelDb: number;
  outputLevelDb: number;
  /** Packets whose stream or content the engine did not know. */
  refusedPackets: number;
  /** Codec frames that nobody took from the engine in time. */
  overrunFrames: number;
  remotes: EngineRemoteStats[];
}

/** Numbers that stand for codecs in `set_encoding`; engine/web/src/exports.rs says the same. */
const CODEC_NUMBERS: Record<Codec, number> = { opus: 0, "opus-64": 1, pcm: 2 };

/** The same of playout modes: one of these, a fixed delay, or what holds for all. */
const MODES = ["automatic", "lower", "safer"] as const;
const FIXED = 3;
const FOLLOW = 4;

/** The same of how late everybody is heard. */
const PLAYING_MODES: readonly PlayingMode[] = ["tight", "aligned", "beat"];

export interface EngineSettings {
  /** Channels of the published track. */
  channels: number;
  /** Bits per second of each encoding. */
  bitrate: number;
  /** Two random 32-bit numbers: where sequence numbers and media time start. */
  seed: [number, number];
}

/** The longest render quantum that a browser may choose. */
const PERIOD_FRAMES_MAX = 8192;

export class EngineModule {
  private readonly exports: Exports;
  private floats = new Float32Array(0);
  private packetView = new Uint8Array(0);
  private outgoing = new Uint8Array(0);
  private outputs: [Float32Array, Float32Array] = [this.floats, this.floats];

  /** Compiles and opens a session; throws where the engine refuses the settings. */
  constructor(wasm: BufferSource, settings: EngineSettings) {
    const { channels, bitrate, seed } = settings;
    const module = new WebAssembly.Module(wasm);
    this.exports = new WebAssembly.Instance(module, {}).exports as unknown as Exports;
    const refused = this.exports.open(PERIOD_FRAMES_MAX, channels, bitrate, seed[0], seed[1]);
    if (refused !== 0) throw new Error(`the engine refused its settings (${refused})`);
  }

  /**
   * Takes one period of input, planar, whose first frame came at that time of the context; gives how many
   * packets wait in `pollPacket`.
   */
  capture(nowMs: number, input: readonly Float32Array[], frames: number): number {
    this.refresh(frames);
    const channels = Math.min(input.length, 2);
    for (let channel = 0; channel < channels; channel += 1) {
      this.floats.set(input[channel] as Float32Array, this.exports.input(channel) / 4);
    }
    return this.exports.capture(nowMs * 1e6, channels, frames);
  }

  /** The next packet to send, as a view that holds until the next call; null when there is none. */
  pollPacket(): Uint8Array | null {
    const length = this.exports.poll_packet();
    if (length === 0) return null;
    const packet = this.packetBuffer();
    // At a constant bitrate all packets have the same length, and one view serves them all.
    if (this.outgoing.byteLength !== length || this.outgoing.buffer !== packet.buffer) {
      this.outgoing = packet.subarray(0, length);
    }
    return this.outgoing;
  }

  /** Where `handlePacket` wants the packet. */
  packetBuffer(): Uint8Array<ArrayBuffer> {
    this.refresh(this.outputs[0].length);
    return this.packetView;
  }

  /** Takes the packet that lies in `packetBuffer`; false where the engine did not know it. */
  handlePacket(nowMs: number, length: number): boolean {
    return this.exports.handle_packet(nowMs * 1e6, length) === 0;
  }

  /** Gives one period of output, planar, one or two channels. */
  render(nowMs: number, output: readonly Float32Array[], frames: number): void {
    this.exports.render(nowMs * 1e6, frames);
    this.refresh(frames);
    for (let channel = 0; channel < output.length; channel += 1) {
      (output[channel] as Float32Array).set(this.outputs[channel === 0 ? 0 : 1]);
    }
  }

  /** What is sent from now on; false where the engine refuses it. */
  setEncodings(encodings: readonly EncodingWanted[]): boolean {
    const known = encodings.every(({ codec, ssrc, redundantFrames }, index) => {
      return this.exports.set_encoding(index, CODEC_NUMBERS[codec], ssrc, redundantFrames) === 0;
    });
    return known && this.exports.apply_encodings(encodings.length) === 0;
  }

  /** How long the quanta since the last call took to compute. */
  noteLoad(busyMs: number): void {
    this.exports.note_load(busyMs);
  }

  /** Says where a moment of the context lies on the room's clock; packets carry it from then on. */
  setRoomClock({ contextMs, capturedMs, heardMs }: ContextRoomTimes): void {
    this.exports.set_room_clock(contextMs * 1e6, capturedMs * 1e6, heardMs * 1e6);
  }

  /** How late everybody is heard, compared with each other. */
  setPlayingMode(mode: PlayingMode): void {
    this.exports.set_playing_mode(PLAYING_MODES.indexOf(mode));
  }

  /** How late somebody else in the room hears somebody at least. */
  setRoomLeast(ms: number): void {
    this.exports.set_room_least(ms);
  }

  /** What click is played; false where the engine refuses it, and plays on what it had. */
  setClick(segments: readonly ClickSegment[]): boolean {
    const known = segments.every(({ start_us, bar, tempo_millibpm, beats }, index) => {
      const [accents, silent] = [beatBits(beats, "accent"), beatBits(beats, "silent")];
      const { click_segment: layOut } = this.exports;
      return layOut(index, start_us, bar, tempo_millibpm, beats.length, accents, silent) === 0;
    });
    return known && this.exports.apply_click(segments.length) === 0;
  }

  /** How loud the click is; null is silence. */
  setClickGain(gainDb: number | null): void {
    this.exports.set_click_gain(gainDb ?? Number.NEGATIVE_INFINITY);
  }

  setInputMuted(muted: boolean): void {
    this.exports.set_input_muted(muted ? 1 : 0);
  }

  addRemote(ssrc: number, channels: number): boolean {
    return this.exports.add_remote(ssrc, channels) === 0;
  }

  removeRemote(ssrc: number): void {
    this.exports.remove_remote(ssrc);
  }

  setMix(ssrc: number, { gainDb, pan, muted, solo, playout }: Mix): void {
    this.exports.set_mix(ssrc, gainDb, pan, muted ? 1 : 0, solo ? 1 : 0);
    this.exports.set_playout(ssrc, ...(playout === null ? FOLLOWED : modeNumbers(playout)));
  }

  /** For every remote whose mix has no mode of its own. */
  setDefaultPlayout(mode: PlayoutMode): void {
    this.exports.set_default_playout(...modeNumbers(mode));
  }

  /** A copy of the statistics as numbers, to be read by `readStats` on another thread. */
  statsBlock(): Float64Array<ArrayBuffer> {
    const remotes = this.exports.update_statistics();
    const start = this.exports.statistics();
    const numbers = HEAD_NUMBERS + remotes * REMOTE_NUMBERS;
    return new Float64Array(
      this.exports.memory.buffer,
      start,
      numbers,
    ).slice() as Float64Array<ArrayBuffer>;
  }

  private refresh(frames: number): void {
    const { buffer } = this.exports.memory;
    if (this.floats.buffer === buffer && this.outputs[0].length === frames) return;
    this.floats = new Float32Array(buffer);
    this.packetView = new Uint8Array(buffer, this.exports.packet(), PACKET_BYTES_MAX);
    this.outputs = [
      new Float32Array(buffer, this.exports.output(0), frames),
      new Float32Array(buffer, this.exports.output(1), frames),
    ];
  }
}

/** A bit for each beat that sounds like that. */
function beatBits(beats: readonly BeatStrength[], strength: BeatStrength): number {
  return beats.reduce((bits, beat, index) => bits | (beat === strength ? 1 << index : 0), 0);
}

const FOLLOWED: [number, number] = [FOLLOW, 0];

function modeNumbers(mode: PlayoutMode): [number, number] {
  if (typeof mode !== "number") return [MODES.indexOf(mode), 0];
  return [FIXED, Math.round(mode * FRAMES_PER_MS)];
}

/** Puts names to the numbers of `statsBlock`; engine/web/src/shell.rs writes them. */
export function readStats(block: Float64Array): EngineStats {
  const at = (index: number) => block[index] ?? 0;
  const ms = (index: number) => at(index) / FRAMES_PER_MS;
  const remotes: EngineRemoteStats[] = [];
  for (let i = HEAD_NUMBERS; i + REMOTE_NUMBERS <= block.length; i += REMOTE_NUMBERS) {
    remotes.push({
      ssrc: at(i),
      levelDb: at(i + 1),
      bufferMs: ms(i + 2),
      received: at(i + 4),
      lost: at(i + 5),
      late: at(i + 6),
      concealedMs: ms(i + 7),
      addedDelayMs: ms(i + 9),
      splices: at(i + 11),
      gaps: at(i + 12),
      leftOut: at(i + 22) === 1,
      mouthToEarMs: known(at(i + 23)),
      paddingMs: at(i + 24),
      wantedMs: known(at(i + 25)),
      playout: {
        mode: MODES[at(i + 20)] ?? ms(i + 21),
        delayMs: ms(i + 3),
        targetMs: ms(i + 13),
        networkMs: ms(i + 14),
        callbackMs: ms(i + 15),
        driftMs: ms(i + 16),
        redundancyMs: ms(i + 17),
        concealedMsPerMinute: at(i + 18),
        recovered: at(i + 10),
        driftPpm: known(at(i + 8)),
        ratePpm: at(i + 19),
      },
    });
  }
  return {
    inputLevelDb: at(0),
    outputLevelDb: at(1),
    refusedPackets: at(2),
    overrunFrames: at(3),
    remotes,
  };
}

/** What is not known is not a number. */
function known(number: number): number | null {
  return Number.isNaN(number) ? null : number;
}
