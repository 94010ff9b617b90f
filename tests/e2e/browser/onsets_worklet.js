// The detecting end: says at which moment of the wall clock each burst of sound began.
//
// Date.now is the only clock here, in whole milliseconds, and a browser computes several quanta at once. So a
// frame's moment is its number, and the least that the clock was ever ahead of numbers of late: both are alike
// in every page of a machine.

/** A burst is louder, and the tone between bursts softer. */
const THRESHOLD = 0.1;
/** How long a burst may last. */
const DEAD_S = 0.2;
/** How far back the least is looked for. */
const MEMORY_S = 1;

class TestOnsets extends AudioWorkletProcessor {
  #quietFrom = 0;
  #least = [Infinity, Infinity];
  #turnAt = 0;

  process([input]) {
    const aheadMs = Date.now() - (1000 * currentFrame) / sampleRate;
    if (this.#turnAt <= currentFrame) {
      this.#turnAt = currentFrame + MEMORY_S * sampleRate;
      this.#least = [Infinity, this.#least[0]];
    }
    this.#least[0] = Math.min(this.#least[0], aheadMs);
    const samples = input[0] ?? [];
    for (let i = 0; i < samples.length; i++) {
      const frame = currentFrame + i;
      if (Math.abs(samples[i]) < THRESHOLD || frame < this.#quietFrom) continue;
      this.#quietFrom = frame + DEAD_S * sampleRate;
      this.port.postMessage(Math.min(...this.#least) + (1000 * frame) / sampleRate);
    }
    return true;
  }
}

registerProcessor("test-onsets", TestOnsets);
