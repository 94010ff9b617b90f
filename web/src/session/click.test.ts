// The same vectors as engine/core/src/click: whoever changes one side changes the other.

import { expect, it } from "vitest";

import { CLICK_SEGMENTS_MAX, type ClickSegment } from "../protocol";
import {
  type ClickSettings,
  FIRST_SETTINGS,
  beatAt,
  begin,
  change,
  nextBar,
  nextBeat,
  tempoWithin,
  withBeats,
} from "./click";

const NOW_US = 1_790_000_000_000_000;
const afterMs = (ms: number) => NOW_US + ms * 1000;

function settings(bpm: number, beats: number): ClickSettings {
  const plain = { ...FIRST_SETTINGS, beats: [] };
  return withBeats({ ...plain, tempo_millibpm: bpm * 1000 }, beats);
}

/** (milliseconds after, bar, tempo) of each segment. */
function laidOut(segments: ClickSegment[]): [number, number, number][] {
  return segments.map((s) => [(s.start_us - NOW_US) / 1000, s.bar, s.tempo_millibpm / 1000]);
}

it("a change waits for the bar that everybody hears of in time", () => {
  const begun = begin(settings(120, 4), NOW_US, 1);
  expect(laidOut(begun)).toEqual([[500, 0, 120]]);
  // Bars are at 500, 2500, 4500.
  const changed = (bpm: number, beats: number, segments: ClickSegment[], ms: number) =>
    change(settings(bpm, beats), segments, afterMs(ms));
  expect(laidOut(changed(150, 3, begun, 2_100))).toEqual([[500, 0, 120], [2500, 1, 150]]);
  const later = changed(150, 3, begun, 2_300);
  expect(laidOut(later)).toEqual([[500, 0, 120], [4500, 2, 150]]);
  // Once more before it holds: what was wanted first is never played.
  expect(laidOut(changed(60, 2, later, 2_400))).toEqual([[500, 0, 120], [4500, 2, 60]]);
  // Long after, the first segment is of no use any more. Bars are at 4500 and each 1200 then.
  const last = changed(60, 2, later, 6_000);
  expect(laidOut(last)).toEqual([[4500, 2, 150], [6900, 4, 60]]);
  expect(nextBar(last, afterMs(6_800))?.bar).toBe(4);
});

it("a click that has not begun begins as it was laid out", () => {
  const begun = begin(settings(120, 4), NOW_US, 2);
  const changed = change(settings(90, 3), begun, afterMs(100));
  expect(laidOut(changed)).toEqual([[500, -1, 90]]);
  expect(changed[0]?.beats).toEqual(["accent", "normal", "normal"]);
  expect(laidOut(change(settings(90, 3), [], NOW_US))).toEqual([[500, 1, 90]]);
});

it("however often it is changed it can be told", () => {
  let segments = begin(settings(400, 1), NOW_US, 0);
  for (let step = 0; step < 200; step += 1) {
    const next = { ...settings(60, 1 + (step % 16)), tempo_millibpm: 60_000 + 1_700 * step };
    segments = change(next, segments, afterMs(600 + 150 * step));
    expect(segments.length).toBeLessThanOrEqual(CLICK_SEGMENTS_MAX);
    const starts = segments.map((segment) => segment.start_us);
    expect(starts).toEqual([...new Set(starts)].sort((a, b) => a - b));
  }
});

it("a moment lies in a beat of a bar", () => {
  const click = begin(settings(120, 3), NOW_US, 1);
  const at = (ms: number) => {
    const beat = beatAt(click, afterMs(ms));
    return beat === null ? null : [beat.bar, beat.beat, (beat.atUs - NOW_US) / 1000];
  };
  expect(at(499.9)).toBeNull();
  expect(at(500)).toEqual([0, 0, 500]);
  expect(at(1999)).toEqual([0, 2, 1500]);
  expect(at(2000)).toEqual([1, 0, 2000]);
  expect(beatAt([], NOW_US)).toBeNull();
  // Two hours on, beats are where they were reckoned from the beginning.
  const odd = begin(settings(137, 4), NOW_US, 0);
  const late = nextBeat(odd, afterMs(7_200_000));
  const index = ((late?.bar ?? 0) - 1) * 4 + (late?.beat ?? 0);
  expect(late?.atUs).toBe(afterMs(500) + Math.floor((index * 60_000_000) / 137));
  expect(beatAt(odd, late?.atUs ?? 0)).toEqual(late);
  expect(beatAt(odd, (late?.atUs ?? 0) - 1)?.atUs).toBeLessThan(late?.atUs ?? 0);
});

it("settings stay within what can be played", () => {
  expect([tempoWithin(3), tempoWithin(92.456), tempoWithin(9_000)]).toEqual([20_000, 92_460, 400_000]);
  const swung: ClickSettings = { ...FIRST_SETTINGS, beats: ["silent", "accent"] };
  expect(withBeats(swung, 3).beats).toEqual(["silent", "accent", "normal"]);
  expect(withBeats(swung, 1).beats).toEqual(["silent"]);
});
