// The answer to the question for the birth date, while somebody is away at a provider to sign up with it:
// the page is another one when they come back, and nobody should have to answer twice.

export function keepAge(token: string): void {
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // Full or forbidden: it is asked once more.
  }
}

/** The answer that was kept, once. */
export function takeAge(): string | null {
  try {
    const token = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    return token;
  } catch {
    return null;
  }
}

const KEY = "vjam.age";
