// The queue of moderators: reports that wait, the oldest first, and those that were decided on.

import { useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { ReportBody, ReportState } from "../../../protocol/social";
import { followed } from "../../route";
import { PagedList, usePaged } from "../people/paged";
import { REASONS } from "../people/report_form";
import { Section } from "../section";
import { Shell } from "../shell";
import { DECIDED, KINDS, when } from "./words";

export function Queue() {
  const [state, setState] = useState<ReportState>("open");
  return (
    <Shell title="Moderation" lead="What people reported. Every look at it is written down, and so is every decision.">
      <div class="inline" role="group" aria-label="Which reports">
        {Object.entries(STATES).map(([each, label]) => (
          <button
            key={each}
            type="button"
            class="button small"
            aria-pressed={state === each}
            onClick={() => setState(each as ReportState)}
          >
            {label}
          </button>
        ))}
      </div>
      <Reports state={state} key={state} />
      <p>
        <a href="/account" onClick={followed}>
          Your account
        </a>
      </p>
    </Shell>
  );
}

function Reports({ state }: { state: ReportState }) {
  const paged = usePaged<ReportBody>(async (query) => {
    const { reports, next = null } = await call("GET /api/v1/social/moderation/reports", { query: { state, ...query } });
    return { items: reports, next };
  });
  return (
    <Section title={STATES[state]}>
      <PagedList
        paged={paged}
        label={STATES[state]}
        empty={state === "open" ? "Nothing waits for a decision." : "Nothing was decided yet."}
        keyOf={({ id }) => id}
      >
        {(report) => (
          <div class="report-line">
            <a class="name" href={reportPath(report.id)} onClick={followed}>
              {titleOf(report)}
            </a>
            <span class="tag">
              {REASONS[report.reason]} · {when(report.created_at)}
              {report.resolved && ` · ${DECIDED[report.resolved.resolution]}`}
            </span>
          </div>
        )}
      </PagedList>
    </Section>
  );
}

export const reportPath = (id: string) => `/account/moderation/${id}`;

/** A report in a line: what it is about, and whose doing that is. */
export function titleOf({ kind, subject, item }: ReportBody): string {
  if (kind === "room") return `The room ${item}`;
  const whose = subject ?? "somebody who is gone";
  return kind === "person" ? whose : `${KINDS[kind]} of ${whose}`;
}

const STATES: Record<ReportState, string> = { open: "Waiting", resolved: "Decided" };
