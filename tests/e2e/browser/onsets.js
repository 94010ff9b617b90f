// A stopwatch inside the page: when bursts of sound come from the microphone, and when they leave for the
// loudspeaker.
//
// Loaded before the page's own scripts, as the recorder is, and like it in the graph's own threads. What
// surprises: pages of one machine share its wall clock, so that the times of two pages can be compared.

{
  const times = { in: [], out: [] };
  const watched = { in: null, out: null };
  const ready = new WeakMap();
  const connect = AudioNode.prototype.connect;

  /** Watches what `node` puts out, as `end`; a page has one of each. */
  function watch(node, end) {
    if (watched[end] === node) return;
    watched[end] = node;
    const { context } = node;
    const loading = ready.get(context) ?? context.audioWorklet.addModule("/__test/onsets_worklet.js");
    ready.set(context, loading);
    const begin = () => {
      const detector = new AudioWorkletNode(context, "test-onsets", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
      detector.port.onmessage = ({ data }) => times[end].push(data);
      connect.call(node, detector);
    };
    loading.then(begin).catch(console.error);
  }

  AudioNode.prototype.connect = function (target, ...rest) {
    if (this instanceof MediaStreamAudioSourceNode) watch(this, "in");
    if (target instanceof AudioDestinationNode && this.context instanceof AudioContext) watch(this, "out");
    return connect.call(this, target, ...rest);
  };

  window.__onsets = {
    /** What was heard since it was last asked, in milliseconds of the wall clock; forgets it. */
    take: (end) => times[end].splice(0),
    /** From the graph to the loudspeaker, as the browser says, in milliseconds. */
    outputMs: () => 1000 * (watched.out?.context.outputLatency ?? 0),
  };
}
