// Where a browser comes that was signed in by a provider: no page can read the cookie, so this one asks who
// it is, and goes on to where they wanted to be.

import { useEffect, useState } from "preact/hooks";

import { ProblemError, call } from "../../../account/client";
import { signedIn } from "../../../account/who";
import { sentence } from "../../format";
import { path } from "../../route";
import { Shell } from "../shell";
import { onward } from "./depart";

export function SignedIn() {
  const [problem, setProblem] = useState("");
  const look = async () => {
    setProblem("");
    try {
      signedIn((await call("GET /api/v1/social/account")).username);
      goOn(onward() ?? "/account");
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      if (error.code === "not_signed_in") goOn("/account/sign-in");
      else setProblem(sentence(error.message));
    }
  };
  useEffect(() => void look(), []);
  return (
    <Shell title="Signing in">
      {problem === "" ? (
        <p role="status">One moment…</p>
      ) : (
        <div class="problem" role="alert">
          <p>{problem}</p>
          <button type="button" class="button" onClick={() => void look()}>
            Try again
          </button>
        </div>
      )}
    </Shell>
  );
}

/** In place of this page: the browser's back button must not lead here. */
function goOn(to: string): void {
  history.replaceState(null, "", to);
  path.value = location.pathname;
}
