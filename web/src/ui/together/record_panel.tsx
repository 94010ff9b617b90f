// Recording everybody: how a take begins, and the takes that there are.

import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";

import { TAKE_TITLE_CHARS_MAX } from "../../protocol";
import { runningTake } from "../../session/conductor";
import type { Draft, TogetherProps } from "./bar";
import { useReady } from "./click_panel";
import { mayConduct } from "./lead_line";
import { OwnRecording } from "./own_recording";
import { Takes } from "./takes";
import { WithoutEngine } from "./without_engine";

interface Props extends TogetherProps {
  draft: Draft;
}

export function RecordPanel({ session, state, draft }: Props) {
  const running = runningTake(state.shared) !== undefined;
  return (
    <section class="card together-panel" id="panel-record" aria-labelledby="panel-record-title">
      <h2 id="panel-record-title" class="sr-only">Record</h2>
      {!running && <NewTake session={session} state={state} draft={draft} />}
      <OwnRecording session={session} state={state} />
      {running && state.shared.takes.length === 1 ? null : <Takes takes={state.shared.takes} />}
    </section>
  );
}

function NewTake({ session, state, draft }: Props) {
  const id = useId();
  const title = useSignal("");
  const countIn = useSignal(false);
  const ready = useReady(session);
  const { click, takes } = state.shared;
  const engine = session.port?.engine.mode === "engine";
  const start = async () => {
    const bars = Math.max(1, draft.countInBars.value);
    const counted = countIn.value && mayConduct(state);
    const begun = await session.conductor.startTake(
      title.value,
      counted ? { settings: draft.settings.value, bars } : null,
    );
    if (begun) title.value = "";
  };
  return (
    <form
      class="new-take"
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
    >
      <p class="help">
        Everybody is recorded on their own machine: what gets lost on the way is not missing. All
        see that it runs, and may stop it.
      </p>
      {!engine && (
        <WithoutEngine session={session}>
          You can begin no take and are not recorded: both are our engine’s.
        </WithoutEngine>
      )}
      <div class="panel-row">
        <div class="panel-field title">
          <label for={id}>Title</label>
          <input
            id={id}
            type="text"
            maxLength={TAKE_TITLE_CHARS_MAX}
            placeholder={`Take ${takes.length + 1}`}
            autocomplete="off"
            value={title.value}
            onInput={({ currentTarget }) => (title.value = currentTarget.value)}
          />
        </div>
        <button
          type="submit"
          class="button primary record"
          disabled={!ready || state.phase.name !== "in"}
        >
          <span class="rec-dot" aria-hidden="true" />
          Record everybody
        </button>
      </div>
      {0 < click.length ? (
        <p class="help">It begins with the next bar of the click.</p>
      ) : (
        mayConduct(state) && (
          <label class="check">
            <input
              type="checkbox"
              checked={countIn.value}
              onChange={({ currentTarget }) => (countIn.value = currentTarget.checked)}
            />
            With the click, counted in
          </label>
        )
      )}
      {engine && !ready && <p class="help">The room’s clock is being read: a moment.</p>}
    </form>
  );
}
