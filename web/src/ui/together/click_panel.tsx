// The click: begin and end it, its tempo and meter, how it is counted in, and how loud it is for oneself.

import { useEffect, useId, useRef, useState } from "preact/hooks";

import {
  BAR_BEATS_MAX,
  type BeatStrength,
  type ClickSegment,
  TEMPO_MILLIBPM_MAX,
  TEMPO_MILLIBPM_MIN,
} from "../../protocol";
import { CLICK_GAIN_DB_MAX, CLICK_GAIN_DB_MIN } from "../../session/audio_seam";
import { type ClickSettings, UNITS, settingsOf, tempoWithin, withBeats } from "../../session/click";
import { rememberClickGain } from "../../session/preferences";
import type { Session } from "../../session/session";
import { tapped, tempoOf } from "../../session/tap_tempo";
import { decibels } from "../format";
import { onFrame } from "../frames";
import { NumberField } from "../number_field";
import type { Draft, TogetherProps } from "./bar";
import { BeatCount, BeatLight, useBeat } from "./beat";
import { LeadLine, mayConduct } from "./lead_line";
import { WithoutEngine } from "./without_engine";

interface Props extends TogetherProps {
  draft: Draft;
}

export function ClickPanel({ session, state, draft }: Props) {
  const ready = useReady(session);
  const running = 0 < state.shared.click.length;
  const may = mayConduct(state) && ready;
  const settings = draft.settings.value;
  const change = (changed: ClickSettings) => {
    draft.settings.value = changed;
    if (running) session.conductor.changeClick(changed);
  };
  const engine = session.port?.engine.mode === "engine";
  return (
    <section class="card together-panel" id="panel-click" aria-labelledby="panel-click-title">
      <h2 id="panel-click-title" class="sr-only">Click</h2>
      {!engine && (
        <WithoutEngine session={session}>
          The click plays in our engine: you do not hear it, and cannot set it.
        </WithoutEngine>
      )}
      <div class="panel-row">
        <button
          type="button"
          class={running ? "button" : "button primary"}
          disabled={!may}
          onClick={() =>
            void (running
              ? session.conductor.stopClick()
              : session.conductor.startClick(settings, draft.countInBars.value))
          }
        >
          {running ? "Stop the click" : "Start the click"}
        </button>
        {running && (
          <p class="beat-now">
            <BeatLight session={session} />
            <BeatCount session={session} />
          </p>
        )}
        {engine && !ready && <p class="help">The room’s clock is being read: a moment.</p>}
      </div>
      <fieldset class="plain" disabled={!may}>
        <legend class="sr-only">How the click goes</legend>
        <div class="panel-fields">
          <Tempo settings={settings} onChange={change} />
          <Meter settings={settings} onChange={change} />
          <CountIn bars={draft.countInBars.value} onChange={(bars) => (draft.countInBars.value = bars)} />
        </div>
        <Accents session={session} settings={settings} onChange={change} />
      </fieldset>
      {running && may && <p class="help">Changes begin with the next bar.</p>}
      {engine && <Level session={session} gainDb={state.clickGainDb} />}
      <LeadLine session={session} state={state} />
    </section>
  );
}

interface FieldProps {
  settings: ClickSettings;
  onChange: (settings: ClickSettings) => void;
}

function Tempo({ settings, onChange }: FieldProps) {
  const id = useId();
  const taps = useRef<number[]>([]);
  const bpm = settings.tempo_millibpm / 1000;
  const set = (tempo: number) => onChange({ ...settings, tempo_millibpm: tempoWithin(tempo) });
  const tap = (timeMs: number) => {
    taps.current = tapped(taps.current, timeMs);
    const tempo = tempoOf(taps.current);
    if (tempo !== null) set(Math.round(tempo));
  };
  return (
    <div class="panel-field">
      <label for={id}>
        Tempo<span class="sr-only">, beats a minute</span>
      </label>
      <div class="tempo">
        <button type="button" class="button" aria-label="Slower" onClick={() => set(bpm - 1)}>
          −
        </button>
        <NumberField
          id={id}
          min={TEMPO_MILLIBPM_MIN / 1000}
          max={TEMPO_MILLIBPM_MAX / 1000}
          step={1}
          value={bpm}
          onChange={set}
        />
        <button type="button" class="button" aria-label="Faster" onClick={() => set(bpm + 1)}>
          +
        </button>
        {/* A finger counts from when it is down; a key has no such moment but its click. */}
        <button
          type="button"
          class="button tap"
          onPointerDown={(event) => tap(event.timeStamp)}
          onClick={(event) => {
            if (event.detail === 0) tap(event.timeStamp);
          }}
        >
          Tap
        </button>
      </div>
    </div>
  );
}

function Meter({ settings, onChange }: FieldProps) {
  const id = useId();
  return (
    <div class="panel-field">
      <label for={id}>
        Meter<span class="sr-only">, beats of a bar</span>
      </label>
      <div class="meter-fields">
        <select
          id={id}
          value={settings.beats.length}
          onChange={({ currentTarget }) => onChange(withBeats(settings, Number(currentTarget.value)))}
        >
          {BEATS.map((beats) => (
            <option key={beats} value={beats}>
              {beats}
            </option>
          ))}
        </select>
        <span aria-hidden="true">/</span>
        <select
          aria-label="Note of a beat"
          value={settings.unit}
          onChange={({ currentTarget }) => onChange({ ...settings, unit: Number(currentTarget.value) })}
        >
          {UNITS.map((unit) => (
            <option key={unit} value={unit}>
              {unit}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}

function CountIn({ bars, onChange }: { bars: number; onChange: (bars: number) => void }) {
  const id = useId();
  return (
    <div class="panel-field">
      <label for={id}>Count-in</label>
      <select
        id={id}
        value={bars}
        onChange={({ currentTarget }) => onChange(Number(currentTarget.value))}
      >
        <option value={0}>none</option>
        <option value={1}>1 bar</option>
        <option value={2}>2 bars</option>
      </select>
    </div>
  );
}

interface AccentsProps extends FieldProps {
  session: Session;
}

/** A bar, beat by beat: each press makes a beat an accent, plain, silent. The one that sounds is framed. */
function Accents({ session, settings, onChange }: AccentsProps) {
  const row = useRef<HTMLDivElement>(null);
  useBeat(session, ({ beat }) => {
    const children = row.current?.children ?? [];
    for (const [index, child] of [...children].entries()) {
      child.classList.toggle("now", index === beat?.beat);
    }
  });
  const count = settings.beats.length;
  const press = (index: number) => {
    const beats = settings.beats.map((strength, at) => (at === index ? NEXT[strength] : strength));
    onChange({ ...settings, beats });
  };
  return (
    <div
      class="beats"
      role="group"
      aria-label="Beats of a bar"
      style={{ "--columns": BEATS_IN_A_ROW < count ? Math.ceil(count / 2) : count }}
      ref={row}
    >
      {settings.beats.map((strength, index) => (
        <button
          key={index}
          type="button"
          class="beat"
          data-strength={strength}
          aria-label={`Beat ${index + 1}: ${STRENGTH_WORDS[strength]}`}
          title={`${STRENGTH_WORDS[strength]}; press to change`}
          onClick={() => press(index)}
        >
          <span class="bar" aria-hidden="true" />
          <span aria-hidden="true">{index + 1}</span>
        </button>
      ))}
    </div>
  );
}

function Level({ session, gainDb }: { session: Session; gainDb: number | null }) {
  const id = useId();
  // What it was before it was switched off.
  const kept = useRef(gainDb ?? 0);
  if (gainDb !== null) kept.current = gainDb;
  const set = (gain: number | null) => {
    session.setClickGain(gain);
    rememberClickGain(gain);
  };
  return (
    <div class="fader">
      <label for={id}>
        Level<span class="sr-only"> of the click for me</span>
      </label>
      <input
        id={id}
        class="gain"
        type="range"
        min={CLICK_GAIN_DB_MIN}
        max={CLICK_GAIN_DB_MAX}
        step={1}
        value={kept.current}
        aria-valuetext={gainDb === null ? "off" : decibels(gainDb)}
        title="Double-click for 0 dB"
        onInput={(event) => set(Number(event.currentTarget.value))}
        onDblClick={() => set(0)}
      />
      <output for={id}>{gainDb === null ? "off" : decibels(gainDb)}</output>
      <button
        type="button"
        class="button small mute"
        aria-pressed={gainDb === null}
        aria-label="Click off for me"
        onClick={() => set(gainDb === null ? kept.current : null)}
      >
        Off
      </button>
    </div>
  );
}

/** A tempo and a meter in a few characters. */
export function tempoWords(click: ClickSegment[]): string {
  const settings = settingsOf(click);
  if (settings === null) return "";
  return `${settings.tempo_millibpm / 1000}, ${settings.beats.length}/${settings.unit}`;
}

/** Whether the room's clock is known, which it is a few seconds after coming. */
export function useReady(session: Session): boolean {
  const [ready, setReady] = useState(session.conductor.ready);
  useEffect(() => onFrame(() => setReady(session.conductor.ready)), [session]);
  return ready;
}

/** What a phone is wide. */
const BEATS_IN_A_ROW = 8;
const BEATS = Array.from({ length: BAR_BEATS_MAX }, (_, index) => index + 1);
const NEXT: Record<BeatStrength, BeatStrength> = { accent: "normal", normal: "silent", silent: "accent" };
const STRENGTH_WORDS: Record<BeatStrength, string> = {
  accent: "accented",
  normal: "plain",
  silent: "silent",
};
