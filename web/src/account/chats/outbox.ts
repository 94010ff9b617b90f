// Messages that somebody wrote and the server has not acknowledged. Each is sent again under its own
// `client_id` until it is answered, so that there is one of it, however often the answer was lost; those of
// one chat go one after the other. They outlast a reload of the page, in this tab, for this account.

import type { Id, MessageGif, StoredFile } from "../../protocol/social";
import { ProblemError, type Code } from "../client";

export interface Pending {
  client_id: Id;
  chat: Id;
  body: string;
  reply_to: Id | null;
  /** What it carries. */
  files: readonly StoredFile[];
  gif: MessageGif | null;
  created_at: number;
  /** Why the server refused it; empty while it is on its way. */
  problem: string;
}

/** What somebody says: in which chat, and to what. */
export type Said = Pick<Pending, "chat" | "body" | "reply_to"> & Partial<Pick<Pending, "files" | "gif">>;

export class Outbox {
  private list: Pending[];
  private readonly running = new Set<Id>();
  /** Wakes those that wait for their next attempt. */
  private readonly waiting = new Set<() => void>();
  private stopped = false;

  /** `deliver` resolves when the server has answered. */
  constructor(
    private readonly account: Id,
    private readonly deliver: (pending: Pending) => Promise<void>,
    private readonly changed: (list: readonly Pending[]) => void,
  ) {
    this.list = load(account);
    this.changed(this.list);
    for (const { chat } of this.list) void this.run(chat);
  }

  add(said: Said): void {
    const { chat, body, reply_to, files = [], gif = null } = said;
    const pending = { client_id: freshId(), chat, body, reply_to, files, gif, created_at: Date.now(), problem: "" };
    this.become([...this.list, pending]);
    void this.run(chat);
  }

  /** Sends one again that was refused, as the same message. */
  retry(client_id: Id): void {
    this.become(this.list.map((each) => (each.client_id === client_id ? { ...each, problem: "" } : each)));
    const chat = this.list.find((each) => each.client_id === client_id)?.chat;
    if (chat !== undefined) void this.run(chat);
  }

  /** Gives one up that was refused; one on its way may have arrived. */
  discard(client_id: Id): void {
    this.become(this.list.filter((each) => each.client_id !== client_id || each.problem === ""));
  }

  /** The server has it: its answer came, or the message itself. */
  acknowledged(client_id: Id): void {
    if (this.list.some((each) => each.client_id === client_id)) {
      this.become(this.list.filter((each) => each.client_id !== client_id));
    }
  }

  /** The server can be reached again: nothing waits any longer. */
  hurry(): void {
    for (const wake of this.waiting) wake();
  }

  /** What waits stays kept: for the next page, and for when the same account signs in again. */
  stop(): void {
    this.stopped = true;
    this.hurry();
  }

  private async run(chat: Id): Promise<void> {
    if (this.running.has(chat)) return;
    this.running.add(chat);
    for (let failed = 0; ; ) {
      const next = this.list.find((each) => each.chat === chat && each.problem === "");
      if (next === undefined || this.stopped) break;
      try {
        await withinTime(this.deliver(next));
        this.acknowledged(next.client_id);
        failed = 0;
      } catch (error) {
        if (isFinal(error)) {
          this.refused(next.client_id, error.message);
          continue;
        }
        failed += 1;
        await this.pause(Math.min(FIRST_MS * 2 ** (failed - 1), MOST_MS));
      }
    }
    this.running.delete(chat);
  }

  private refused(client_id: Id, problem: string): void {
    this.become(this.list.map((each) => (each.client_id === client_id ? { ...each, problem } : each)));
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.waiting.add(wake);
    });
  }

  private become(list: Pending[]): void {
    this.list = list;
    save(this.account, list);
    this.changed(list);
  }
}

/** A UUID; `crypto.randomUUID` is for secure pages only. */
export function freshId(): Id {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Whether sending the same again would be answered the same. */
function isFinal(error: unknown): error is ProblemError {
  return error instanceof ProblemError && !PASSING.has(error.code);
}

/** A request that hangs in a dead network is given up; the next one names the same message. */
function withinTime(sending: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), ANSWER_MS_MAX);
  });
  return Promise.race([sending, late]).finally(() => clearTimeout(timer));
}

function load(account: Id): Pending[] {
  try {
    const stored = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as { account?: unknown; list?: unknown } | null;
    if (stored?.account === account && Array.isArray(stored.list)) return (stored.list as Pending[]).map((each) => ({ ...each, files: each.files ?? [], gif: each.gif ?? null }));
    // Somebody else's, on the same device.
    sessionStorage.removeItem(KEY);
    return [];
  } catch {
    return [];
  }
}

function save(account: Id, list: readonly Pending[]): void {
  try {
    if (list.length === 0) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, JSON.stringify({ account, list }));
  } catch {
    // Full or forbidden: they last as long as the page.
  }
}

const KEY = "vjam.outbox";
/** What passes: the server, or the way to it. */
const PASSING = new Set<Code>([
  "unreachable",
  "unreadable",
  "too_many_requests",
  "unavailable",
  "internal",
  "busy",
  "not_signed_in",
]);
const FIRST_MS = 500;
const MOST_MS = 15_000;
const ANSWER_MS_MAX = 20_000;
