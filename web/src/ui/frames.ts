// One requestAnimationFrame loop for everything that moves, outside of rendering: a meter that
// changed the tree sixty times a second would cost more than the sound does.

type Frame = (nowMs: number) => void;

const frames = new Set<Frame>();
let running = false;
let last = 0;

/** Calls `frame` before every repaint until the returned function is called. */
export function onFrame(frame: Frame): () => void {
  frames.add(frame);
  if (!running) {
    running = true;
    requestAnimationFrame(tick);
  }
  return () => frames.delete(frame);
}

function tick(nowMs: number): void {
  if (frames.size === 0) {
    running = false;
    return;
  }
  requestAnimationFrame(tick);
  // Whoever asked for less motion still needs to see a level, but not sixty times a second.
  if (reducedMotion.matches && nowMs - last < REDUCED_MS) return;
  last = nowMs;
  for (const frame of frames) frame(nowMs);
}

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

const REDUCED_MS = 250;
