// A train of short chirps, and how far each of them came late out of the other end.
//
// Chirps and not clicks: a transform codec smears a click over its whole frame, while the
// correlation of a chirp keeps one peak. Their distance is no multiple of any frame length, so that
// every phase between codec frames, periods and packets is met.

export const RATE = 48_000;
/** Frames from one chirp to the next; also what bounds the delay that can be told apart. */
export const PULSE_FRAMES = 14_411;
const CHIRP_FRAMES = 480;
const LOW_HZ = 400;
const HIGH_HZ = 6_000;
/** A chirp that correlates worse than this was not heard. */
const HEARD_MIN = 0.5;

/** One chirp under a sine window, at half of full scale. */
export function chirp(): Float32Array<ArrayBuffer> {
  const samples = new Float32Array(CHIRP_FRAMES);
  for (let n = 0; n < CHIRP_FRAMES; n += 1) {
    const t = n / RATE;
    const sweep = (HIGH_HZ - LOW_HZ) / (CHIRP_FRAMES / RATE);
    const phase = 2 * Math.PI * (LOW_HZ * t + (sweep * t * t) / 2);
    samples[n] = 0.5 * Math.sin(phase) * Math.sin((Math.PI * n) / CHIRP_FRAMES);
  }
  return samples;
}

/** One period of the train, to be looped. */
export function pulsePeriod(): Float32Array<ArrayBuffer> {
  const samples = new Float32Array(PULSE_FRAMES);
  samples.set(chirp());
  return samples;
}

export interface Delays {
  /** Frames from in to out of each chirp that was heard, in order. */
  frames: number[];
  /** Chirps that did not come out, or not recognisably. */
  unheard: number;
}

/** Finds every chirp of `input` in `output`. */
export function delays(input: Float32Array, output: Float32Array): Delays {
  const pulse = chirp();
  const found: Delays = { frames: [], unheard: 0 };
  let start = input.findIndex((sample) => sample !== 0);
  if (start < 0) return found;
  // The first nonzero sample of a sine-windowed chirp is its second.
  start -= 1;
  for (; start + 2 * PULSE_FRAMES < output.length; start += PULSE_FRAMES) {
    const delay = bestLag(pulse, output.subarray(Math.max(0, start)));
    if (delay === null) found.unheard += 1;
    else found.frames.push(delay);
  }
  return found;
}

/** The lag below one pulse distance at which `pulse` fits best; null where it fits nowhere. */
function bestLag(pulse: Float32Array, output: Float32Array): number | null {
  const pulseEnergy = energy(pulse, 0);
  let best = 0;
  let bestFit = 0;
  let windowEnergy = energy(output, 0);
  for (let lag = 0; lag + CHIRP_FRAMES < PULSE_FRAMES; lag += 1) {
    let sum = 0;
    for (let n = 0; n < CHIRP_FRAMES; n += 1) sum += (pulse[n] ?? 0) * (output[lag + n] ?? 0);
    const fit = sum / Math.sqrt(pulseEnergy * Math.max(windowEnergy, pulseEnergy * 1e-3));
    if (bestFit < fit) [best, bestFit] = [lag, fit];
    windowEnergy += (output[lag + CHIRP_FRAMES] ?? 0) ** 2 - (output[lag] ?? 0) ** 2;
  }
  return bestFit < HEARD_MIN ? null : best;
}

function energy(samples: Float32Array, start: number): number {
  let sum = 0;
  for (let n = 0; n < CHIRP_FRAMES; n += 1) sum += (samples[start + n] ?? 0) ** 2;
  return sum;
}
