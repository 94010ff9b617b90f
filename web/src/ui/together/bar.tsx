// What the room does together beside playing: the click, the playing mode, recording. A bar that takes one line
// while nothing of it is used, and a panel under it.

import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

import { type ClickSettings, FIRST_SETTINGS, settingsOf } from "../../session/click";
import { runningTake } from "../../session/conductor";
import type { Session } from "../../session/session";
import { type SessionState, playingMode } from "../../session/state";
import { Readout } from "../meter";
import { BeatCount, BeatLight } from "./beat";
import { ClickPanel, tempoWords } from "./click_panel";
import { MODES, ModePanel } from "./mode_panel";
import { RecordPanel } from "./record_panel";
import { Recording, recordedTime } from "./recording";

export interface TogetherProps {
  session: Session;
  state: SessionState;
}

/** What a click is going to be like, for as long as one is in the room. */
export interface Draft {
  settings: Signal<ClickSettings>;
  countInBars: Signal<number>;
}

type Panel = "click" | "mode" | "record";

export function Together({ session, state }: TogetherProps) {
  const open = useSignal<Panel | null>(null);
  const draft = useDraft(state);
  const { click } = state.shared;
  const take = runningTake(state.shared);
  const switchProps = (panel: Panel) => ({
    panel,
    open: open.value === panel,
    onClick: () => {
      open.value = open.value === panel ? null : panel;
    },
  });
  return (
    <>
      <section class="together" aria-label="Play together">
        <div class="together-bar">
          <Switch name="Click" {...switchProps("click")}>
            {click.length === 0 ? (
              "off"
            ) : (
              <>
                <BeatLight session={session} />
                <BeatCount session={session} />
                <span class="wide">· {tempoWords(click)}</span>
              </>
            )}
          </Switch>
          <Switch name="Mode" {...switchProps("mode")}>
            {MODES[playingMode(state)].name}
            {state.mode !== null && <span class="wide">· for you alone</span>}
          </Switch>
          <Switch name="Record" {...switchProps("record")}>
            {take === undefined ? (
              countWords(state.shared.takes.length)
            ) : (
              <>
                <span class="rec-dot" aria-hidden="true" />
                <span class="sr-only">recording </span>
                <Readout read={() => recordedTime(session, take)} />
              </>
            )}
          </Switch>
        </div>
        {take !== undefined && <Recording session={session} state={state} take={take} />}
      </section>
      {open.value === "click" && <ClickPanel session={session} state={state} draft={draft} />}
      {open.value === "mode" && <ModePanel session={session} state={state} />}
      {open.value === "record" && <RecordPanel session={session} state={state} draft={draft} />}
    </>
  );
}

interface SwitchProps {
  name: string;
  panel: Panel;
  open: boolean;
  onClick: () => void;
  /** How it is at the moment. */
  children: ComponentChildren;
}

function Switch({ name, panel, open, onClick, children }: SwitchProps) {
  return (
    <button
      type="button"
      class="together-switch"
      aria-expanded={open}
      aria-controls={open ? `panel-${panel}` : undefined}
      onClick={onClick}
    >
      <span class="what">{name}</span>
      <span class="how">{children}</span>
    </button>
  );
}

/** Follows the room's click while there is one, and keeps what it was like. */
function useDraft({ shared }: SessionState): Draft {
  const settings = useSignal<ClickSettings>(settingsOf(shared.click) ?? FIRST_SETTINGS);
  const countInBars = useSignal(1);
  const told = settingsOf(shared.click);
  useEffect(() => {
    if (told !== null) settings.value = told;
  }, [JSON.stringify(told)]);
  return { settings, countInBars };
}

function countWords(takes: number): string {
  if (takes === 0) return "off";
  return takes === 1 ? "1 take" : `${takes} takes`;
}
