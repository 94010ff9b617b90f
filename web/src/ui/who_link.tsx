// Says who is signed in, and leads to their account; to guests, how to sign in.

import { useEffect } from "preact/hooks";

import { refreshWho, who } from "../account/who";
import { followed } from "./route";

interface Props {
  /** Where to come back to after signing in. */
  back?: string;
}

export function WhoLink({ back }: Props) {
  useEffect(() => void refreshWho(), []);
  const name = who.value;
  if (name !== null) {
    return (
      <a class="who" href="/account" onClick={followed}>
        Signed in as {name}
      </a>
    );
  }
  return (
    <a class="who" href={`/account/sign-in${back === undefined ? "" : `?next=${back}`}`} onClick={followed}>
      Sign in
    </a>
  );
}

/** The same in a room: nobody leaves it by accident, so the account opens in another tab. */
export function WhoPlays() {
  const name = who.value;
  if (name === null) return null;
  return (
    <a class="who" href="/account" target="_blank" rel="noopener">
      <span class="wide">Signed in as </span>
      {name}
      <span class="sr-only">(your account, in another tab)</span>
    </a>
  );
}
