// What makes programs crash: each cause once, with everything that is kept of its last crash on demand.

import { useEffect, useRef, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { CauseBody, CrashBody, CrashFrame } from "../../../protocol/social";
import { useActing } from "../people/acting";
import { Waiting } from "../people/gate";
import { Sure } from "../../sure";
import { when } from "../moderation/words";
import { Section } from "../section";

export function Crashes() {
  const [causes, setCauses] = useState<CauseBody[] | null>(null);
  const [done, setDone] = useState("");
  const { problem, attempt } = useActing();
  const list = useRef<HTMLUListElement>(null);
  const load = () => attempt(async () => setCauses(await call("GET /api/v1/social/admin/crashes")));
  useEffect(() => void load(), []);
  const remove = ({ last }: CauseBody) =>
    attempt(async () => {
      setDone("");
      await call("DELETE /api/v1/social/admin/crashes/{crash}", { path: { crash: last } });
      setCauses((before) => before?.filter((each) => each.last !== last) ?? null);
      setDone("All crashes of this cause are deleted.");
      list.current?.focus();
    });

  return (
    <Section title="Crashes" done={done}>
      <p class="help">Without names, addresses and machines, and for 90 days.</p>
      <p class="field-problem" role="alert">
        {causes === null ? "" : problem}
      </p>
      {causes === null && <Waiting problem={problem} onAgain={() => void load()} />}
      {causes?.length === 0 && <p>Nothing crashed.</p>}
      <ul class="people" ref={list} tabIndex={-1} aria-label="Causes">
        {causes?.map((cause) => (
          <li key={cause.last}>
            <Cause cause={cause} onDelete={() => void remove(cause)} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Cause({ cause, onDelete }: { cause: CauseBody; onDelete: () => void }) {
  const [crash, setCrash] = useState<CrashBody | null>(null);
  const [open, setOpen] = useState(false);
  const { problem, attempt } = useActing();
  const { last, first_at, last_at, count, platform, release, title } = cause;
  const name = title === "" ? "A crash that says nothing" : title;
  const show = () => {
    setOpen(!open);
    if (crash !== null) return;
    void attempt(async () => setCrash(await call("GET /api/v1/social/admin/crashes/{crash}", { path: { crash: last } })));
  };
  return (
    <div class="cause">
      <p>
        <strong class="name">{name}</strong>
        <span class="tag">
          {[platform, release].filter((word) => word !== "").join(", ")} · {count === 1 ? "once" : `${count} times`} ·{" "}
          {first_at === last_at ? when(last_at) : `first ${when(first_at)}, last ${when(last_at)}`}
        </span>
      </p>
      <div class="inline">
        <button type="button" class="button small" aria-expanded={open} aria-label={`${open ? "Less" : "Details"} of ${name}`} onClick={show}>
          {open ? "Less" : "Details"}
        </button>
        <Sure
          label="Delete"
          fullLabel={`Delete ${name}`}
          question={count === 1 ? "Delete this crash?" : `Delete all ${count} crashes of this cause?`}
          yes="Delete"
          onYes={onDelete}
        />
      </div>
      {open && crash === null && <Waiting problem={problem} onAgain={show} />}
      {open && crash !== null && <Crash crash={crash} />}
    </div>
  );
}

function Crash({ crash: { received_at, report } }: { crash: CrashBody }) {
  const { level = "", environment = "", message = "", contexts = [], exceptions = [] } = report;
  const facts: [string, string][] = [
    ["Reported", when(received_at)],
    ["Level", level],
    ["Environment", environment],
    ["Message", message],
    ...contexts.map(({ what = "", name = "", version = "" }): [string, string] => [what, `${name} ${version}`]),
  ];
  return (
    <>
      <dl class="facts">
        {facts
          .filter(([, text]) => text !== "")
          .map(([name, text]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
      </dl>
      {exceptions.map(({ kind, value, frames = [] }, i) => (
        <div key={i}>
          <p>
            <strong>{kind}</strong> {value}
          </p>
          {0 < frames.length && <Frames frames={frames} />}
        </div>
      ))}
    </>
  );
}

function Frames({ frames }: { frames: CrashFrame[] }) {
  return (
    <ol class="frames">
      {/* Where it happened first, as programmers read it. */}
      {[...frames].reverse().map((frame, i) => (
        <li key={i}>
          {frame.function || "(no name)"}{" "}
          <span class="tag">
            {[frame.module, frame.file].filter((word) => word !== "").join(" ")}
            {typeof frame.line === "number" && `:${frame.line}`}
          </span>
        </li>
      ))}
    </ol>
  );
}
