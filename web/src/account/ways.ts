// How whoever is signed in gets into their account: with a password, with providers, or both. Forms that
// ask for a password look here whether there is one.

import { signal } from "@preact/signals";

import type { WaysIn } from "../protocol/social";
import { ProblemError, call } from "./client";

/** What the server said last; null before it did. */
export const ways = signal<WaysIn | null>(null);

export async function loadWays(): Promise<void> {
  try {
    ways.value = await call("GET /api/v1/social/account/identities");
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    // Then a password is asked for, and the server says what it misses.
    ways.value = null;
  }
}

/** What is wrong with a password that a form asks for; an account without one has nothing to type. */
export function ownPasswordProblem(password: string): string {
  return password === "" && ways.value?.has_password !== false ? "Enter your password." : "";
}

/** What a form sends of it. */
export const ownPassword = (password: string) => (password === "" ? null : password);

/** The providers that an account which is to be erased signed in with: shown once it is. */
export const toldProviders = signal<{ name: string; can_be_told: boolean }[]>([]);
