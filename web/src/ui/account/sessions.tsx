// The devices that are signed in. Whoever finds one that is not theirs signs it out here.

import { useEffect, useRef, useState } from "preact/hooks";

import { ProblemError, call } from "../../account/client";
import type { SessionBody } from "../../protocol/social";
import { sentence } from "../format";
import { Section } from "./section";

export function Sessions() {
  const [sessions, setSessions] = useState<SessionBody[]>([]);
  const [problem, setProblem] = useState("");
  const [done, setDone] = useState("");
  const list = useRef<HTMLUListElement>(null);

  const attempt = async (action: () => Promise<void>) => {
    setProblem("");
    setDone("");
    try {
      await action();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem(sentence(error.message));
    }
  };
  const load = async () => setSessions(await call("GET /api/v1/social/sessions"));
  useEffect(() => void attempt(load), []);

  const revoke = (session: SessionBody) =>
    attempt(async () => {
      await call("DELETE /api/v1/social/sessions/{session}", { path: { session: session.id } });
      await load();
      setDone(`${nameOf(session)} is signed out.`);
      // The button is gone; whoever pressed it by keyboard goes on in the list.
      list.current?.focus();
    });
  const revokeOthers = () =>
    attempt(async () => {
      await call("DELETE /api/v1/social/sessions");
      await load();
      setDone("All other devices are signed out.");
      list.current?.focus();
    });

  const others = sessions.filter((session) => !session.current);
  return (
    <Section title="Where you are signed in" done={done}>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      <ul class="sessions" ref={list} tabIndex={-1}>
        {[...sessions].sort(byUse).map((session) => (
          <li key={session.id}>
            <span>
              <strong>{nameOf(session)}</strong>
              <span class="tag">{session.current ? "This device" : `Last used ${lastUsed(session.last_used_at, Date.now())}`}</span>
            </span>
            {!session.current && (
              <button
                type="button"
                class="button small"
                aria-label={`Sign out ${nameOf(session)}`}
                onClick={() => void revoke(session)}
              >
                Sign out
              </button>
            )}
          </li>
        ))}
      </ul>
      {1 < others.length && (
        <button type="button" class="button" onClick={() => void revokeOthers()}>
          Sign out all other devices
        </button>
      )}
    </Section>
  );
}

/** When it was, as exactly as the server tells: to the hour. */
export function lastUsed(at: number, now: number): string {
  const hours = Math.floor((now - at) / HOUR_MS);
  if (hours < 2) return "within the last hours";
  if (hours < 24) return `${hours} hours ago`;
  return new Date(at).toLocaleDateString(undefined, { dateStyle: "medium" });
}

/** This device first, then the one that was used last. */
function byUse(a: SessionBody, b: SessionBody): number {
  return Number(b.current) - Number(a.current) || b.last_used_at - a.last_used_at;
}

function nameOf({ device_name }: SessionBody): string {
  return device_name === "" ? "A device without a name" : device_name;
}

const HOUR_MS = 3_600_000;
