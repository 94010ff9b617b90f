// Tells the server how the app is used, of whoever did not object: how long they played, and what they
// used, from the fixed list that the server takes. What surprises: the server is asked first, once for
// each account, so that of somebody who objected nothing leaves the page; and the server refuses it as well.

import type { Routes, UsageAnswer } from "../../protocol/social";

export type UsageEvent = Routes["POST /api/v1/social/usage"]["body"]["events"][number];
export type Feature = Extract<UsageEvent, { kind: "feature" }>["feature"];

/** The world outside, so that tests can bring their own. */
export interface UsageWorld {
  /** Whether whoever is signed in may be counted; fails where nobody is. */
  ask(): Promise<UsageAnswer>;
  /** Sends it, also where the page goes at that moment; false where it is refused for good. */
  send(events: UsageEvent[]): Promise<boolean>;
}

export class Usage {
  private waiting: UsageEvent[] = [];
  private allowed: boolean | null = null;
  private asking: Promise<void> | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly world: UsageWorld) {}

  /** Notes something, and tells it in a while, with what comes until then. */
  note(event: UsageEvent): void {
    if (this.allowed === false) return;
    // The latest are kept: as many as the server takes at once.
    this.waiting = [...this.waiting, event].slice(-EVENTS_MAX);
    void this.know();
    this.timer ??= setTimeout(() => void this.flush(), WAIT_MS);
  }

  /** Asks whether it may be told, so that it is known when the page goes. */
  know(): Promise<void> {
    this.asking ??= this.world.ask().then(
      ({ allowed }) => this.decide(allowed),
      // Asked again with the next thing there is to tell.
      () => void (this.asking = null),
    );
    return this.asking;
  }

  /** Somebody chose on this page. */
  decide(allowed: boolean): void {
    this.allowed = allowed;
    this.asking = Promise.resolve();
    if (!allowed) this.forget();
  }

  /** Tells what there is, without waiting; nothing where it is not known that it may. */
  async flush(): Promise<void> {
    this.stopTimer();
    if (this.allowed !== true || this.waiting.length === 0) return;
    const events = this.waiting;
    this.waiting = [];
    try {
      if (!(await this.world.send(events))) this.decide(false);
    } catch {
      // Lost: it is no more than a count.
    }
  }

  private forget(): void {
    this.stopTimer();
    this.waiting = [];
  }

  private stopTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}

const EVENTS_MAX = 50;
const WAIT_MS = 20_000;
