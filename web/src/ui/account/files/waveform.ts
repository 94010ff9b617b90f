// What a waveform is drawn from, and where the keys of a keyboard lead in it.

import type { FilePeaks } from "../../../protocol/social";

/** The lowest and the highest of each of so many columns, -1 to 1. */
export function columns({ min, max }: FilePeaks, count: number): [low: number, high: number][] {
  const points = Math.min(min.length, max.length);
  if (points === 0) return [];
  return Array.from({ length: count }, (_, column) => {
    const from = Math.min(points - 1, Math.floor((column * points) / count));
    const to = Math.max(from + 1, Math.floor(((column + 1) * points) / count));
    return [Math.min(...min.slice(from, to)) / 128, Math.max(...max.slice(from, to)) / 127];
  });
}

/** Where a key leads; null where it leads nowhere. All in milliseconds. */
export function keySeek(key: string, at: number, duration: number): number | null {
  const step = STEPS_MS[key];
  if (step !== undefined) return Math.min(duration, Math.max(0, at + step));
  if (key === "Home") return 0;
  return key === "End" ? duration : null;
}

const STEPS_MS: Record<string, number> = {
  ArrowRight: 5_000,
  ArrowUp: 5_000,
  ArrowLeft: -5_000,
  ArrowDown: -5_000,
  PageUp: 30_000,
  PageDown: -30_000,
};
