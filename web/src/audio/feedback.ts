// How much of one's own loudspeaker comes back through the microphone: plays a quiet chirp and looks
// for it in what is heard. engine/device/src/probe is the same for the terminal.

/** A chirp with a peak of 1: short, broad and unlike its own echo. */
export function chirp(sampleRate: number): Float32Array<ArrayBuffer> {
  const samples = new Float32Array(CHIRP_FRAMES);
  const seconds = CHIRP_FRAMES / sampleRate;
  for (let frame = 0; frame < CHIRP_FRAMES; frame += 1) {
    const part = frame / CHIRP_FRAMES;
    const phase = FROM_HZ * part * seconds + ((TO_HZ - FROM_HZ) / 2) * part * part * seconds;
    samples[frame] = Math.sin(Math.PI * part) * Math.sin(2 * Math.PI * phase);
  }
  return samples;
}

/** By how much the chirp in there is quieter than it was made, in dB; null where it is not. */
export function returnedDb(played: Float32Array, heard: Float32Array): number | null {
  const playedEnergy = energy(played, 0, played.length);
  let window = energy(heard, 0, played.length);
  let [bestSimilarity, bestProduct] = [0, 0];
  for (let at = 0; at + played.length <= heard.length; at += 1) {
    let product = 0;
    for (let i = 0; i < played.length; i += 1) product += (played[i] ?? 0) * (heard[at + i] ?? 0);
    const all = Math.sqrt(Math.max(0, window) * playedEnergy);
    const similarity = all < 1e-9 ? 0 : Math.abs(product) / all;
    if (bestSimilarity < similarity) [bestSimilarity, bestProduct] = [similarity, Math.abs(product)];
    window += (heard[at + played.length] ?? 0) ** 2 - (heard[at] ?? 0) ** 2;
  }
  if (bestSimilarity < SIMILARITY_MIN) return null;
  return 20 * Math.log10(bestProduct / playedEnergy);
}

/** Plays and listens; takes under a second. `input` makes the microphone a node of the context. */
export async function measureFeedback(
  input: (context: AudioContext) => AudioNode,
  wait: (ms: number) => Promise<void>,
): Promise<number | null> {
  const context = new AudioContext();
  try {
    await context.resume();
    const analyser = new AnalyserNode(context, { fftSize: HEARD_FRAMES });
    input(context).connect(analyser);
    const samples = chirp(context.sampleRate);
    const buffer = new AudioBuffer({ length: samples.length, sampleRate: context.sampleRate });
    buffer.copyToChannel(samples, 0);
    const gain = new GainNode(context, { gain: 10 ** (LEVEL_DB / 20) });
    gain.connect(context.destination);
    // Streams that were just opened click.
    await wait(SETTLE_MS);
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(gain);
    source.start();
    // What the analyser has then is what was heard since.
    await wait((1000 * (HEARD_FRAMES - CHIRP_FRAMES)) / context.sampleRate);
    const heard = new Float32Array(HEARD_FRAMES);
    analyser.getFloatTimeDomainData(heard);
    const returned = returnedDb(samples, heard);
    return returned === null ? null : returned - LEVEL_DB;
  } finally {
    await context.close();
  }
}

function energy(samples: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < Math.min(to, samples.length); i += 1) sum += (samples[i] ?? 0) ** 2;
  return sum;
}

/** 85 ms at 48 kHz. */
const CHIRP_FRAMES = 4096;

/** The longest that an analyser keeps. */
const HEARD_FRAMES = 32_768;

/** What small loudspeakers and telephones' microphones can do. */
const FROM_HZ = 300;
const TO_HZ = 9000;

/** As a quiet word. */
const LEVEL_DB = -30;
const SETTLE_MS = 200;

/** Chance alone is as alike as 0.1; a loudspeaker and a room leave 0.4 and more. */
const SIMILARITY_MIN = 0.25;
