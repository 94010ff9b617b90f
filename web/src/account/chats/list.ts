// The chats that somebody is in, as pure functions: what a message, a reading or a fresh answer makes of
// them. Answers and the live connection overtake one another, so each takes from the other only what is newer.

import type { Chat, Id, Message } from "../../protocol/social";

export type Chats = ReadonlyMap<Id, Chat>;

/** With chats as the server answered them. */
export function withChats(chats: Chats, answered: readonly Chat[]): Chats {
  const next = new Map(chats);
  for (const chat of answered) {
    const known = next.get(chat.id);
    next.set(chat.id, known === undefined ? chat : merged(known, chat));
  }
  return next;
}

export function withoutChat(chats: Chats, id: Id): Chats {
  const next = new Map(chats);
  next.delete(id);
  return next;
}

/** With a message, new or changed, that the live connection brought. */
export function withMessage(chats: Chats, message: Message, me: Id): Chats {
  const chat = chats.get(message.chat);
  if (chat === undefined) return chats;
  const next: Chat = { ...chat, rev: Math.max(chat.rev, message.rev) };
  if (chat.last_seq < message.seq) {
    next.last_seq = message.seq;
    next.last_message = message;
    next.active_at = message.created_at;
    if (message.author?.account !== me) next.unread = Math.min(UNREAD_MAX, chat.unread + 1);
  } else if (chat.last_message?.seq === message.seq && chat.last_message.rev < message.rev) {
    next.last_message = message;
  }
  return new Map(chats).set(chat.id, next);
}

interface Reading {
  chat: Id;
  account: Id;
  seq: number;
}

/** With how far somebody has read. It never goes back. */
export function withReading(chats: Chats, { chat: id, account, seq }: Reading, me: Id): Chats {
  const chat = chats.get(id);
  if (chat === undefined) return chats;
  const members = chat.members.map((member) =>
    member.account === account ? { ...member, read_seq: Math.max(member.read_seq ?? 0, seq) } : member,
  );
  const next: Chat = { ...chat, members };
  if (account === me && chat.read_seq < seq) {
    next.read_seq = seq;
    // Of what is between, some may be one's own: it is no more than this.
    next.unread = Math.min(chat.unread, Math.max(0, chat.last_seq - seq));
  }
  return new Map(chats).set(id, next);
}

/** The most lively first. */
export function sortedChats(chats: Chats): Chat[] {
  return [...chats.values()].sort((a, b) => b.active_at - a.active_at || (a.id < b.id ? 1 : -1));
}

/** What a chat is called, by whoever reads it. */
export function chatName(chat: Chat, me: Id): string {
  if (chat.kind === "group") return chat.title ?? "A group without a title";
  if (chat.kind === "room") return `Room ${chat.room ?? ""}`.trim();
  return chat.members.find(({ account }) => account !== me)?.username ?? "Somebody who is gone";
}

/** Who stands at which place with their reading, of others than oneself. */
export function readersBySeq(chat: Chat, me: Id, shown: readonly Message[]): ReadonlyMap<number, string[]> {
  const readers = new Map<number, string[]>();
  for (const { account, read_seq, username } of chat.members) {
    if (account === me || typeof read_seq !== "number") continue;
    const at = shown.findLast(({ seq }) => seq <= read_seq)?.seq;
    if (at !== undefined) readers.set(at, [...(readers.get(at) ?? []), username]);
  }
  return readers;
}

function merged(known: Chat, answered: Chat): Chat {
  const read_seq = Math.max(known.read_seq, answered.read_seq);
  const readSince = answered.read_seq < read_seq;
  const unread = readSince ? Math.min(answered.unread, Math.max(0, answered.last_seq - read_seq)) : answered.unread;
  if (known.rev <= answered.rev) return { ...answered, read_seq, unread };
  // The live connection was faster with what was said, but not with who is in it.
  const { rev, last_seq, last_message, active_at } = known;
  return { ...answered, rev, last_seq, last_message: last_message ?? null, active_at, read_seq, unread: known.unread };
}

/** What the server counts no further than. */
const UNREAD_MAX = 1000;
