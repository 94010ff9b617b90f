// The recording end: posts mono blocks of a tenth of a second, in order.

const BLOCK = 4800;

class TestRecorder extends AudioWorkletProcessor {
  #block = new Float32Array(BLOCK);
  #filled = 0;

  process([input]) {
    // A node without input has no channels: that is silence, and silence takes time as well.
    const samples = input[0] ?? new Float32Array(128);
    for (const sample of samples) {
      this.#block[this.#filled++] = sample;
      if (this.#filled === BLOCK) {
        this.port.postMessage(this.#block.slice());
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("test-recorder", TestRecorder);
