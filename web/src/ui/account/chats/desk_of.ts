// The one desk of this tab. It stays for a moment when its page is left, so that the browser's back button
// does not end the connection and begin another.

import { signal } from "@preact/signals";

import { call } from "../../../account/client";
import { Desk } from "../../../account/chats/desk";
import { liveSocket } from "../../../account/chats/live";
import { signedIn, signedOut } from "../../../account/who";
import { navigate } from "../../route";
import { chatOfPath } from "./place";

export const desk = signal<Desk | null>(null);

let closing: ReturnType<typeof setTimeout> | null = null;

/** Sits down at the desk. Throws where nobody is signed in, or the server is not there. */
export async function takeDesk(): Promise<void> {
  if (closing !== null) clearTimeout(closing);
  closing = null;
  if (desk.peek() !== null) return;
  const account = await call("GET /api/v1/social/account");
  signedIn(account.username);
  // The page may have been left meanwhile, or asked twice.
  if (desk.peek() !== null || chatOfPath(location.pathname) === undefined) return;
  desk.value = new Desk(account, liveSocket, toSignIn);
}

export function leaveDesk(): void {
  closing ??= setTimeout(closeDesk, STAYS_MS);
}

export function closeDesk(): void {
  if (closing !== null) clearTimeout(closing);
  closing = null;
  desk.peek()?.close();
  desk.value = null;
}

/** Nobody is signed in any more. */
export function toSignIn(): void {
  const next = location.pathname;
  desk.value = null;
  // The desk outlasts its page for a moment, and another page knows itself where to go.
  if (chatOfPath(next) === undefined) return;
  signedOut();
  navigate(`/account/sign-in?next=${next}`);
}

const STAYS_MS = 2_000;
