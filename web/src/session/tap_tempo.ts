// A tempo out of taps: the median of the latest intervals, so that one stumble changes nothing.

/** The times of taps that count, with another; a pause begins anew. */
export function tapped(taps: readonly number[], nowMs: number): number[] {
  const last = taps.at(-1);
  if (last === undefined || nowMs < last || PAUSE_MS < nowMs - last) return [nowMs];
  return [...taps, nowMs].slice(-TAPS_MAX);
}

/** Beats in a minute; null before there is an interval. */
export function tempoOf(taps: readonly number[]): number | null {
  const intervals = taps.slice(1).map((tap, index) => tap - (taps[index] ?? tap));
  intervals.sort((a, b) => a - b);
  const middle = intervals.length >> 1;
  const [low, high] = [intervals[Math.ceil(intervals.length / 2) - 1], intervals[middle]];
  if (low === undefined || high === undefined) return null;
  return 60_000 / Math.max(1, (low + high) / 2);
}

/** Slower than 30 beats a minute nobody taps. */
const PAUSE_MS = 2_000;
/** Eight intervals: two bars of four. */
const TAPS_MAX = 9;
