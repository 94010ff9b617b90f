// How late everybody hears everybody: what the room plays by, and what one has for oneself instead.

import { useId } from "preact/hooks";

import type { PlayingMode } from "../../protocol";
import { rememberMode } from "../../session/preferences";
import type { TogetherProps } from "./bar";
import { LeadLine, mayConduct } from "./lead_line";
import { WithoutEngine } from "./without_engine";

/** What each mode is called, and what it does to the music. */
export const MODES: Record<PlayingMode, { name: string; what: string }> = {
  tight: {
    name: "Tight",
    what: "Everybody is heard as early as holds. For playing in time, nearby.",
  },
  aligned: {
    name: "Aligned",
    what: "Everybody is heard equally late, so that the others are together. For following a leader or the click.",
  },
  beat: {
    name: "Beat",
    what: "Others are heard whole beats later, so that their beats fall on yours. For far away and music that goes round; needs the click.",
  },
};

export function ModePanel({ session, state }: TogetherProps) {
  const name = useId();
  const own = useId();
  const { mode, click } = state.shared;
  const choose = (value: string) => {
    const chosen = isMode(value) ? value : null;
    session.setOwnMode(chosen);
    rememberMode(chosen);
  };
  const engine = session.port?.engine.mode === "engine";
  return (
    <section class="card together-panel" id="panel-mode" aria-labelledby="panel-mode-title">
      <h2 id="panel-mode-title" class="sr-only">Mode</h2>
      <fieldset class="plain modes" disabled={!mayConduct(state)}>
        <legend>The room plays</legend>
        {ALL.map((each) => (
          <label key={each} class="mode">
            <input
              type="radio"
              name={name}
              value={each}
              checked={mode === each}
              onChange={() => void session.conductor.setMode(each)}
            />
            <span>
              <strong>{MODES[each].name}</strong>
              <span class="help">{MODES[each].what}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {engine ? (
        <div class="panel-field own-mode">
          <label for={own}>For me</label>
          <select
            id={own}
            value={state.mode ?? ""}
            onChange={({ currentTarget }) => choose(currentTarget.value)}
          >
            <option value="">As the room ({MODES[mode].name.toLowerCase()})</option>
            {ALL.map((each) => (
              <option key={each} value={each}>
                {MODES[each].name}
              </option>
            ))}
          </select>
        </div>
      ) : (
        <WithoutEngine session={session}>
          Modes are our engine’s: here you hear everybody as the browser has it.
        </WithoutEngine>
      )}
      {(state.mode ?? mode) === "beat" && click.length === 0 && (
        <p class="help">There is no click: until it begins, this sounds like Tight.</p>
      )}
      <LeadLine session={session} state={state} />
    </section>
  );
}

function isMode(value: string): value is PlayingMode {
  return value in MODES;
}

const ALL = ["tight", "aligned", "beat"] as const;
