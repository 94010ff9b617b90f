// The click as numbers: how whoever leads lays it out, and where in it a moment lies.
//
// Moments are microseconds of the room's clock. engine/core/src/click does the same for what is played, with
// the same test vectors: a beat is reckoned from the beginning of its segment, so that nothing adds up.

import {
  BAR_BEATS_MAX,
  type BeatStrength,
  CLICK_SEGMENTS_MAX,
  type ClickSegment,
  TEMPO_MILLIBPM_MAX,
  TEMPO_MILLIBPM_MIN,
} from "../protocol";

/** A tempo and a meter. */
export interface ClickSettings {
  tempo_millibpm: number;
  /** What note a beat is: 4 for a quarter. */
  unit: number;
  /** A bar, beat by beat. */
  beats: BeatStrength[];
}

/** One beat. */
export interface Beat {
  atUs: number;
  /** The number of its bar; below 1 it is counted in. */
  bar: number;
  /** Which of the bar, from 0. */
  beat: number;
  strength: BeatStrength;
}

export const UNITS = [1, 2, 4, 8, 16] as const;

/** Four quarters at a tempo that most can play to. */
export const FIRST_SETTINGS: ClickSettings = {
  tempo_millibpm: 120_000,
  unit: 4,
  beats: ["accent", "normal", "normal", "normal"],
};

/** A click that begins in a moment, so many bars counted in before the first. */
export function begin(settings: ClickSettings, nowUs: number, countInBars: number): ClickSegment[] {
  return [{ ...settings, start_us: Math.floor(nowUs) + BEGIN_US, bar: 1 - countInBars }];
}

/** The same click from the next bar on with these settings; one that begins where there is none. */
export function change(
  settings: ClickSettings,
  segments: readonly ClickSegment[],
  nowUs: number,
): ClickSegment[] {
  const heardByUs = nowUs + CHANGE_US;
  // What would have begun later than this change is not wanted any more.
  const begun = segments.filter((segment) => segment.start_us <= heardByUs);
  const bar = nextBar(begun, heardByUs);
  if (bar === null) {
    // It has not begun: it begins as laid out, but like this.
    const first = segments[0];
    return first === undefined ? begin(settings, nowUs, 0) : [{ ...first, ...settings }];
  }
  // Of those that have begun, only the one that is played now and what follows is of use.
  const played = Math.max(0, begun.findLastIndex((segment) => segment.start_us <= nowUs));
  // One whose first bar is this very bar is replaced by it.
  const kept = begun.slice(played).filter((segment) => segment.start_us < bar.atUs);
  return [...kept, { ...settings, start_us: bar.atUs, bar: bar.bar }].slice(-CLICK_SEGMENTS_MAX);
}

/** The first beat at a moment or later; null where there is no click. */
export function nextBeat(segments: readonly ClickSegment[], fromUs: number): Beat | null {
  for (const [index, segment] of segments.entries()) {
    const endUs = segments[index + 1]?.start_us ?? Number.POSITIVE_INFINITY;
    if (endUs <= fromUs) continue;
    const beat = beatOf(segment, indexFrom(segment, fromUs));
    // What falls on the beginning of the next segment, or behind it, is that segment's.
    if (beat.atUs < endUs) return beat;
  }
  return null;
}

/** The first beat of a bar at a moment or later; null where there is no click. */
export function nextBar(segments: readonly ClickSegment[], fromUs: number): Beat | null {
  let from = fromUs;
  for (let looks = 0; looks < 2 * BAR_BEATS_MAX * CLICK_SEGMENTS_MAX; looks += 1) {
    const beat = nextBeat(segments, from);
    if (beat === null || beat.beat === 0) return beat;
    from = beat.atUs + 1;
  }
  return null;
}

/** The beat that a moment is in; null before the first, and where there is no click. */
export function beatAt(segments: readonly ClickSegment[], atUs: number): Beat | null {
  const segment = segments.findLast((each) => each.start_us <= atUs);
  if (segment === undefined) return null;
  const index = indexFrom(segment, atUs);
  return beatOf(segment, atUs < beatUs(segment, index) ? index - 1 : index);
}

/** What is played from the latest change on; null where there is no click. */
export function settingsOf(segments: readonly ClickSegment[]): ClickSettings | null {
  const last = segments.at(-1);
  if (last === undefined) return null;
  const { tempo_millibpm, unit, beats } = last;
  return { tempo_millibpm, unit, beats };
}

/** The same settings with another number of beats: those that were there stay as they are. */
export function withBeats(settings: ClickSettings, count: number): ClickSettings {
  const beats = Array.from({ length: count }, (_, index): BeatStrength => {
    return settings.beats[index] ?? (index === 0 ? "accent" : "normal");
  });
  return { ...settings, beats };
}

/** A tempo that can be played, to a hundredth of a beat. */
export function tempoWithin(tempoBpm: number): number {
  const tempo = Math.round(tempoBpm * 100) * 10;
  return Math.min(TEMPO_MILLIBPM_MAX, Math.max(TEMPO_MILLIBPM_MIN, tempo));
}

/** The number of the first beat at a moment or later. */
function indexFrom(segment: ClickSegment, fromUs: number): number {
  const passedUs = Math.max(0, fromUs - segment.start_us);
  const index = Math.floor((passedUs * segment.tempo_millibpm) / BEAT_MILLIBPM_US);
  // Moments are rounded down, so the beat just before may be at this microsecond.
  return beatUs(segment, index) < fromUs ? index + 1 : index;
}

function beatUs({ start_us, tempo_millibpm }: ClickSegment, index: number): number {
  return start_us + Math.floor((index * BEAT_MILLIBPM_US) / tempo_millibpm);
}

function beatOf(segment: ClickSegment, index: number): Beat {
  const { beats } = segment;
  const beat = index % beats.length;
  return {
    atUs: beatUs(segment, index),
    bar: segment.bar + Math.floor(index / beats.length),
    beat,
    strength: beats[beat] ?? "normal",
  };
}

/** A beat at a thousandth of a beat a minute. */
const BEAT_MILLIBPM_US = 60_000_000_000;

/** What a message may take to everybody: half a second, and 0.3 s where the click runs already. */
const BEGIN_US = 500_000;
const CHANGE_US = 300_000;
