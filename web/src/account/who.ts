// Who is signed in, as far as this browser remembers. The session's cookie is out of reach of pages, and
// guests should cost no request: so the name is kept beside it, and the server is asked only where
// there is one. What surprises: it may be wrong for a moment (signed out from another device), and
// nothing but a greeting may depend on it.

import { computed, signal } from "@preact/signals";

import { loadPreferences, savePreferences } from "../session/preferences";

/** Where the name is kept. */
const KEY = "vjam.who";

const remembered = signal<string | null>(load());

/** The username of whoever is signed in; null for a guest. */
export const who = computed(() => remembered.value);

/** Somebody signed in, or was found to be. */
export function signedIn(username: string): void {
  const before = remembered.peek();
  if (before === username) return;
  const { name, ...others } = loadPreferences();
  // Proposed as the name in rooms, until another one is typed there: a name that somebody plays under
  // outlasts a change of the username, one that was only the username goes with it.
  if (before === null || name === before) savePreferences({ ...others, name: username });
  store(username);
}

/** Nobody is signed in any more. The name goes too, unless it is one of the musician's own. */
export function signedOut(): void {
  const preferences = loadPreferences();
  const before = remembered.peek();
  if (before !== null && preferences.name === before) savePreferences({ ...preferences, name: "" });
  store(null);
}

/** Asks the server whether what is remembered still holds; guests ask nothing. */
export async function refreshWho(): Promise<void> {
  if (remembered.peek() === null) return;
  try {
    const response = await fetch("/api/v1/social/account", { cache: "no-store" });
    if (response.status === 401) signedOut();
    if (!response.ok) return;
    const { username } = (await response.json()) as { username?: unknown };
    if (typeof username === "string") signedIn(username);
  } catch {
    // Without the server nobody knows better.
  }
}

// Another tab signed in or out.
globalThis.addEventListener?.("storage", ({ key }) => {
  if (key === KEY || key === null) remembered.value = load();
});

function store(username: string | null): void {
  remembered.value = username;
  try {
    if (username === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, username);
  } catch {
    // Full or forbidden: known until the page is left.
  }
}

function load(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
