// Does something that the server may refuse, and keeps what it said. Whoever is signed out meanwhile is
// led to signing in, and back.

import { useRef, useState } from "preact/hooks";

import { ProblemError } from "../../../account/client";
import { signedOut } from "../../../account/who";
import { sentence } from "../../format";
import { navigate } from "../../route";

export interface Attempts {
  /** What went wrong last; empty while nothing did. */
  problem: string;
  busy: boolean;
  /** Does it; one after the other: a second press while the first one runs does nothing. */
  attempt: (action: () => Promise<void>) => Promise<void>;
}

export function useAttempts(): Attempts {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const running = useRef(false);
  const attempt = async (action: () => Promise<void>) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setProblem("");
    try {
      await action();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      if (error.code !== "not_signed_in") return setProblem(sentence(error.message));
      signedOut();
      navigate(`/account/sign-in?next=${location.pathname}`);
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { problem, busy, attempt };
}
