// The page about privacy: what the server says that it keeps, so nothing here can say something else.

import { useEffect, useState } from "preact/hooks";

import { ProblemError, call } from "../../account/client";
import type { Kept, PolicyBody, Processor } from "../../protocol/social";
import { sentence } from "../format";
import { Shell } from "./shell";

export function Privacy() {
  const [policy, setPolicy] = useState<PolicyBody | null>(null);
  const [problem, setProblem] = useState("");
  const load = async () => {
    setProblem("");
    try {
      setPolicy(await call("GET /api/v1/social/privacy"));
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem(sentence(error.message));
    }
  };
  useEffect(() => void load(), []);

  if (policy === null) {
    return (
      <Shell title="Privacy">
        {problem === "" ? (
          <p role="status">Loading…</p>
        ) : (
          <div class="problem" role="alert">
            <p>{problem}</p>
            <button type="button" class="button" onClick={() => void load()}>
              Try again
            </button>
          </div>
        )}
      </Shell>
    );
  }
  const { announced_at, takes_effect_at } = policy;
  return (
    <Shell
      title="Privacy"
      lead={
        <>
          {takes_effect_at <= announced_at ? "In effect since" : "Takes effect on"} <strong>{day(takes_effect_at)}</strong>
          {announced_at < takes_effect_at && <>; announced on {day(announced_at)}</>}. Accounts are kept in the{" "}
          {policy.region === "eu" ? "European Union" : "United States"}. This page is made from what the server keeps,
          place by place.
        </>
      }
    >
      <p>
        Playing needs no account: of a musician without one, this server keeps nothing once they have left, but the
        takes that they recorded.
      </p>
      {policy.contact !== null && policy.contact !== undefined && (
        <p>
          Questions about what is kept: <span class="address">{policy.contact}</span>
        </p>
      )}
      <h2>Who else gets something</h2>
      <Processors processors={policy.processors} />
      <h2>What is kept</h2>
      {tables(policy.kept).map(([table, kept]) => (
        <details key={table} class="kept">
          <summary>
            {words(table)} <span class="tag">{kept.length}</span>
          </summary>
          <dl>
            {kept.map((each) => (
              <div key={each.place}>
                <dt>{each.purpose}</dt>
                <dd>
                  {howLong(each)} {each.exported ? "In your archive." : `In no archive: ${each.reason ?? "no reason"}.`}
                </dd>
              </div>
            ))}
          </dl>
        </details>
      ))}
    </Shell>
  );
}

function Processors({ processors }: { processors: Processor[] }) {
  if (processors.length === 0) return <p>Nobody.</p>;
  return (
    <ul>
      {processors.map((each) => (
        <li key={each.name}>
          <strong>{each.name}</strong>: {each.purpose.toLowerCase()}. Gets: {each.gets.toLowerCase()}.
        </li>
      ))}
    </ul>
  );
}

/** In the order of the list, by table. */
export function tables(all: Kept[]): [string, Kept[]][] {
  const found = new Map<string, Kept[]>();
  for (const kept of all) {
    const [table = ""] = kept.place.split(".");
    found.set(table, [...(found.get(table) ?? []), kept]);
  }
  return [...found];
}

/** How long something is kept, as a sentence. */
export function howLong({ until, days, whose }: Kept): string {
  const count = days === 1 ? "a day" : `${days} days`;
  switch (until) {
    case "account_erased":
      return "Kept until your account is erased.";
    case "days":
      return whose === "account" ? `Kept for ${count}, or until your account is erased.` : `Kept for ${count}.`;
    case "done":
      return `Kept until it is done, ${count} at most.`;
    case "server_gone":
      return "Kept as long as the server.";
  }
}

function words(table: string): string {
  const text = table.endsWith("/") ? `objects: ${table.slice(0, -1)}` : table.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const day = (at: number) => new Date(at).toLocaleDateString(undefined, { dateStyle: "long" });
