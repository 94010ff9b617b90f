// When a sound was at the microphone, by what the browser says of each piece that it captured.
//
// What a track captured waits in front of an AudioContext, in a queue of which nothing tells how long it is: it
// grows by a piece (10 to 21 ms) whenever one came too late, and never becomes shorter by itself. The track
// delivers the same pieces, each dated, to whoever reads it; so a few samples that the context was given
// are looked for among them. What surprises: noise of three steps of 16 bits is enough to find them by,
// but a tone whose period is a whole number of samples is not: what is found twice is not found.

/** How long pieces are kept; the queue may hold a third of a second after a stall. */
const KEPT_FRAMES = 48_000;
/** Samples may have gone through a mix of two channels on the way, which rounds. */
const ALIKE = 1e-6;
/** What is quieter cannot be told from other silence. */
export const LOUD = 20 * ALIKE;

interface Piece {
  /** The number of its first frame, by a count of our own. */
  first: number;
  /** When that was captured, in ms by whichever clock the caller uses. */
  capturedMs: number;
}

export class CapturedPieces {
  private readonly samples = new Float32Array(KEPT_FRAMES);
  private readonly pieces: Piece[] = [];
  /** Frames that were noted. */
  private end = 0;

  /** Takes the next piece of the track at 48 kHz, one channel. */
  note(samples: Float32Array, capturedMs: number): void {
    // What is longer than a second was never meant to be heard early.
    if (KEPT_FRAMES < samples.length) return this.clear();
    this.pieces.push({ first: this.end, capturedMs });
    for (const sample of samples) {
      this.samples[this.end % KEPT_FRAMES] = sample;
      this.end += 1;
    }
    while ((this.pieces[0] as Piece).first < this.begin()) this.pieces.shift();
  }

  /** Forgets everything: what follows is of another track. */
  clear(): void {
    this.pieces.length = 0;
    this.end = 0;
  }

  /** When the first of these samples was captured; null where they are not there, or more than once. */
  find(samples: Float32Array): number | null {
    if (!samples.some((sample) => LOUD < Math.abs(sample))) return null;
    const from = this.pieces[0]?.first;
    if (from === undefined) return null;
    let found: number | null = null;
    for (let at = from; at + samples.length <= this.end; at += 1) {
      if (!this.alike(at, samples)) continue;
      if (found !== null) return null;
      found = at;
    }
    return found === null ? null : this.capturedMs(found);
  }

  private alike(at: number, samples: Float32Array): boolean {
    for (let i = 0; i < samples.length; i += 1) {
      const kept = this.samples[(at + i) % KEPT_FRAMES] as number;
      if (ALIKE < Math.abs(kept - (samples[i] as number))) return false;
    }
    return true;
  }

  private capturedMs(frame: number): number | null {
    const piece = this.pieces.findLast(({ first }) => first <= frame);
    return piece === undefined ? null : piece.capturedMs + (frame - piece.first) / 48;
  }

  private begin(): number {
    return this.end - KEPT_FRAMES;
  }
}
