// Recorder inside the page: whatever a page plays is copied to the test, sample by sample.
//
// Loaded before the page's own scripts. AudioNode.connect is wrapped, so that everything which goes
// to the loudspeaker of an AudioContext also goes to a recording worklet; audio elements that play
// a MediaStream are recorded through one of our own contexts. What surprises: nothing of the page
// under test knows of it, and samples are taken before the output device, in the graph's own time,
// so a busy main thread delays a recording but puts no hole into it.

{
  const MODULE = "/__test/recorder_worklet.js";
  const RATE = 48000;
  const recordings = new Map();
  const ready = new WeakMap();

  /** Adds the blocks that a recording node posts under a name. */
  function collect(name, node) {
    const blocks = [];
    recordings.set(name, { blocks, running: false });
    node.port.onmessage = ({ data }) => {
      if (recordings.get(name).running) blocks.push(data);
    };
  }

  function recordingNode(context, name) {
    const loading = ready.get(context) ?? context.audioWorklet.addModule(MODULE);
    ready.set(context, loading);
    return loading.then(() => {
      const node = new AudioWorkletNode(context, "test-recorder", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
      collect(name, node);
      return node;
    });
  }

  const connect = AudioNode.prototype.connect;
  let outputs = 0;
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode && this.context instanceof AudioContext) {
      const name = `output-${outputs++}`;
      recordingNode(this.context, name).then((node) => connect.call(this, node)).catch(console.error);
    }
    return connect.call(this, target, ...rest);
  };

  /** Records what an audio element plays from a MediaStream. */
  async function recordElement(selector, name) {
    const element = document.querySelector(selector);
    const context = new AudioContext({ sampleRate: RATE });
    await context.resume();
    const source = context.createMediaStreamSource(element.srcObject);
    connect.call(source, await recordingNode(context, name));
  }

  window.__recorder = {
    recordElement,
    names: () => [...recordings.keys()],
    start() {
      for (const recording of recordings.values()) Object.assign(recording, { running: true }).blocks.length = 0;
    },
    /** Ends all recordings; gives samples as base64 of 16-bit little-endian, by name. */
    stop() {
      const out = {};
      for (const [name, recording] of recordings) {
        recording.running = false;
        const samples = new Int16Array(recording.blocks.reduce((sum, block) => sum + block.length, 0));
        let at = 0;
        for (const block of recording.blocks) {
          for (const sample of block) samples[at++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
        }
        let text = "";
        const bytes = new Uint8Array(samples.buffer);
        for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
        out[name] = btoa(text);
      }
      return out;
    },
  };
}
