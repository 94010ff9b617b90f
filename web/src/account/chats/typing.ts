// Who writes in which chat: shown for a while, since nobody says when they stop.

import { signal } from "@preact/signals";

import type { Id } from "../../protocol/social";

export class Typing {
  /** Of each chat, who writes. */
  readonly who = signal<ReadonlyMap<Id, readonly Id[]>>(new Map());
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly said = new Map<Id, number>();

  constructor(private readonly say: (chat: Id) => void) {}

  /** Somebody else writes. */
  began(chat: Id, account: Id): void {
    const key = `${chat} ${account}`;
    clearTimeout(this.timers.get(key));
    this.timers.set(key, setTimeout(() => this.ended(chat, account), SHOWN_MS));
    const those = this.who.peek().get(chat) ?? [];
    if (!those.includes(account)) this.who.value = new Map(this.who.peek()).set(chat, [...those, account]);
  }

  /** They said it, or nothing came of it. */
  ended(chat: Id, account: Id): void {
    const key = `${chat} ${account}`;
    if (!this.timers.has(key)) return;
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
    const those = (this.who.peek().get(chat) ?? []).filter((each) => each !== account);
    this.who.value = new Map(this.who.peek()).set(chat, those);
  }

  /** Whoever looks at this writes; said no more often than the server listens. */
  typed(chat: Id, now = Date.now()): void {
    if (now - (this.said.get(chat) ?? -Infinity) < SAID_EVERY_MS) return;
    this.said.set(chat, now);
    this.say(chat);
  }

  stop(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }
}

const SHOWN_MS = 5_000;
const SAID_EVERY_MS = 2_100;
