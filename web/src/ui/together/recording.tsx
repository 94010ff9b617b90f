// That everybody is recorded: in sight for all for as long as it lasts.

import { useSignal } from "@preact/signals";

import type { Take } from "../../protocol";
import type { Session } from "../../session/session";
import type { SessionState } from "../../session/state";
import { UNKNOWN, clockTime } from "../format";
import { Readout } from "../meter";
import type { TogetherProps } from "./bar";
import { useReady } from "./click_panel";

interface Props extends TogetherProps {
  take: Take;
}

export function Recording({ session, state, take }: Props) {
  const marked = useSignal("");
  const ready = useReady(session);
  const me = state.participants.find((participant) => participant.id === state.me)?.name ?? "";
  const may = ready && state.phase.name === "in";
  const mark = async () => {
    const time = recordedTime(session, take);
    if (await session.conductor.markTake(`Mark by ${me}`)) marked.value = `Marked at ${time}.`;
  };
  return (
    <div class="recording">
      <span class="rec-dot" aria-hidden="true" />
      <p>
        <strong>Recording</strong> <Readout read={() => recordedTime(session, take)} />
      </p>
      <button type="button" class="button small" disabled={!may} onClick={() => void mark()}>
        Mark<span class="sr-only"> this moment</span>
      </button>
      <button
        type="button"
        class="button small stop"
        disabled={!may}
        onClick={() => void session.conductor.stopTake()}
      >
        Stop<span class="sr-only"> recording</span>
      </button>
      <p class="what">
        <span class="title">{take.title}</span>
        <span class="who">started by {take.started_by}</span>
        <span role="status">{marked.value}</span>
      </p>
      {unrecorded(session, state) !== null && (
        <p class="unrecorded problem-line">{unrecorded(session, state)}</p>
      )}
    </div>
  );
}

/** Why one is not recorded oneself, in words; null where one is. */
function unrecorded(session: Session, state: SessionState): string | null {
  if (state.myTrack === null) return null;
  if (!state.recordMe) return "You are not recorded: “Record me, too” is off. It is under Record.";
  if (session.port !== null && session.port.engine.mode !== "engine") {
    return "You are not recorded: this browser plays without the engine that records.";
  }
  return session.stems.value.problem;
}

/** How long a take has run; a dash where the room's clock is not known. */
export function recordedTime(session: Session, take: Take): string {
  const nowUs = session.roomNowUs();
  if (nowUs === null) return UNKNOWN;
  // The moment at which it begins is a little ahead.
  return clockTime(Math.max(0, nowUs - take.start_us) / 1e6);
}
