// Records what enters its inputs, one channel of each, quantum by quantum on the same clock: input 0
// is what is played into one musician's end, input 1 what comes out of another's.

declare const sampleRate: number;
declare function registerProcessor(name: string, processor: unknown): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

class Recorder extends AudioWorkletProcessor {
  private readonly recordings: Float32Array[];
  private at = 0;

  constructor({ processorOptions }: { processorOptions: { seconds: number } }) {
    super();
    const frames = Math.ceil(processorOptions.seconds * sampleRate);
    this.recordings = [new Float32Array(frames), new Float32Array(frames)];
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
    this.port.postMessage(this.recordings);
    return false;
  }
}

registerProcessor("recorder", Recorder);
