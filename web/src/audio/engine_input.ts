// What the engine captures, a microphone or a node of the same context, and that it is not late.
//
// A browser queues in front of the context what it captured while nothing was computed, and plays all of it: what is
// sent would be tens of milliseconds later from then on. A node that is made anew begins without a queue.

/** How long a browser may take to hand over what it captured during a stall. */
const BACKLOG_MS = 300;

export class EngineInput {
  private source: AudioNode;
  private target: AudioNode | null = null;
  private freshening: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly context: AudioContext,
    input: MediaStream | AudioNode,
  ) {
    this.source = sourceNode(context, input);
  }

  /** Feeds a node, and no other. */
  connect(target: AudioNode): void {
    if (this.target !== null) this.source.disconnect(this.target);
    this.target = target;
    this.source.connect(target);
  }

  /** Takes another microphone, or the same one anew. */
  replace(stream: MediaStream): void {
    const before = this.source;
    this.source = sourceNode(this.context, stream);
    if (this.target === null) return;
    this.source.connect(this.target);
    before.disconnect(this.target);
  }

  /** Takes the microphone anew, soon: the context stood still. */
  freshen(): void {
    this.freshening ??= setTimeout(() => {
      this.freshening = null;
      const { source } = this;
      if (source instanceof MediaStreamAudioSourceNode) this.replace(source.mediaStream);
    }, BACKLOG_MS);
  }

  /** From the microphone to the context, as the browser knows it. */
  delayMs(): number {
    if (!(this.source instanceof MediaStreamAudioSourceNode)) return 0;
    const [track] = this.source.mediaStream.getAudioTracks();
    // The DOM library's types do not list it.
    const { latency } = (track?.getSettings() ?? {}) as { latency?: number };
    return (latency ?? 0) * 1000;
  }

  close(): void {
    if (this.freshening !== null) clearTimeout(this.freshening);
    this.source.disconnect();
    this.target = null;
  }
}

function sourceNode(context: AudioContext, input: MediaStream | AudioNode): AudioNode {
  return input instanceof MediaStream ? context.createMediaStreamSource(input) : input;
}
