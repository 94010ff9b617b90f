// What the tests of the chats' pages share: a chat, messages of it, and a live connection that says what it
// is told.

import { vi } from "vitest";

import { signedOut } from "../../../account/who";
import type { Chat, ChatMember, Message } from "../../../protocol/social";
import { type Asked, close, open, serverSays, settled } from "../test_pages";
import { closeDesk } from "./desk_of";
import { openChat, sought } from "./place";

export const ME = "0199f0c0-0000-7000-8000-00000000000a";
export const BOB = "0199f0c0-0000-7000-8000-00000000000b";
export const CYD = "0199f0c0-0000-7000-8000-00000000000c";
export const DUO = "0199f0c0-0000-7000-8000-0000000000d0";
export const TRIO = "0199f0c0-0000-7000-8000-0000000000e0";
const NAMES: Record<string, string> = { [ME]: "ada", [BOB]: "bob", [CYD]: "cyd" };

export const member = (account: string, part: Partial<ChatMember> = {}): ChatMember => ({
  account, username: NAMES[account] ?? "?", joined_at: 0, read_seq: 0, role: "member", ...part,
});

export const chat = (part: Partial<Chat> = {}): Chat => ({
  id: DUO, kind: "direct", active_at: 1_000, created_at: 0, last_seq: 0, rev: 0, members: [member(ME), member(BOB)],
  muted: false, read_seq: 0, role: "member", unread: 0, last_message: null, ...part,
});

export const trio = (part: Partial<Chat> = {}) =>
  chat({ id: TRIO, kind: "group", title: "Trio", role: "owner", members: [member(ME, { role: "owner" }), member(BOB)], ...part });

export const said = (seq: number, author: string, body: string, part: Partial<Message> = {}): Message => ({
  id: `m${seq}`, chat: DUO, seq, rev: seq, body, author: { account: author, username: NAMES[author] ?? "?" }, client_id: `c${seq}`,
  created_at: 1_000 + seq, mentioned: false, mentions: [], reactions: [], files: [], gif: null, reply_to: null, edited_at: null, deleted_at: null, ...part,
});

/** The socket of the page: the last that was opened. */
export const wire = { sent: [] as unknown[], opened: 0, current: null as Socket | null };

class Socket {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor() {
    wire.current = this;
    wire.opened += 1;
  }
  send(text: string) {
    wire.sent.push(JSON.parse(text));
  }
  close() {}
}

export async function says(...events: object[]): Promise<void> {
  await settled(() => {
    for (const event of events) wire.current?.onmessage?.({ data: JSON.stringify(event) });
  });
}

export const live = () => says({ type: "ready" }, { type: "resumed" });

export async function drops(code: number): Promise<void> {
  await settled(() => wire.current?.onclose?.({ code }));
}

type Answers = Parameters<typeof serverSays>[0];

export const ACCOUNT = {
  id: ME, region: "eu", email: "ada@example.org", username: "ada", role: "user", language: "en", created_at: 0,
};

const NO_GIFS = { available: false, agreed_at: null, giphy: null };

/** Opens the page of chats, with a server that knows these, and whatever else it is told. */
export async function openChats(to: string, chats: Chat[], messages: Message[] = [], more: Answers = {}): Promise<Asked[]> {
  wire.sent = [];
  wire.opened = 0;
  vi.stubGlobal("WebSocket", Socket);
  const answers: Answers = { "GET account": [200, ACCOUNT], "GET chats": [200, { chats, next: null }], "GET account/gifs": [200, NO_GIFS] };
  for (const each of chats) {
    answers[`GET chats/${each.id}`] = [200, each];
    answers[`GET chats/${each.id}/messages`] = [200, { messages, more: false }];
    answers[`PUT chats/${each.id}/read`] = [204];
  }
  const asked = serverSays({ ...answers, ...more });
  await open(to);
  return asked;
}

export async function closeChats(): Promise<void> {
  await settled(closeDesk);
  openChat.value = null;
  sought.value = null;
  await close();
  signedOut();
}

/** Writes in the field for messages. */
export async function write(text: string): Promise<void> {
  const field = document.querySelector("textarea");
  if (field === null) throw new Error("there is nowhere to write");
  field.value = text;
  await settled(() => void field.dispatchEvent(new Event("input", { bubbles: true })));
}

export const all = (selector: string) => [...document.querySelectorAll(selector)].map((each) => each.textContent ?? "");
