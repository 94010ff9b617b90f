// Random numbers for what must not be guessed or met twice.

export function randomWord(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

export function randomSeed(): [number, number] {
  return [randomWord(), randomWord()];
}

/** SSRCs are chosen at random (RFC 3550 §8.1); 0 would read as none. */
export function randomSsrc(): number {
  return randomWord() || 1;
}

/** 32 hexadecimal digits. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
