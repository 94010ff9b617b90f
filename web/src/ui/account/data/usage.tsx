// The switch that has somebody counted no more.

import { useEffect, useState } from "preact/hooks";

import { ProblemError, call } from "../../../account/client";
import { chose } from "../../../account/telling/teller";
import { sentence } from "../../format";
import { Section } from "../section";

export function UsageSwitch() {
  const [allowed, setAllowed] = useState<boolean | null>(null);
  const [problem, setProblem] = useState("");
  const [done, setDone] = useState("");

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
  useEffect(
    () => void attempt(async () => setAllowed((await call("GET /api/v1/social/account/usage")).allowed)),
    [],
  );
  const choose = (to: boolean) =>
    attempt(async () => {
      await call("PUT /api/v1/social/account/usage", { body: { allowed: to } });
      setAllowed(to);
      chose(to);
      setDone(to ? "You are counted again." : "You are not counted any more, and what was counted today is deleted.");
    });

  return (
    <Section title="Being counted" done={done}>
      <p>
        Programs may tell this server how long you play and with which features, under a name that is another one
        each day, and report their crashes without anything of you. Nobody can tell later whose it was.
      </p>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      {allowed !== null && (
        <label class="choice">
          <input
            type="checkbox"
            checked={allowed}
            onChange={(event) => void choose(event.currentTarget.checked)}
          />
          Count how I use vjam
        </label>
      )}
    </Section>
  );
}
