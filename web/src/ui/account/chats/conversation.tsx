// One chat: its messages, what is on its way, who writes, and the field to say something.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { ProblemError, call } from "../../../account/client";
import type { Desk } from "../../../account/chats/desk";
import { chatName, readersBySeq } from "../../../account/chats/list";
import { isDeleted, shownMessages } from "../../../account/chats/log";
import type { Id, Message } from "../../../protocol/social";
import { sentence } from "../../format";
import { REPORT_SENT } from "../people/report_form";
import { Composer } from "./composer";
import { ChatHead } from "./chat_head";
import { Members } from "./members";
import { MessageItem } from "./message_item";
import { lineOf } from "./message_text";
import { PendingItem } from "./pending_item";
import { sought } from "./place";
import { useStayAtEnd } from "./stay_at_end";

export function Conversation({ desk, id }: { desk: Desk; id: Id }) {
  const me = desk.account.id;
  const chat = desk.listing.chats.value?.get(id);
  const log = desk.logs.value.get(id);
  const lost = desk.lost.value.get(id);
  const pending = desk.pending.value.filter((each) => each.chat === id);
  const messages = useMemo(() => (log === undefined ? [] : shownMessages(log)), [log]);
  const [membersShown, setMembersShown] = useState(false);
  const [reply, setReply] = useState<Message | null>(null);
  const [editing, setEditing] = useState<Message | null>(null);
  const [problem, setProblem] = useState("");
  const [done, setDone] = useState("");
  const [isLoading, setLoading] = useState(false);
  const [target, setTarget] = useState<number | null>(null);
  const list = useRef<HTMLOListElement>(null);
  const atEnd = useRef(true);
  const lastTop = useRef(0);
  /** How much was below the top when older messages were asked for. */
  const below = useRef<number | null>(null);
  /** How far was read when the chat was opened. */
  const readBefore = useRef<number | null>(null);
  if (chat !== undefined) readBefore.current ??= chat.read_seq;

  const isLive = desk.link.value === "live";
  // Again where it is theirs anew, and where the server can be reached again.
  useEffect(() => void desk.open(id), [desk, id, chat === undefined, log === undefined, isLive]);

  const lastSeq = messages.at(-1)?.seq ?? 0;
  const noteRead = () => {
    if (atEnd.current && document.visibilityState !== "hidden" && 0 < lastSeq) desk.read(id, lastSeq);
  };
  useEffect(() => {
    noteRead();
    document.addEventListener("visibilitychange", noteRead);
    return () => document.removeEventListener("visibilitychange", noteRead);
  }, [lastSeq]);

  useLayoutEffect(() => {
    const box = list.current;
    if (box === null) return;
    if (below.current !== null) box.scrollTop = box.scrollHeight - below.current;
    // Whoever scrolled up to read is not dragged back down.
    else if (atEnd.current) box.scrollTop = box.scrollHeight;
    below.current = null;
  }, [messages, pending.length]);
  useStayAtEnd(list, atEnd, [messages, pending.length]);

  const attempt = async (action: () => Promise<void>) => {
    setProblem("");
    setDone("");
    try {
      await action();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem(sentence(error.message));
    }
  };
  const older = () =>
    attempt(async () => {
      setLoading(true);
      atEnd.current = false;
      below.current = null;
      const box = list.current;
      const rest = box === null ? 0 : box.scrollHeight - box.scrollTop;
      try {
        const page = desk.older(id);
        below.current = rest;
        await page;
      } finally {
        setLoading(false);
      }
    });
  const seek = (seq: number) =>
    attempt(async () => {
      atEnd.current = false;
      if (await desk.reach(id, seq)) setTarget(seq);
      else setProblem("This message is too far back to be shown here.");
    });
  useEffect(() => {
    const seq = sought.value;
    if (seq === null) return;
    sought.value = null;
    void seek(seq);
  }, [sought.value]);
  useEffect(() => {
    if (target === null) return;
    const item = list.current?.querySelector<HTMLElement>(`[data-seq="${target}"]`);
    item?.focus();
    setTarget(null);
  }, [target]);

  if (chat === undefined || log === undefined || log.floor === null) {
    return (
      <section class="chat-open" aria-label="Chat">
        <ChatHead desk={desk} chat={chat} />
        {lost === undefined ? (
          <p role="status" class="chat-note">Loading…</p>
        ) : (
          <div class="problem" role="alert">
            <p>{sentence(lost)}</p>
            <button type="button" class="button" onClick={() => void desk.open(id)}>
              Try again
            </button>
          </div>
        )}
      </section>
    );
  }
  const byId = new Map(messages.map((message) => [message.id, message]));
  const readers = readersBySeq(chat, me, messages);
  const firstNew = messages.find(({ seq, author }) => (readBefore.current ?? 0) < seq && author?.account !== me)?.seq;
  const emojis = [...new Set(messages.flatMap(({ reactions }) => reactions.map(({ emoji }) => emoji)))].slice(0, 8);
  // An answer may come before the outbox has heard of it, or after.
  const mine = new Set(messages.map(({ client_id }) => client_id));
  const waiting = pending.filter(({ client_id }) => !mine.has(client_id));

  return (
    <section class="chat-open" aria-label={chatName(chat, me)}>
      <ChatHead desk={desk} chat={chat} membersShown={membersShown} onMembers={() => setMembersShown(!membersShown)} />
      {membersShown && <Members desk={desk} chat={chat} />}
      <p class="field-problem chat-note" role="alert">
        {problem}
      </p>
      <p class="done chat-note" role="status">
        {done}
      </p>
      <ol
        ref={list}
        class="messages"
        tabIndex={0}
        aria-label="Messages"
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          // What comes late at the end leads nobody away from it; whoever scrolls up goes.
          const stays = atEnd.current && lastTop.current <= scrollTop;
          atEnd.current = stays || scrollHeight - clientHeight - scrollTop < NEAR_PX;
          lastTop.current = scrollTop;
          noteRead();
        }}
      >
        {log.reachesStart ? (
          messages.length === 0 && waiting.length === 0 && <li class="messages-note">Nothing said yet.</li>
        ) : (
          <li class="messages-note">
            <button type="button" class="button small" disabled={isLoading} onClick={() => void older()}>
              {isLoading ? "One moment…" : "Show older messages"}
            </button>
          </li>
        )}
        {messages.map((message) => (
          <MessageItem
            key={message.id}
            message={message}
            me={me}
            members={chat.members}
            isNew={message.seq === firstNew}
            answeredTo={typeof message.reply_to === "string" ? (byId.get(message.reply_to) ?? null) : undefined}
            readers={readers.get(message.seq) ?? []}
            emojis={emojis}
            mayDelete={message.author?.account === me || (chat.kind === "group" && chat.role === "owner")}
            onReply={() => {
              setEditing(null);
              setReply(message);
            }}
            onEdit={() => {
              setReply(null);
              setEditing(message);
            }}
            onSeek={(seq) => void seek(seq)}
            onReported={() => setDone(REPORT_SENT)}
            onDelete={() =>
              attempt(async () => {
                await call("DELETE /api/v1/social/messages/{message}", { path: { message: message.id } });
                desk.deleted(id, message.id);
              })
            }
            onReact={(emoji, isOn) =>
              attempt(async () => {
                const path = { message: message.id, emoji };
                const route = "/api/v1/social/messages/{message}/reactions/{emoji}" as const;
                desk.answered(await (isOn ? call(`PUT ${route}`, { path }) : call(`DELETE ${route}`, { path })));
              })
            }
          />
        ))}
        {waiting.map((each) => (
          <PendingItem key={each.client_id} desk={desk} pending={each} />
        ))}
      </ol>
      <Said desk={desk} id={id} messages={messages} />
      <Composer
        desk={desk}
        chat={chat}
        reply={reply}
        editing={editing}
        onSent={() => {
          atEnd.current = true;
          setReply(null);
        }}
        onEnd={() => {
          setReply(null);
          setEditing(null);
        }}
      />
    </section>
  );
}

/** Who writes, for everybody; what was said, for those who listen instead of looking. */
function Said({ desk, id, messages }: { desk: Desk; id: Id; messages: readonly Message[] }) {
  const chat = desk.listing.chats.value?.get(id);
  const those = desk.typing.who.value.get(id) ?? [];
  const names = those.map((account) => chat?.members.find((member) => member.account === account)?.username ?? "somebody");
  const last = messages.at(-1);
  const heard = useRef(last?.seq ?? 0);
  const isFresh = last !== undefined && heard.current < last.seq && last.author?.account !== desk.account.id;
  return (
    <>
      <p class="chat-typing" role="status">
        {names.length === 0 ? "" : `${names.join(" and ")} ${names.length === 1 ? "is" : "are"} writing…`}
      </p>
      <p class="sr-only" role="status">
        {isFresh ? `${last.author?.username ?? "Somebody"}: ${isDeleted(last) ? "deleted" : lineOf(last)}` : ""}
      </p>
    </>
  );
}

const NEAR_PX = 40;
