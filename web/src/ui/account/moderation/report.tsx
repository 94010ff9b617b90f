// One report: what it says, what it is about, what was decided, and who did what about it.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { ProblemError, call } from "../../../account/client";
import type { ReportDetail, ReportedAccount } from "../../../protocol/social";
import { sentence } from "../../format";
import { followed } from "../../route";
import { useActing } from "../people/acting";
import { Waiting } from "../people/gate";
import { REASONS } from "../people/report_form";
import { Sure } from "../../sure";
import { Section } from "../section";
import { Shell } from "../shell";
import { Decide } from "./decide";
import { Item } from "./item";
import { titleOf } from "./queue";
import { actionText, DECIDED, when } from "./words";

export function ReportPage({ id }: { id: string }) {
  const [detail, setDetail] = useState<ReportDetail | null>(null);
  const [nothing, setNothing] = useState("");
  const [done, setDone] = useState("");
  const said = useRef<HTMLParagraphElement>(null);
  const { problem, attempt } = useActing();
  const ask = async () => setDetail(await call("GET /api/v1/social/moderation/reports/{report}", { path: { report: id } }));
  const load = () =>
    attempt(async () => {
      try {
        await ask();
      } catch (error) {
        const isNone = error instanceof ProblemError && (error.code === "not_found" || error.code === "bad_request");
        if (!isNone) throw error;
        setNothing(sentence(error.message));
      }
    });
  useEffect(() => void load(), []);
  // The form that had the focus is gone.
  useEffect(() => {
    if (done !== "") said.current?.focus();
  }, [done]);

  if (detail === null) {
    return (
      <Shell title="Report" {...(nothing === "" ? {} : { lead: nothing })}>
        {nothing === "" && <Waiting problem={problem} onAgain={() => void load()} />}
        <Back />
      </Shell>
    );
  }
  const { report, account } = detail;
  return (
    <Shell title={titleOf(report)} lead={`Reported ${when(report.created_at)}: ${REASONS[report.reason]}.`}>
      <p class="done standing" role="status" ref={said} tabIndex={-1}>
        {done}
      </p>
      <Section title="The report">
        <Facts
          facts={[
            ["By", report.reporter ?? "Somebody who is gone"],
            ["They say", report.text === "" ? "Nothing more" : report.text],
          ]}
        />
      </Section>
      <Item
        detail={detail}
        onRemoved={async () => {
          setDone("");
          await ask();
          setDone("The file is removed, and whoever it was of is told why.");
        }}
      />
      {account && <Account account={account} onEnded={ask} />}
      {report.resolved ? (
        <Section title="Decided">
          <Facts
            facts={[
              ["What", DECIDED[report.resolved.resolution]],
              ["By", report.resolved.by ?? "Somebody who is gone"],
              ["When", when(report.resolved.at)],
              ...fact("Why, as they were told", report.resolved.explanation),
              ...fact("Note", report.resolved.note),
            ]}
          />
        </Section>
      ) : (
        <Decide
          detail={detail}
          onDecided={async () => {
            await ask();
            setDone("It is decided, and done.");
          }}
        />
      )}
      <Audit detail={detail} />
      <Back />
    </Shell>
  );
}

function Back() {
  return (
    <p>
      <a href="/account/moderation" onClick={followed}>
        All reports
      </a>
    </p>
  );
}

type Fact = [name: string, value: ComponentChildren];
const fact = (name: string, value: string): Fact[] => (value === "" ? [] : [[name, value]]);

function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="bio">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Account({ account, onEnded }: { account: ReportedAccount; onEnded: () => Promise<void> }) {
  const { problem, attempt } = useActing();
  const [done, setDone] = useState("");
  const { id, username, is_suspended, suspended_until, erase_at } = account;
  const isFrozen = typeof erase_at === "number";
  const end = () =>
    attempt(async () => {
      await call("DELETE /api/v1/social/moderation/accounts/{account}/suspension", { path: { account: id } });
      await onEnded();
      setDone(`${username} can sign in again.`);
    });
  return (
    <Section title="Whose doing it is" done={done}>
      <p>
        <strong>{username}</strong>
        {is_suspended && ": "}
        {is_suspended && (isFrozen ? `frozen, and erased ${when(erase_at)}` : suspendedText(suspended_until))}
      </p>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      {is_suspended && (
        <Sure
          label="Let them sign in again"
          question={`Let ${username} sign in again${isFrozen ? ", and keep the account" : ""}?`}
          yes="Let them"
          onYes={() => void end()}
        />
      )}
    </Section>
  );
}

function suspendedText(until: number | null | undefined): string {
  return typeof until === "number" ? `suspended until ${when(until)}` : "suspended for good";
}

function Audit({ detail: { audit } }: { detail: ReportDetail }) {
  return (
    <Section title="What was done about it">
      <ol class="audit">
        {audit.map(({ by, action, at }, i) => (
          <li key={`${at}-${i}`}>
            {actionText(action)}
            <span class="tag">
              {by ?? "Somebody who is gone"}, <time dateTime={new Date(at).toISOString()}>{when(at)}</time>
            </span>
          </li>
        ))}
      </ol>
    </Section>
  );
}
