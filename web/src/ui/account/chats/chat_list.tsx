// The list of chats with what is unread, the search over all of them, and the way to a new one.

import { useRef, useState } from "preact/hooks";

import type { Desk } from "../../../account/chats/desk";
import { chatName, sortedChats } from "../../../account/chats/list";
import { isDeleted } from "../../../account/chats/log";
import type { Chat, Id } from "../../../protocol/social";
import { sentence } from "../../format";
import { NewChat } from "./new_chat";
import { lineOf } from "./message_text";
import { chatPath, goToChat, isPlain } from "./place";
import { Search } from "./search";
import { when } from "./when";

export function ChatList({ desk, open }: { desk: Desk; open: Id | null }) {
  const [making, setMaking] = useState(false);
  const [isSearching, setSearching] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const chats = desk.listing.chats.value;
  const problem = desk.listing.problem.value;

  return (
    <section class="chats-list" aria-labelledby="chats-list-title">
      <div class="chats-head">
        <h2 id="chats-list-title">Your chats</h2>
        <button
          ref={button}
          type="button"
          class="button small"
          aria-expanded={making}
          onClick={() => setMaking(!making)}
        >
          New chat
        </button>
      </div>
      {making && (
        <NewChat
          onMade={(chat) => {
            desk.took(chat);
            setMaking(false);
            goToChat(chat.id);
          }}
          onCancel={() => {
            setMaking(false);
            button.current?.focus();
          }}
        />
      )}
      <Search desk={desk} onSearching={setSearching} />
      {!isSearching && (
        <>
          {problem !== "" && (
            <div class="problem" role="alert">
              <p>{sentence(problem)}</p>
              <button type="button" class="button small" onClick={() => void desk.listing.read()}>
                Try again
              </button>
            </div>
          )}
          {chats === null && problem === "" && <p role="status">Loading…</p>}
          {chats?.size === 0 && <p class="help">No chats yet. Begin one with somebody you play with.</p>}
          {chats !== null && (
            <ul>
              {sortedChats(chats).map((chat) => (
                <li key={chat.id}>
                  <Entry desk={desk} chat={chat} isOpen={chat.id === open} />
                </li>
              ))}
            </ul>
          )}
          {desk.listing.more.value && (
            <button type="button" class="button small" onClick={() => void desk.listing.readMore()}>
              Show more chats
            </button>
          )}
        </>
      )}
    </section>
  );
}

function Entry({ desk, chat, isOpen }: { desk: Desk; chat: Chat; isOpen: boolean }) {
  const me = desk.account.id;
  const last = chat.last_message ?? null;
  const count = chat.unread < 1000 ? String(chat.unread) : "1000 or more";
  return (
    <a
      class="chats-entry"
      href={chatPath(chat.id)}
      aria-current={isOpen ? "page" : undefined}
      onClick={(event) => isPlain(event) && goToChat(chat.id)}
    >
      <strong>{chatName(chat, me)}</strong>
      {0 < chat.unread && <span class="chats-unread">{count} unread</span>}
      <time dateTime={new Date(chat.active_at).toISOString()}>{when(chat.active_at, Date.now())}</time>
      {last !== null && (
        <span class="chats-last">
          {last.author?.account === me ? "You" : (last.author?.username ?? "Somebody")}:{" "}
          {isDeleted(last) ? "deleted a message" : lineOf(last)}
        </span>
      )}
    </a>
  );
}
