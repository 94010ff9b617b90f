// Looks for messages in all chats; what is found leads to its place in its chat.

import { useRef, useState } from "preact/hooks";

import { ProblemError, call } from "../../../account/client";
import type { Desk } from "../../../account/chats/desk";
import { chatName } from "../../../account/chats/list";
import type { Id, Message, MessagesFound } from "../../../protocol/social";
import { sentence } from "../../format";
import { lineOf } from "./message_text";
import { chatPath, goToChat, isPlain } from "./place";
import { when } from "./when";

interface Props {
  desk: Desk;
  /** Whether the list makes room for what was found. */
  onSearching: (isSearching: boolean) => void;
}

export function Search({ desk, onSearching }: Props) {
  const [words, setWords] = useState("");
  const [isAudio, setAudio] = useState(false);
  const [found, setFound] = useState<MessagesFound | null>(null);
  const [problem, setProblem] = useState("");
  /** What the results are of; whatever was asked before counts no more. */
  const asked = useRef<Wanted | null>(null);
  const input = useRef<HTMLInputElement>(null);

  const look = async (wanted: Wanted, before: MessagesFound | null) => {
    asked.current = wanted;
    setProblem("");
    try {
      const cursor = before?.next ?? null;
      const query = cursor === null ? wanted : { ...wanted, cursor };
      const answer = await call("GET /api/v1/social/search/messages", { query });
      if (asked.current !== wanted) return;
      setFound({ messages: [...(before?.messages ?? []), ...answer.messages], next: answer.next ?? null });
      onSearching(true);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      if (asked.current === wanted) setProblem(sentence(error.message));
    }
  };
  const end = () => {
    asked.current = null;
    setWords("");
    setAudio(false);
    setFound(null);
    setProblem("");
    onSearching(false);
    input.current?.focus();
  };
  const nameOf = (id: Id) => {
    const chat = desk.listing.chats.value?.get(id);
    return chat === undefined ? "Another chat" : chatName(chat, desk.account.id);
  };

  return (
    <search>
      <form
        class="chats-search"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const q = words.trim();
          if (q === "" && !isAudio) return;
          void look({ ...(q === "" ? {} : { q }), ...(isAudio ? { audio: true } : {}) }, null);
        }}
      >
        <label for="chats-search">Search all chats</label>
        <div class="inline">
          <input
            id="chats-search"
            ref={input}
            type="text"
            autoComplete="off"
            value={words}
            aria-describedby="chats-search-problem"
            onInput={(event) => setWords(event.currentTarget.value)}
          />
          <button type="submit" class="button">
            Search
          </button>
        </div>
        <div class="choice">
          <input id="chats-search-audio" type="checkbox" checked={isAudio} onChange={(event) => setAudio(event.currentTarget.checked)} />
          <label for="chats-search-audio">Recordings only</label>
        </div>
        <p id="chats-search-problem" class="field-problem" role="alert">
          {problem}
        </p>
      </form>
      <p role="status" class="help">
        {found === null ? "" : FOUND_WORDS(found.messages.length, found.next !== null)}
      </p>
      {found !== null && (
        <>
          <button type="button" class="button small" onClick={end}>
            Back to all chats
          </button>
          <ul aria-label="Messages that were found">
            {found.messages.map((message) => (
              <li key={message.id}>
                <a
                  class="chats-entry"
                  href={chatPath(message.chat)}
                  onClick={(event) => isPlain(event) && goToChat(message.chat, message.seq)}
                >
                  <strong>
                    {message.author?.username ?? "Somebody"} in {nameOf(message.chat)}
                  </strong>
                  <time dateTime={new Date(message.created_at).toISOString()}>{when(message.created_at, Date.now())}</time>
                  <span class="chats-last">{foundText(message, asked.current?.audio === true)}</span>
                </a>
              </li>
            ))}
          </ul>
          {found.next !== null && (
            <button type="button" class="button small" onClick={() => asked.current !== null && void look(asked.current, found)}>
              Older messages that match
            </button>
          )}
        </>
      )}
    </search>
  );
}

interface Wanted {
  q?: string;
  audio?: true;
}

/** What it says and what it carries, first what was looked for: there is room for one line. */
function foundText(message: Message, isAudio: boolean): string {
  const names = message.files.flatMap(({ file }) => (file == null ? [] : [file.name]));
  const parts = isAudio ? [...names, message.body ?? ""] : [message.body ?? "", ...names];
  return parts.filter((part) => part !== "").join(" · ") || lineOf(message);
}

const FOUND_WORDS = (count: number, more: boolean) => {
  if (count === 0) return "Nothing was found.";
  if (more) return `The newest ${count} messages that match.`;
  return count === 1 ? "One message matches." : `${count} messages match.`;
};
