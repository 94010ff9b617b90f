// Records what enters its inputs, one channel of each, quantum by quantum on the same clock: input
// 0 is what is played into one musician's end, input 1 what comes out of another's.
//
// The memory is the page's, made beforehand: to allocate it here would stall the very audio thread
// that is measured.

declare function registerProcessor(name: string, processor: unknown): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

class Recorder extends AudioWorkletProcessor {
  private readonly recordings: Float32Array[];
  private at = 0;

  constructor({ processorOptions }: { processorOptions: { memory: SharedArrayBuffer[] } }) {
    super();
    this.recordings = processorOptions.memory.map((memory) => new Float32Array(memory));
  }

  process(inputs: Float32Array[][]): boolean {
    const [first] = this.recordings;
    if (first === undefined || first.length <= this.at) return false;
    let frames = 0;
    this.recordings.forEach((recording, index) => {
      const channel = inputs[index]?.[0];
      if (channel === undefined) return;
      frames = Math.min(channel.length, recording.length - this.at);
      recording.set(channel.subarray(0, frames), this.at);
    });
    this.at += frames;
    if (this.at < first.length) return true;
    this.port.postMessage("done");
    return false;
  }
}

registerProcessor("recorder", Recorder);
