// The pages of people are for whoever is signed in: others are led to signing in, and back.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { call, ProblemError } from "../../../account/client";
import { signedIn, signedOut } from "../../../account/who";
import type { AccountBody } from "../../../protocol/social";
import { navigate } from "../../route";
import { Shell } from "../shell";
import { useActing } from "./acting";

interface Props {
  title: string;
  children: (account: AccountBody) => ComponentChildren;
}

export function Gate({ title, children }: Props) {
  const [account, setAccount] = useState<AccountBody | null>(null);
  const { problem, attempt } = useActing();
  const load = () =>
    attempt(async () => {
      try {
        const loaded = await call("GET /api/v1/social/account");
        signedIn(loaded.username);
        setAccount(loaded);
      } catch (error) {
        if (!(error instanceof ProblemError && error.code === "not_signed_in")) throw error;
        signedOut();
        navigate(`/account/sign-in?next=${location.pathname}`);
      }
    });
  useEffect(() => void load(), []);

  if (account !== null) return <>{children(account)}</>;
  return (
    <Shell title={title}>
      <Waiting problem={problem} onAgain={() => void load()} />
    </Shell>
  );
}

/** Says that something is on its way, or why it does not come. */
export function Waiting({ problem, onAgain }: { problem: string; onAgain: () => void }) {
  if (problem === "") return <p role="status">Loading…</p>;
  return (
    <div class="problem" role="alert">
      <p>{problem}</p>
      <button type="button" class="button" onClick={onAgain}>
        Try again
      </button>
    </div>
  );
}
