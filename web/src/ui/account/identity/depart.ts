// Leads the browser to a provider, and says what became of it when it is back.

import { call } from "../../../account/client";
import { nextPath } from "../../../account/fields";

type Purpose = "sign_in" | "link" | "prove";

/** Goes there; nothing of this page goes on. */
export async function depart(
  provider: string,
  purpose: Purpose,
  next: string | null,
  password: string | null = null,
): Promise<void> {
  const body = { purpose, next, ...(password === null ? {} : { current_password: password }) };
  const { url } = await call("POST /api/v1/social/identity/{provider}/begin", { path: { provider }, body });
  location.assign(url);
}

/** What is to be told of the way back, or an empty text. */
export function returnProblem(query: string): string {
  const code = new URLSearchParams(query).get("problem") ?? "";
  return WORDS[code] ?? (code === "" ? "" : "Signing in there did not work. Try again.");
}

/** The provider that the browser comes from; null for none. */
export function cameWith(query: string): string | null {
  const id = new URLSearchParams(query).get("with");
  return id !== null && /^[a-z0-9-]{1,32}$/.test(id) ? id : null;
}

/** Where to go afterwards, as the sign-in page was told. */
export const onward = () => nextPath(location.search);

const WORDS: Record<string, string> = {
  erasure_pending: "",
  identity_cancelled: "You shared nothing there, so nobody is signed in.",
  identity_refused: "That sign-in does not count: it was begun elsewhere, too long ago, or for another account. Try again.",
  identity_taken: "That sign-in belongs to another account already.",
  limit_reached: "Your account has as many sign-ins as it may. Remove one first.",
  provider_unavailable: "The provider does not answer. Try again in a moment.",
  suspended: "This account is suspended. If that is wrong, write to whoever runs this server.",
  too_many_requests: "That was tried too often. Try again in some minutes.",
};
