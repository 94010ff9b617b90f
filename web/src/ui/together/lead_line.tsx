// Who leads, and what to do about it.

import { mayLead } from "../../session/conductor";
import type { TogetherProps } from "./bar";

export function LeadLine({ session, state }: TogetherProps) {
  const { leader } = state.shared;
  const leads = leader !== undefined && leader === state.me;
  const name = state.participants.find((participant) => participant.id === leader)?.name;
  return (
    <div class="lead-line">
      <p class="help">
        {leads
          ? "You lead: only you set click and mode."
          : leader === undefined
            ? "Nobody leads: everybody may set click and mode."
            : `${name ?? "Somebody"} leads, and sets click and mode.`}
      </p>
      <button
        type="button"
        class="button small"
        onClick={() => void session.conductor.lead(!leads)}
      >
        {leads ? "Give up the lead" : "Take the lead"}
      </button>
    </div>
  );
}

/** Whether one may set click and mode; where somebody else leads, controls are there to be looked at. */
export function mayConduct({ shared, me, phase }: TogetherProps["state"]): boolean {
  return phase.name === "in" && mayLead(shared, me);
}
