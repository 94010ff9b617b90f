// Opens the audio output as early as the browser can: the smallest latency, at the rate of the
// wire, in render quanta of 64 where that can be asked for.

/** What the DOM library's types do not know yet. */
interface ContextOptions extends AudioContextOptions {
  renderSizeHint?: number | "default" | "hardware";
}

export function openContext(): AudioContext {
  const options: ContextOptions = { latencyHint: 0, sampleRate: 48_000, renderSizeHint: 64 };
  return new AudioContext(options);
}

/**
 * Starts the context, at the next touch or key where the browser insists on one, and again whenever
 * the system interrupts it. Gives a function that stops looking after it.
 */
export function keepRunning(context: AudioContext): () => void {
  const resume = () => tryResume(context);
  const gestures = ["pointerdown", "keydown"] as const;
  for (const gesture of gestures) document.addEventListener(gesture, resume, { passive: true });
  context.addEventListener("statechange", resume);
  resume();
  return () => {
    for (const gesture of gestures) document.removeEventListener(gesture, resume);
    context.removeEventListener("statechange", resume);
  };
}

/** Starts the context if the browser lets it; refused, it waits for the next occasion. */
export function tryResume(context: AudioContext): void {
  if (context.state === "running" || context.state === "closed") return;
  context.resume().catch(() => undefined);
}

/** From the context's output to the loudspeaker, as the browser knows it. */
export function outputDelayMs(context: AudioContext): number {
  const seconds = context.outputLatency ?? context.baseLatency ?? 0;
  return Number.isFinite(seconds) ? seconds * 1000 : 0;
}
