// That everybody is recorded: in sight for all for as long as it lasts.

import { useSignal } from "@preact/signals";

import type { Take } from "../../protocol";
import type { Session } from "../../session/session";
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
      {session.stems.value.problem !== null && (
        <p class="unrecorded problem-line">{session.stems.value.problem}</p>
      )}
    </div>
  );
}

/** How long a take has run; a dash where the room's clock is not known. */
export function recordedTime(session: Session, take: Take): string {
  const nowUs = session.roomNowUs();
  if (nowUs === null) return UNKNOWN;
  // The moment at which it begins is a little ahead.
  return clockTime(Math.max(0, nowUs - take.start_us) / 1e6);
}
