// Everything that an app holds of chats while somebody looks at them: the list, the logs of those that were
// opened, the live connection and what waits to be sent. Pages only show it. What surprises: chats without a
// log are never resumed; they are listed anew whenever the connection is.

import { signal } from "@preact/signals";

import type { AccountBody, Chat, Id, Message } from "../../protocol/social";
import { ProblemError, call } from "../client";
import { used } from "../telling/teller";
import { uploadWorld } from "../upload_server";
import { Uploads } from "../uploads";
import { withMessage, withReading } from "./list";
import { Listing } from "./listing";
import { Live, type LinkState, type LiveEvent, type LiveSocket, type Standing } from "./live";
import { type Log, type LogEvent, emptyLog, reduceLog } from "./log";
import { Outbox, type Pending } from "./outbox";
import { Readings } from "./readings";
import { Typing } from "./typing";

export class Desk {
  readonly link = signal<LinkState>("connecting");
  readonly listing: Listing;
  readonly logs = signal<ReadonlyMap<Id, Log>>(new Map());
  readonly pending = signal<readonly Pending[]>([]);
  readonly presence = signal<ReadonlyMap<Id, Standing>>(new Map());
  /** Chats that are not there for whoever asks, and why. */
  readonly lost = signal<ReadonlyMap<Id, string>>(new Map());
  /** What was typed and not sent. */
  readonly drafts = signal<ReadonlyMap<Id, string>>(new Map());
  readonly typing: Typing;
  readonly outbox: Outbox;

  private readonly attachments = new Map<Id, Uploads>();
  private readonly live: Live;
  private readonly readings: Readings;
  private isClosed = false;
  private readonly opening = new Map<Id, Promise<void>>();
  private readonly checks = new Set<ReturnType<typeof setTimeout>>();

  constructor(
    readonly account: AccountBody,
    openSocket: () => LiveSocket,
    private readonly onSignedOut: () => void,
  ) {
    this.listing = new Listing({
      follows: (chat) => this.logs.peek().has(chat),
      gone: (chat) => this.left(chat),
      failed: (error, say) => this.failed(error, say),
    });
    this.typing = new Typing((chat) => this.live.say({ type: "typing", chat }));
    this.readings = new Readings(async (chat, seq) => {
      await call("PUT /api/v1/social/chats/{chat}/read", { path: { chat }, body: { seq } });
    });
    this.outbox = new Outbox(account.id, (pending) => this.deliver(pending), (list) => void (this.pending.value = list));
    const known = () => Object.fromEntries([...this.logs.peek()].map(([chat, { rev }]) => [chat, rev]));
    const owner = {
      state: (state: LinkState) => this.linked(state),
      event: (event: LiveEvent) => this.heard(event),
      known,
      doubted: () => void this.doubt(),
    };
    this.live = new Live(owner, openSocket);
    addEventListener("online", this.online);
    addEventListener("offline", this.offline);
    document.addEventListener("visibilitychange", this.looked);
    this.looked();
    this.live.dial();
    // Not only once it is live: the list is there where no WebSocket gets through.
    void this.listing.read();
  }

  close(): void {
    this.isClosed = true;
    removeEventListener("online", this.online);
    removeEventListener("offline", this.offline);
    document.removeEventListener("visibilitychange", this.looked);
    this.live.stop();
    this.outbox.stop();
    this.typing.stop();
    this.readings.stop();
    for (const uploads of this.attachments.values()) uploads.clear();
    for (const check of this.checks) clearTimeout(check);
  }

  /** Takes a chat in, as the server answered it. */
  took(chat: Chat): void {
    this.listing.took(chat);
    this.setLost(chat.id, null);
  }

  /** Opens a chat: its newest messages come, and it is followed from here on. */
  open(chat: Id): Promise<void> {
    const opened = this.opening.get(chat) ?? this.opened(chat).finally(() => this.opening.delete(chat));
    this.opening.set(chat, opened);
    return opened;
  }

  private async opened(chat: Id): Promise<void> {
    if ((this.logs.peek().get(chat)?.floor ?? null) !== null) return;
    try {
      if (!this.listing.has(chat)) {
        this.took(await call("GET /api/v1/social/chats/{chat}", { path: { chat } }));
      }
      // Before the page is asked for: a drop meanwhile resumes from here.
      const rev = this.chat(chat)?.rev ?? 0;
      if (!this.logs.peek().has(chat)) this.setLog(chat, emptyLog(rev));
      const page = await call("GET /api/v1/social/chats/{chat}/messages", { path: { chat }, query: {} });
      this.reduce(chat, { type: "page", ...page });
      this.setLost(chat, null);
    } catch (error) {
      this.failed(error, (sentence) => this.setLost(chat, sentence));
    }
  }

  /** Reads what was said before. Throws where that fails. */
  async older(chat: Id, limit?: number): Promise<void> {
    const before = this.logs.peek().get(chat)?.floor ?? 0;
    const query = limit === undefined ? { before } : { before, limit };
    const page = await call("GET /api/v1/social/chats/{chat}/messages", { path: { chat }, query });
    this.reduce(chat, { type: "page", ...page });
  }

  /** Reads back to a place; false where that is too far. */
  async reach(chat: Id, seq: number): Promise<boolean> {
    await this.open(chat);
    for (let page = 0; page < REACH_PAGES_MAX; page += 1) {
      const log = this.logs.peek().get(chat);
      if (log === undefined) return false;
      if (log.reachesStart || (log.floor ?? Infinity) <= seq) return true;
      await this.older(chat, PAGE_MAX);
    }
    return false;
  }

  /** What the server answered to a change of one's own. */
  answered(message: Message): void {
    this.reduce(message.chat, { type: "answered", message });
    // The live connection says the same in a moment; where it does not, it is dead and nobody told.
    const check = setTimeout(() => {
      this.checks.delete(check);
      const log = this.logs.peek().get(message.chat);
      if (log !== undefined && log.rev < message.rev && this.link.peek() === "live") this.live.redial();
    }, ECHO_MS_MAX);
    this.checks.add(check);
  }

  deleted(chat: Id, id: Id): void {
    this.reduce(chat, { type: "deleted", id, at: Date.now() });
  }

  /** Somebody has seen everything up to a place. */
  read(chat: Id, seq: number): void {
    if (seq <= (this.chat(chat)?.read_seq ?? 0)) return;
    const account = this.account.id;
    this.listing.change((chats) => withReading(chats, { chat, account, seq }, account));
    this.readings.read(chat, seq);
  }

  /** Somebody is in a chat no longer. */
  left(chat: Id, sentence = "You are not in this chat."): void {
    this.listing.remove(chat);
    const logs = new Map(this.logs.peek());
    logs.delete(chat);
    this.logs.value = logs;
    this.setLost(chat, sentence);
  }

  private chat(id: Id): Chat | undefined {
    return this.listing.chats.peek()?.get(id);
  }

  draft(chat: Id, text: string): void {
    this.drafts.value = new Map(this.drafts.peek()).set(chat, text);
  }

  dialNow(): void {
    this.live.redial();
  }

  /** What is to go with the next message of a chat. */
  attached(chat: Id): Uploads {
    const known = this.attachments.get(chat) ?? new Uploads(uploadWorld);
    this.attachments.set(chat, known);
    return known;
  }

  private async deliver({ chat, client_id, body, reply_to, files, gif }: Pending): Promise<void> {
    try {
      const sending = {
        client_id,
        body,
        ...(reply_to === null ? {} : { reply_to }),
        ...(files.length === 0 ? {} : { files: files.map(({ id }) => id) }),
        ...(gif === null ? {} : { gif }),
      };
      this.answered(await call("POST /api/v1/social/chats/{chat}/messages", { path: { chat }, body: sending }));
      used("chat");
    } catch (error) {
      if (error instanceof ProblemError && error.code === "not_signed_in") this.signedOut();
      throw error;
    }
  }

  private heard(event: LiveEvent): void {
    const me = this.account.id;
    switch (event.type) {
      case "ready":
        this.presence.value = new Map();
        return void this.listing.read();
      case "resumed":
        return this.outbox.hurry();
      case "message": {
        const { message } = event;
        const author = message.author?.account;
        if (author === me && typeof message.client_id === "string") this.outbox.acknowledged(message.client_id);
        if (author !== undefined) this.typing.ended(event.chat, author);
        this.reduce(event.chat, { type: "changed", message });
        if (!this.listing.has(event.chat)) return void this.listing.refresh(event.chat);
        return this.listing.change((chats) => withMessage(chats, message, me));
      }
      case "chat":
        if (!event.member) return this.left(event.chat);
        return void this.listing.refresh(event.chat);
      case "read":
        return this.listing.change((chats) => withReading(chats, event, me));
      case "typing":
        return event.account === me ? undefined : this.typing.began(event.chat, event.account);
      case "presence":
        this.presence.value = new Map(this.presence.peek()).set(event.account, event);
    }
  }

  private async doubt(): Promise<void> {
    await call("GET /api/v1/social/account").catch((error) => this.failed(error, () => {}));
  }

  private linked(state: LinkState): void {
    this.link.value = state;
    if (state === "signed_out") this.signedOut();
  }

  private failed(error: unknown, say: (sentence: string) => void): void {
    if (this.isClosed) return;
    if (!(error instanceof ProblemError)) throw error;
    if (error.code === "not_signed_in") this.signedOut();
    else say(error.message);
  }

  private signedOut(): void {
    if (this.isClosed) return;
    this.close();
    this.onSignedOut();
  }

  private reduce(chat: Id, event: LogEvent): void {
    const log = this.logs.peek().get(chat);
    if (log !== undefined) this.setLog(chat, reduceLog(log, event));
  }

  private setLog(chat: Id, log: Log): void {
    if (this.logs.peek().get(chat) !== log) this.logs.value = new Map(this.logs.peek()).set(chat, log);
  }

  private setLost(chat: Id, sentence: string | null): void {
    const lost = new Map(this.lost.peek());
    if (sentence === null) lost.delete(chat);
    else lost.set(chat, sentence);
    this.lost.value = lost;
  }

  private readonly online = () => this.live.redial();
  private readonly offline = () => this.live.lost();
  private readonly looked = () => {
    const hidden = document.visibilityState === "hidden";
    this.live.say({ type: "presence", state: hidden ? "away" : "online" });
    // A phone that slept has a dead timer as likely as a dead connection.
    if (!hidden && this.link.peek() === "waiting") this.live.dial();
  };
}

const PAGE_MAX = 100;
const REACH_PAGES_MAX = 30;
/** Told within milliseconds; half a minute where a server died (docs/chat.md, 5). */
const ECHO_MS_MAX = 40_000;
