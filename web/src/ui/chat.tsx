// The conversation beside the music.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { CHAT_TEXT_CHARS_MAX, type ParticipantId } from "../protocol";
import type { Entry } from "../session/state";
import { timeOfDay } from "./format";

interface Props {
  entries: Entry[];
  me: ParticipantId | null;
  /** Resolves to false where the text did not get to the room. */
  onSay: (text: string) => Promise<boolean>;
  onClose: () => void;
}

export function Chat({ entries, me, onSay, onClose }: Props) {
  const [text, setText] = useState("");
  const list = useRef<HTMLOListElement>(null);
  const atEnd = useRef(true);

  useLayoutEffect(() => {
    // Whoever scrolled up to read is not dragged back down.
    if (atEnd.current && list.current !== null) list.current.scrollTop = list.current.scrollHeight;
  }, [entries]);

  const say = (event: Event) => {
    event.preventDefault();
    const trimmed = text.trim();
    if (trimmed === "") return;
    atEnd.current = true;
    setText("");
    void onSay(trimmed).then((said) => {
      // Nobody should have to type it again; but what they typed since comes first.
      if (!said) setText((typed) => (typed === "" ? trimmed : typed));
    });
  };

  return (
    <aside id="chat" class="chat" aria-labelledby="chat-title">
      <div class="chat-head">
        <h2 id="chat-title" tabIndex={-1}>Chat</h2>
        <button type="button" class="button small chat-close" onClick={onClose}>
          Close chat
        </button>
      </div>
      <ol
        ref={list}
        class="entries"
        tabIndex={0}
        aria-label="Messages"
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          atEnd.current = scrollHeight - clientHeight - scrollTop < NEAR_PX;
        }}
      >
        {entries.length === 0 && <li class="event">Nothing said yet.</li>}
        {entries.map((entry) =>
          entry.kind === "event" ? (
            <li key={entry.key} class="event">
              {entry.text}
            </li>
          ) : (
            <li key={entry.key} class={entry.message.participant === me ? "said mine" : "said"}>
              <span class="who">{entry.message.name}</span>{" "}
              <time dateTime={new Date(entry.message.at_unix_ms).toISOString()}>
                {timeOfDay(entry.message.at_unix_ms)}
              </time>
              <p>{entry.message.text}</p>
            </li>
          ),
        )}
      </ol>
      <form class="say" onSubmit={say}>
        <label for="say" class="sr-only">
          Message to the room
        </label>
        <input
          id="say"
          type="text"
          autoComplete="off"
          maxLength={CHAT_TEXT_CHARS_MAX}
          placeholder="Message to the room"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="button">
          Send
        </button>
      </form>
    </aside>
  );
}

const NEAR_PX = 40;
