// The WebAssembly writer of one stem as an object: the exports of takes/web/src/exports.rs with names and types.
//
// Its memory may grow with every call, which detaches every view; views are made anew when the buffer has changed.

interface Exports {
  memory: WebAssembly.Memory;
  input(): number;
  output(): number;
  output_bytes(): number;
  clear_output(): void;
  open(bytes: number, runsBegun: number): number;
  begin_run(): number;
  audio(firstFrame: number, at: number, frames: number): number;
  clock(frame: number, roomNs: number, precisionNs: number, boundNs: number, steps: number): number;
  flush(): number;
  end(): number;
  clipped_samples(): number;
  hash(bytes: number): number;
  finish_hash(): number;
}

/** Bytes of the buffer in; takes/web/src/shell.rs says the same. */
export const INPUT_BYTES = 128 * 1024;
const SHA256_BYTES = 32;

/** Whose stem it is. */
export interface StemDescription {
  take: string;
  stem: string;
  label: string;
  name: string;
  channels: number;
}

export class StemModule {
  private readonly exports: Exports;
  private view = new Uint8Array(0);

  constructor(module: WebAssembly.Module) {
    this.exports = new WebAssembly.Instance(module, {}).exports as unknown as Exports;
  }

  /** Where samples and pieces of files go. */
  input(): Uint8Array<ArrayBuffer> {
    // The first call makes the buffer, for which the memory may grow.
    const start = this.exports.input();
    const { buffer } = this.exports.memory;
    if (this.view.buffer !== buffer) this.view = new Uint8Array(buffer, start, INPUT_BYTES);
    return this.view as Uint8Array<ArrayBuffer>;
  }

  /** What is to be appended to the file since it was last asked. */
  takeOutput(): Uint8Array<ArrayBuffer> {
    const [start, bytes] = [this.exports.output(), this.exports.output_bytes()];
    const output = new Uint8Array(this.exports.memory.buffer, start, bytes).slice();
    this.exports.clear_output();
    return output as Uint8Array<ArrayBuffer>;
  }

  /** Opens a new stem, or one that has had so many runs; throws where that is none. */
  open({ take, stem, label, name, channels }: StemDescription, runsBegun: number): void {
    const text = [take, stem, label, name, String(channels)].join("\n");
    const { written } = new TextEncoder().encodeInto(text, this.input());
    if (this.exports.open(written, runsBegun) !== 0) throw new Error("the stem was refused");
  }

  beginRun(): void {
    this.exports.begin_run();
  }

  /** Takes frames that lie in `input` from that byte on, interleaved. */
  audio(firstFrame: number, at: number, frames: number): void {
    this.exports.audio(firstFrame, at, frames);
  }

  clock(frame: number, roomMs: number, precisionMs: number, boundMs: number, steps: number): void {
    const ns = (ms: number) => Math.min(2 ** 32 - 1, Math.round(ms * 1e6));
    this.exports.clock(frame, roomMs * 1e6, ns(precisionMs), ns(boundMs), steps);
  }

  flush(): void {
    this.exports.flush();
  }

  end(): void {
    this.exports.end();
  }

  /** Adds so many bytes that lie in `input` to a checksum. */
  hash(bytes: number): void {
    this.exports.hash(bytes);
  }

  /** The checksum of everything since the last one, in hexadecimal digits. */
  finishHash(): string {
    const start = this.exports.finish_hash();
    const digest = new Uint8Array(this.exports.memory.buffer, start, SHA256_BYTES);
    return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}
