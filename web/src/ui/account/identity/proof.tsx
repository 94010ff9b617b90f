// What a form asks for before it does something that must be its owner: the password, or, where the
// account has none, a sign-in with a provider of it within the last ten minutes.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { ProblemError } from "../../../account/client";
import { loadWays, ways } from "../../../account/ways";
import { sentence } from "../../format";
import { Field, type FormState } from "../form";
import { depart } from "./depart";

interface Props {
  form: FormState;
  name: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  help?: ComponentChildren;
}

export function Proof(props: Props) {
  const [problem, setProblem] = useState("");
  useEffect(() => void loadWays(), []);
  const known = ways.value;
  if (known === null || known.has_password) {
    return <Field {...props} type="password" autoComplete="current-password" />;
  }
  const confirm = async (provider: string) => {
    setProblem("");
    try {
      await depart(provider, "prove", location.pathname);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem(sentence(error.message));
    }
  };
  const isProven = Date.now() < known.proven_until;
  return (
    <div class="field">
      <p>
        {isProven
          ? "Your account has no password. You signed in a moment ago, which counts for ten minutes."
          : "Your account has no password. Sign in once more to show that it is you; it counts for ten minutes."}
      </p>
      {!isProven && (
        <div class="providers">
          {known.identities.map(({ id, provider, name }) => (
            <button key={id} type="button" class="button" onClick={() => void confirm(provider)}>
              Confirm with {name}
            </button>
          ))}
        </div>
      )}
      <p class="field-problem" role="alert">
        {problem}
      </p>
    </div>
  );
}
