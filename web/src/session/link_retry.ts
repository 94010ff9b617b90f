// When the media link is tried again while it is down: after two seconds, and then ever more rarely.

import type { LinkState } from "./audio_seam";

export class LinkRetry {
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** `attempt` is called for each attempt, as long as the link `isDown`. */
  constructor(
    private readonly isDown: () => boolean,
    private readonly attempt: () => void,
  ) {}

  changed(link: LinkState): void {
    this.stop();
    if (link === "down") this.tryEach(FIRST_MS);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private tryEach(nextMs: number): void {
    this.timer = setTimeout(() => {
      if (this.isDown()) this.tryEach(Math.min(2 * nextMs, MOST_MS));
    }, nextMs);
    this.attempt();
  }
}

const FIRST_MS = 2_000;
const MOST_MS = 4_000;
