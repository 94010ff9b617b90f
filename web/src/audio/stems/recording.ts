// One stem while it is recorded: takes what comes through the ring, and appends it to the file.

import type { InputReading } from "../../session/stem_seam";
import { RingReader } from "../slot_ring";
import type { StemFile, StemMeta } from "./disk";
import { HEAD_BYTES } from "./input_ring";
import type { StemModule } from "./stem_module";

const SAMPLE_BYTES = 4;

export class Recording {
  private ring: RingReader | null = null;
  /** The frame from which the run counts; null before its first piece. */
  private runFrom: number | null = null;
  private nextFrame = 0;
  private bytes: number;

  constructor(
    readonly meta: StemMeta,
    readonly file: StemFile,
    private readonly module: StemModule,
  ) {
    module.open(meta, meta.runs);
    this.bytes = file.size();
    this.append();
  }

  /** The input comes through here from now on. */
  open(ring: SharedArrayBuffer): void {
    this.ring = new RingReader(ring);
  }

  /** Frames count anew from here on. */
  beginRun(): void {
    this.drain();
    this.endRun();
    this.module.beginRun();
    this.append();
  }

  /** Takes everything that waits; throws where the disk is full. */
  drain(): void {
    const { ring, module, meta } = this;
    if (ring === null) return;
    for (;;) {
      const input = module.input();
      const length = ring.popInto(input);
      if (length === 0) break;
      const frame = new DataView(input.buffer, input.byteOffset).getFloat64(0, true);
      const frames = (length - HEAD_BYTES) / (meta.channels * SAMPLE_BYTES);
      this.runFrom ??= frame;
      module.audio(frame - this.runFrom, HEAD_BYTES, frames);
      this.nextFrame = frame - this.runFrom + frames;
    }
    this.append();
  }

  /** Frames of before the run are of another one. */
  reading({ frame, roomMs, precisionMs, boundMs, steps }: InputReading): void {
    if (this.runFrom === null || frame < this.runFrom) return;
    this.module.clock(frame - this.runFrom, roomMs, precisionMs, boundMs, steps);
    this.append();
  }

  /** Seconds of everything so far. */
  seconds(): number {
    return (this.meta.frames + this.nextFrame) / FRAMES_PER_SECOND;
  }

  /** What waits in memory goes to the disk. */
  flush(): void {
    this.module.flush();
    this.append();
    this.file.flush();
  }

  end(): void {
    this.drain();
    this.module.end();
    this.append();
    this.endRun();
    this.file.flush();
  }

  private endRun(): void {
    this.meta.frames += this.nextFrame;
    this.nextFrame = 0;
    this.runFrom = null;
  }

  private append(): void {
    const output = this.module.takeOutput();
    if (output.byteLength === 0) return;
    this.file.write(output, this.bytes);
    this.bytes += output.byteLength;
  }
}

const FRAMES_PER_SECOND = 48_000;
