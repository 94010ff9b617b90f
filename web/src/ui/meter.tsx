// Level meters and numbers that change by themselves. They read their source in the frame loop and
// touch only their own element; nothing is rendered again.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { LEVEL_DB_MIN, UNKNOWN, decibels, meterPosition } from "./format";
import { onFrame } from "./frames";

interface MeterProps {
  /** What is measured, for people who do not see it. */
  label: string;
  /** The level in dBFS at this moment. */
  read: () => number;
}

export function Meter({ label, read }: MeterProps) {
  const root = useRef<HTMLDivElement>(null);
  const cover = useRef<HTMLDivElement>(null);
  const peak = useRef<HTMLDivElement>(null);
  const source = useRef(read);
  source.current = read;

  useEffect(() => {
    let shown = LEVEL_DB_MIN;
    let held = LEVEL_DB_MIN;
    let heldAt = 0;
    let spokenAt = -SPOKEN_MS;
    let clippedAt = -CLIP_MS;
    let last = 0;
    return onFrame((now) => {
      const level = Math.min(0, Math.max(LEVEL_DB_MIN, source.current()));
      const fallen = shown - (FALL_DB_PER_S * (now - last)) / 1000;
      last = now;
      shown = Math.max(level, fallen, LEVEL_DB_MIN);
      if (held <= level || HOLD_MS < now - heldAt) {
        held = shown;
        heldAt = now;
      }
      if (CLIP_DB <= level) clippedAt = now;
      cover.current?.style.setProperty("transform", `scaleX(${1 - meterPosition(shown)})`);
      peak.current?.style.setProperty("transform", `translateX(calc(${100 * meterPosition(held)}% - 2px))`);
      root.current?.classList.toggle("clipping", now - clippedAt < CLIP_MS);
      if (SPOKEN_MS <= now - spokenAt) {
        spokenAt = now;
        root.current?.setAttribute("aria-valuenow", String(Math.round(shown)));
        root.current?.setAttribute("aria-valuetext", decibels(shown));
      }
    });
  }, []);

  return (
    <div
      class="meter"
      role="meter"
      aria-label={label}
      aria-valuemin={LEVEL_DB_MIN}
      aria-valuemax={0}
      aria-valuenow={LEVEL_DB_MIN}
      ref={root}
    >
      <div class="meter-cover" ref={cover} />
      <div class="meter-peak" ref={peak} />
    </div>
  );
}

interface ReadoutProps {
  read: (nowMs: number) => string;
}

/** A text that follows its source twice a second. */
export function Readout({ read }: ReadoutProps) {
  const root = useRef<HTMLSpanElement>(null);
  const source = useRef(read);
  source.current = read;

  useEffect(() => {
    let shownAt = -READOUT_MS;
    return onFrame((now) => {
      if (now - shownAt < READOUT_MS || root.current === null) return;
      shownAt = now;
      const text = source.current(now);
      if (root.current.textContent !== text) root.current.textContent = text;
    });
  }, []);

  return (
    <span class="readout" ref={root}>
      {UNKNOWN}
    </span>
  );
}

interface FlagProps {
  when: () => boolean;
  children: ComponentChildren;
}

/** Something that is there while its source says so, looked at twice a second. */
export function Flag({ when, children }: FlagProps) {
  const root = useRef<HTMLDivElement>(null);
  const source = useRef(when);
  source.current = when;

  useEffect(() => {
    let shownAt = -READOUT_MS;
    return onFrame((now) => {
      if (now - shownAt < READOUT_MS || root.current === null) return;
      shownAt = now;
      root.current.hidden = !source.current();
    });
  }, []);

  return (
    <div role="status" ref={root} hidden>
      {children}
    </div>
  );
}

/** As fast as a hand-held meter falls (IEC 60268-10 type I: 20 dB in 1.7 s), a little quicker. */
const FALL_DB_PER_S = 24;
const HOLD_MS = 1_500;
const CLIP_DB = -0.5;
const CLIP_MS = 2_000;
const SPOKEN_MS = 500;
const READOUT_MS = 500;
