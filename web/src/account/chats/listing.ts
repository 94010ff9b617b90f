// Keeps the list of chats: reads it page by page, and asks for single chats again. What came from the live
// connection while a list was on its way stays.

import { type Signal, signal } from "@preact/signals";

import type { Chat, Chats as ChatsPage, Id } from "../../protocol/social";
import { ProblemError, call } from "../client";
import { type Chats, withChats, withoutChat } from "./list";

interface Owner {
  /** Whether a chat is open, or was: it stays in the list. */
  follows(chat: Id): boolean;
  /** A chat is theirs no longer. */
  gone(chat: Id): void;
  /** A route failed; what there is to say of it, unless that ends everything. */
  failed(error: unknown, say: (sentence: string) => void): void;
}

export class Listing {
  /** Null until the first list has come. */
  readonly chats: Signal<Chats | null> = signal(null);
  /** Whether there are more on the server. */
  readonly more = signal(false);
  /** Why the list could not be read; empty where it could. */
  readonly problem = signal("");
  private pages = 1;
  /** Chats that are asked for; true where they changed again meanwhile. */
  private readonly asked = new Map<Id, boolean>();

  constructor(private readonly owner: Owner) {}

  /** Reads as much of the list as was read before. */
  async read(pages = this.pages): Promise<void> {
    const started = new Set(this.chats.peek()?.keys());
    const found: Chat[] = [];
    let cursor: string | null = null;
    try {
      for (let page = 0; page < pages && (page === 0 || cursor !== null); page += 1) {
        const query: { cursor?: string } = cursor === null ? {} : { cursor };
        const answer: ChatsPage = await call("GET /api/v1/social/chats", { query });
        found.push(...answer.chats);
        cursor = answer.next ?? null;
      }
    } catch (error) {
      return this.owner.failed(error, (sentence) => void (this.problem.value = sentence));
    }
    const listed = new Set(found.map(({ id }) => id));
    const stays = (id: Id) => listed.has(id) || this.owner.follows(id) || !started.has(id);
    const kept = [...(this.chats.peek() ?? [])].filter(([id]) => stays(id));
    this.chats.value = withChats(new Map(kept), found);
    this.pages = pages;
    this.more.value = cursor !== null;
    this.problem.value = "";
    // One that is open, and not among the first: it may be theirs no longer.
    for (const [id] of kept) if (!listed.has(id)) void this.refresh(id);
  }

  readMore(): Promise<void> {
    return this.read(this.pages + 1);
  }

  /** Takes a chat in, as the server answered it. */
  took(chat: Chat): void {
    this.chats.value = withChats(this.chats.peek() ?? new Map(), [chat]);
  }

  /** Does the same with what is known; nothing before the first list. */
  change(how: (chats: Chats) => Chats): void {
    const chats = this.chats.peek();
    if (chats !== null) this.chats.value = how(chats);
  }

  remove(chat: Id): void {
    this.change((chats) => withoutChat(chats, chat));
  }

  has(chat: Id): boolean {
    return this.chats.peek()?.has(chat) === true;
  }

  /** Asks for a chat again: once more, however often it changes meanwhile. */
  async refresh(chat: Id): Promise<void> {
    if (this.asked.has(chat)) return void this.asked.set(chat, true);
    do {
      this.asked.set(chat, false);
      try {
        this.took(await call("GET /api/v1/social/chats/{chat}", { path: { chat } }));
      } catch (error) {
        if (error instanceof ProblemError && error.code === "not_found") this.owner.gone(chat);
        else this.owner.failed(error, () => {});
        break;
      }
    } while (this.asked.get(chat) === true);
    this.asked.delete(chat);
  }
}
