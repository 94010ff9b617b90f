// Deciding on a report: what is done, for how long, why, and what the other moderators should know.

import { useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { ReportDetail, ReportKind, Resolution } from "../../../protocol/social";
import { Form, Submit, useForm } from "../form";
import { Lines, Word } from "../people/inputs";
import { Section } from "../section";

export function Decide({ detail, onDecided }: { detail: ReportDetail; onDecided: () => Promise<void> }) {
  const { report, account } = detail;
  const form = useForm(["resolution", "days", "explanation", "note"]);
  const [resolution, setResolution] = useState<Resolution | null>(null);
  const [days, setDays] = useState<Days | null>(null);
  const [explanation, setExplanation] = useState("");
  const [note, setNote] = useState("");
  const isTold = resolution === "warned" || resolution === "content_removed" || resolution === "suspended";
  const words = choices(report.kind, account !== null && account !== undefined);

  const checks = () => ({
    resolution: resolution === null ? "Choose what is to be done." : "",
    days: resolution === "suspended" && days === null ? "Choose for how long." : "",
    explanation: isTold && explanation.trim() === "" ? "Say why: whoever it is about reads it." : "",
  });
  const decide = async () => {
    if (resolution === null) return;
    await call("POST /api/v1/social/moderation/reports/{report}/resolve", {
      path: { report: report.id },
      body: {
        resolution,
        note,
        ...(isTold ? { explanation } : {}),
        ...(resolution === "suspended" && days !== null && days !== "always" ? { days: Number(days) } : {}),
      },
    });
    await onDecided();
  };
  return (
    <Section title="Decide">
      <p class="help">
        Whoever reported it is told that it was decided, and not how. {isTold && "Whoever it is about reads why."}
      </p>
      <Form form={form} onSubmit={() => void form.submit(checks(), decide)}>
        <Word form={form} name="resolution" label="What is done" words={words} value={resolution} onChange={setResolution} />
        {resolution === "suspended" && (
          <Word form={form} name="days" label="For how long" words={DAYS} value={days} onChange={setDays} />
        )}
        {resolution === "underage" && (
          <p class="help">Nobody can sign in to the account from now on, and it is erased. You can give it back until then.</p>
        )}
        {isTold && (
          <Lines
            form={form}
            name="explanation"
            label="Why, for whoever it is about"
            rows={3}
            value={explanation}
            onChange={setExplanation}
            help="They read this. 500 characters at most."
          />
        )}
        <Lines
          form={form}
          name="note"
          label="Note for other moderators"
          rows={2}
          value={note}
          onChange={setNote}
          help="Nobody else reads this."
        />
        <Submit form={form}>Decide</Submit>
      </Form>
    </Section>
  );
}

type Days = "1" | "7" | "30" | "90" | "365" | "always";

// The browser would put names that are numbers before the others, in their order, which is the wanted one.
const DAYS: Record<Days, string> = {
  1: "A day",
  7: "A week",
  30: "30 days",
  90: "90 days",
  365: "A year",
  always: "For good",
};

/** What can be decided about something, and what that means. */
function choices(kind: ReportKind, isSomebody: boolean): Record<Resolution, string> {
  const all: Partial<Record<Resolution, string>> = { nothing: "Dismiss: nothing is wrong" };
  if (isSomebody) {
    all.warned = "Warn them";
    const removed = REMOVED[kind];
    if (removed !== null) all.content_removed = removed;
    all.suspended = "Suspend their account";
    all.underage = "Freeze their account: they are too young";
  }
  return all as Record<Resolution, string>;
}

const REMOVED: Record<ReportKind, string | null> = {
  person: "Empty their profile",
  message: "Remove the message",
  file: "Remove the file",
  room: null,
};
