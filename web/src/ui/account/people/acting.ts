// What the pages of people do at the press of a button: one thing at a time, and what went wrong as a
// sentence. Forms have their own way (../form). Meanwhile the button stays as it is, since one that is
// disabled loses the focus.

import { useRef, useState } from "preact/hooks";

import { ProblemError } from "../../../account/client";
import { sentence } from "../../format";

export interface Acting {
  /** What went wrong the last time; an empty text for nothing. */
  problem: string;
  /** Does it, unless something else is being done. Gives whether it went well. */
  attempt: (action: () => Promise<void>) => Promise<boolean>;
}

export function useActing(): Acting {
  const [problem, setProblem] = useState("");
  const running = useRef(false);

  const attempt = async (action: () => Promise<void>): Promise<boolean> => {
    // A button that is pressed twice: the first press counts.
    if (running.current) return false;
    running.current = true;
    setProblem("");
    try {
      await action();
      return true;
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem(sentence(error.message));
      return false;
    } finally {
      running.current = false;
    }
  };
  return { problem, attempt };
}
