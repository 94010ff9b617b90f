// Which chat is open, by the path. What surprises: going from one chat to another leaves the app's own route
// alone, which would begin the page anew; only the browser's history and this signal know.

import { signal } from "@preact/signals";

import type { Id } from "../../../protocol/social";

const PATH = /^\/account\/chats(?:\/([\w-]+))?\/?$/;

/** The chat of a path; null for the list, undefined where it is another page's. */
export function chatOfPath(path: string): Id | null | undefined {
  const found = PATH.exec(path);
  return found === null ? undefined : (found[1] ?? null);
}

export const openChat = signal<Id | null>(null);

/** A message to go to in the chat that is open, by its place. */
export const sought = signal<number | null>(null);

/** Looks where the browser is. */
export function followPath(): void {
  const chat = chatOfPath(location.pathname);
  if (chat === undefined) return;
  openChat.value = chat;
  // A notice leads to its message.
  const seq = Number(new URLSearchParams(location.search).get("message"));
  if (chat !== null && Number.isSafeInteger(seq) && 0 < seq) sought.value = seq;
}

export function goToChat(chat: Id | null, seq: number | null = null): void {
  sought.value = seq;
  if (openChat.peek() === chat) return;
  history.pushState(null, "", chatPath(chat));
  openChat.value = chat;
}

export function chatPath(chat: Id | null): string {
  return chat === null ? "/account/chats" : `/account/chats/${chat}`;
}

/** The path of a message, by its place. */
export function messagePath(chat: Id, seq: number): string {
  return `${chatPath(chat)}?message=${seq}`;
}

/** A click on a link to a chat that stays inside the page; others are the browser's. */
export function isPlain(event: MouseEvent): boolean {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return false;
  event.preventDefault();
  return true;
}
