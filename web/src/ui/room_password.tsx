// The password of a private room, which is asked for where the server would not let one in without.

import { useEffect, useRef, useState } from "preact/hooks";

import type { Problem } from "../session/words";
import { ProblemCard } from "./problem";

/** Whether a password may turn this refusal. */
export function isAboutPassword({ code }: Problem): boolean {
  return code === "room_private" || code === "wrong_password" || code === "wrong_invite";
}

/** Whether a password is asked for: once it was wanted, it stays until one is in. */
export function useAsksPassword(problem: Problem | null): boolean {
  const asked = useRef(false);
  asked.current ||= problem !== null && isAboutPassword(problem);
  return asked.current;
}

interface Props {
  password: string;
  onChange: (password: string) => void;
  /** Why one is not in yet, as far as the password can change it. */
  problem: Problem | null;
}

export function RoomPassword({ password, onChange, problem }: Props) {
  const [shown, setShown] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (problem !== null) input.current?.focus();
  }, [problem]);
  return (
    <div class="field">
      {problem !== null && <ProblemCard problem={problem} />}
      <label for="room-password">The room's password</label>
      <div class="secret">
        <input
          id="room-password"
          // The types of JSX want one word here, not a choice among several.
          type={(shown ? "text" : "password") as "text"}
          autoComplete="off"
          autoCapitalize="none"
          spellcheck={false}
          ref={input}
          value={password}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
        <button type="button" class="button" onClick={() => setShown(!shown)}>
          {shown ? "Hide" : "Show"}
          <span class="sr-only"> what is typed: The room's password</span>
        </button>
      </div>
      <p class="help">Whoever sent you here knows it.</p>
    </div>
  );
}
