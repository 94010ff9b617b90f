// Tells the server how far somebody has read: the furthest only, and not for every message of a lively chat.

import type { Id } from "../../protocol/social";
import { ProblemError } from "../client";

export class Readings {
  private readonly furthest = new Map<Id, number>();
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly tell: (chat: Id, seq: number) => Promise<void>) {}

  read(chat: Id, seq: number): void {
    this.furthest.set(chat, Math.max(seq, this.furthest.get(chat) ?? 0));
    this.timer ??= setTimeout(() => void this.send(), FIRST_MS);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    // What was read is read, also where the page is left at once.
    void this.flush();
  }

  private async send(): Promise<void> {
    const failed = await this.flush();
    this.timer = null;
    if (failed) this.timer = setTimeout(() => void this.send(), AGAIN_MS);
    else if (0 < this.furthest.size) this.timer = setTimeout(() => void this.send(), EVERY_MS);
  }

  /** Whether something is left to be told again. */
  private async flush(): Promise<boolean> {
    const told = [...this.furthest];
    this.furthest.clear();
    let failed = false;
    for (const [chat, seq] of told) {
      try {
        await this.tell(chat, seq);
      } catch (error) {
        // Of a chat that is theirs no longer there is nothing to tell.
        if (!(error instanceof ProblemError) || GONE.has(error.code)) continue;
        failed = true;
        this.furthest.set(chat, Math.max(seq, this.furthest.get(chat) ?? 0));
      }
    }
    return failed;
  }
}

const GONE = new Set<string>(["not_found", "forbidden", "not_signed_in", "invalid"]);
const FIRST_MS = 50;
const EVERY_MS = 2_000;
const AGAIN_MS = 15_000;
