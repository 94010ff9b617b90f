// What waits for a code. A phone that shows the mail meanwhile may load the page anew, which must not
// lose the way: it is kept until the tab is closed or the code has been used.

export interface Waiting {
  /** The sign-up or the reset, as the server calls it. */
  id: string;
  /** Where the code went. */
  email: string;
  /** Until when it counts, in milliseconds since 1970. */
  until: number;
}

type Kind = "sign-up" | "reset";

export function keepWaiting(kind: Kind, waiting: Waiting | null): void {
  try {
    if (waiting === null) sessionStorage.removeItem(key(kind));
    else sessionStorage.setItem(key(kind), JSON.stringify(waiting));
  } catch {
    // Full or forbidden: it lasts as long as the page.
  }
}

/** What waits, unless its code counts no more. */
export function loadWaiting(kind: Kind, now: number): Waiting | null {
  try {
    const stored = JSON.parse(sessionStorage.getItem(key(kind)) ?? "null") as Partial<Waiting> | null;
    if (stored === null || typeof stored !== "object") return null;
    const { id, email, until } = stored;
    if (typeof id !== "string" || typeof email !== "string" || typeof until !== "number") return null;
    return now < until ? { id, email, until } : null;
  } catch {
    return null;
  }
}

const key = (kind: Kind) => `vjam.${kind}`;
