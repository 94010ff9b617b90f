// When the server is dialed again after a drop: at once, for most drops are a network that changed; then after
// 0.25 s, 0.5 s, 1 s and so on.

export class Redial {
  /** Which attempt it is since the last that worked, from 1. */
  attempt = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly dial: () => void) {}

  /** An attempt begins. */
  begun(): number {
    this.stop();
    this.attempt += 1;
    return this.attempt;
  }

  /** It worked. */
  worked(): void {
    this.attempt = 0;
  }

  /** It ended, and another one comes by itself. */
  dropped(): void {
    const waitMs = this.attempt === 0 ? 0 : Math.min(FIRST_MS * 2 ** (this.attempt - 1), MOST_MS);
    this.timer = setTimeout(this.dial, waitMs);
  }

  /** Not later but now; nothing while an attempt is under way. */
  now(): void {
    if (this.timer === null) return;
    this.attempt = 0;
    this.dial();
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}

const FIRST_MS = 250;
const MOST_MS = 4_000;
