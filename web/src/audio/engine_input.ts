// What the engine captures, a microphone or a node of the same context, and that it is not late.
//
// A browser queues in front of the context what it captured while nothing was computed, and plays all of it; and where a
// piece comes late, it waits for one more from then on. What is sent would be tens of milliseconds later for ever. A
// node that is made anew begins without a queue.

import type { InputProbe } from "./input_probe";
import { InputWatch } from "./input_watch";

/** How long a browser may take to hand over what it captured during a stall. */
const BACKLOG_MS = 300;
/** What waits in the queue for longer is worth a cut in the sound. It holds a third of that where output comes in bursts. */
const QUEUED_MS = 12;
/** For how long it must have been so, in measurements, five a second. */
const QUEUED_FOR = 5;
/** How soon it is tried again, twice as late each time that it was in vain, and how often: some devices are like that. */
const FRESH_MS = 5_000;
const IN_VAIN_MAX = 4;

export class EngineInput {
  private source: AudioNode;
  private target: AudioNode | null = null;
  private freshening: ReturnType<typeof setTimeout> | null = null;
  private readonly watch: InputWatch;
  private queuedFor = 0;
  private freshAtMs = -Infinity;
  private inVain = 0;
  /** The sound comes from another moment from now on: there was a stall, or there is another microphone. */
  onjump: (() => void) | null = null;

  /** `wide` where both channels of the input are wanted. */
  constructor(
    private readonly context: AudioContext,
    input: MediaStream | AudioNode,
    wide: boolean,
  ) {
    this.source = sourceNode(context, input);
    this.watch = new InputWatch(wide);
    this.watch.follow(this.track());
  }

  /** Feeds a node, and no other. */
  connect(target: AudioNode): void {
    if (this.target !== null) this.source.disconnect(this.target);
    this.target = target;
    this.source.connect(target);
  }

  /** Takes another microphone, or the same one anew. */
  replace(stream: MediaStream): void {
    const [before, followed] = [this.source, this.track()];
    this.source = sourceNode(this.context, stream);
    if (this.track() === followed) this.watch.forget();
    else this.watch.follow(this.track());
    this.queuedFor = 0;
    this.onjump?.();
    if (this.target === null) return;
    this.source.connect(this.target);
    before.disconnect(this.target);
  }

  /** Takes the microphone anew, soon: the context stood still. */
  freshen(): void {
    this.freshening ??= setTimeout(() => {
      this.freshening = null;
      this.freshAtMs = performance.now();
      const { source } = this;
      if (source instanceof MediaStreamAudioSourceNode) this.replace(source.mediaStream);
    }, BACKLOG_MS);
  }

  /** Takes a few samples that the worklet was given. */
  probe(probe: InputProbe): void {
    this.watch.probe(probe);
    if (this.watch.takeJump()) this.onjump?.();
  }

  /** Takes how long sound is under way from the microphone to the context, as measured. */
  measured(delayMs: number): void {
    const queued = QUEUED_MS < delayMs - this.watch.trackMs();
    this.queuedFor = queued ? this.queuedFor + 1 : 0;
    const passedMs = performance.now() - this.freshAtMs;
    if (!queued && FRESH_MS < passedMs) this.inVain = 0;
    if (this.queuedFor < QUEUED_FOR || IN_VAIN_MAX <= this.inVain || this.freshening !== null) return;
    if (passedMs < FRESH_MS * 2 ** this.inVain) return;
    this.inVain += 1;
    this.freshen();
  }

  /** When a moment of the context was at the microphone, in ms since 1970, where that can be measured. */
  capturedMs(contextMs: number): number | null {
    return this.watch.capturedMs(contextMs);
  }

  /** Whether {@link capturedMs} may soon know more. */
  settling(): boolean {
    return this.watch.settling();
  }

  /** The context stood still: what was measured is of before. */
  interrupted(): void {
    this.watch.forget();
  }

  /** From the microphone to the context, as the browser knows it. */
  saidDelayMs(): number {
    // The DOM library's types do not list it.
    const { latency } = (this.track()?.getSettings() ?? {}) as { latency?: number };
    return (latency ?? 0) * 1000;
  }

  close(): void {
    this.onjump = null;
    this.watch.close();
    if (this.freshening !== null) clearTimeout(this.freshening);
    this.source.disconnect();
    this.target = null;
  }

  private track(): MediaStreamTrack | null {
    if (!(this.source instanceof MediaStreamAudioSourceNode)) return null;
    return this.source.mediaStream.getAudioTracks()[0] ?? null;
  }
}

function sourceNode(context: AudioContext, input: MediaStream | AudioNode): AudioNode {
  return input instanceof MediaStream ? context.createMediaStreamSource(input) : input;
}
