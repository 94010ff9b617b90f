// One message as it stands, and what can be done with it. Its buttons are shown on demand: the list has one
// stop for the keyboard for each message.

import { useRef, useState } from "preact/hooks";

import { isDeleted } from "../../../account/chats/log";
import type { ChatMember, Id, Message } from "../../../protocol/social";
import { ReportForm } from "../people/report_form";
import { MessageGifView } from "./gifs";
import { MessageFiles } from "./message_files";
import { lineOf, messageParts } from "./message_text";
import { when } from "./when";

interface Props {
  message: Message;
  me: Id;
  members: readonly ChatMember[];
  /** Whether it is the first that was not read when the chat was opened. */
  isNew: boolean;
  /** What it answers to; null where that is not loaded, undefined where it answers to nothing. */
  answeredTo: Message | null | undefined;
  /** Who has read up to here. */
  readers: readonly string[];
  /** Those that are used in this chat. */
  emojis: readonly string[];
  mayDelete: boolean;
  onReply: () => void;
  onEdit: () => void;
  onSeek: (seq: number) => void;
  onDelete: () => Promise<void>;
  onReact: (emoji: string, isOn: boolean) => Promise<void>;
  onReported: () => void;
}

export function MessageItem(props: Props) {
  const { message, me, answeredTo, readers } = props;
  const [shown, setShown] = useState(false);
  const item = useRef<HTMLLIElement>(null);
  const isMine = message.author?.account === me;
  const author = message.author?.username ?? "Somebody who is gone";
  const gone = isDeleted(message);
  const edited = typeof message.edited_at === "number" && !gone;

  return (
    <li
      ref={item}
      class={`message${isMine ? " mine" : ""}${message.mentioned ? " calls" : ""}`}
      data-seq={message.seq}
      tabIndex={-1}
    >
      {props.isNew && <p class="messages-new">New</p>}
      <div class="message-head">
        <span class="message-author">{author}</span>
        <time dateTime={new Date(message.created_at).toISOString()}>{when(message.created_at, Date.now())}</time>
        {edited && <span class="tag">edited</span>}
        {!gone && (
          <button
            type="button"
            class="message-more"
            aria-expanded={shown}
            aria-label={`${shown ? "Less" : "More"} about the message of ${author}`}
            onClick={() => setShown(!shown)}
          >
            {shown ? "Less" : "More"}
          </button>
        )}
      </div>
      {answeredTo !== undefined && <Quote message={answeredTo} onSeek={props.onSeek} />}
      {gone ? (
        <p class="message-gone">This message was deleted.</p>
      ) : (
        (message.body ?? "") !== "" && (
          <p class="message-body">
            {messageParts(message.body ?? "", message.mentions).map((part, i) =>
              part.account === null ? part.text : <strong key={i}>{part.text}</strong>,
            )}
          </p>
        )
      )}
      {!gone && message.gif != null && <MessageGifView gif={message.gif} />}
      {!gone && 0 < message.files.length && <MessageFiles message={message.id} files={message.files} me={me} />}
      {0 < message.reactions.length && <Reactions {...props} />}
      {shown && !gone && (
        <Actions
          {...props}
          isMine={isMine}
          onDone={() => {
            setShown(false);
            item.current?.focus();
          }}
        />
      )}
      {0 < readers.length && <p class="message-read">Read by {readers.join(", ")}</p>}
    </li>
  );
}

function Quote({ message, onSeek }: { message: Message | null; onSeek: (seq: number) => void }) {
  if (message === null) return <p class="message-quote">Answer to an earlier message</p>;
  return (
    <button type="button" class="message-quote" onClick={() => onSeek(message.seq)}>
      <span class="sr-only">Answer to </span>
      {message.author?.username ?? "Somebody"}: {isDeleted(message) ? "a deleted message" : snippet(lineOf(message))}
    </button>
  );
}

function Reactions({ message, me, members, onReact }: Props) {
  const nameOf = (account: Id) =>
    account === me ? "you" : (members.find((member) => member.account === account)?.username ?? "somebody");
  return (
    <ul class="reactions" aria-label="Reactions">
      {message.reactions.map(({ emoji, accounts }) => {
        const isOn = accounts.includes(me);
        const names = accounts.map(nameOf).join(", ");
        return (
          <li key={emoji}>
            <button
              type="button"
              class="reaction"
              aria-pressed={isOn}
              aria-label={`${emoji} ${accounts.length}, of ${names}`}
              title={names}
              onClick={() => void onReact(emoji, !isOn)}
            >
              {emoji} {accounts.length}
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function Actions(props: Props & { isMine: boolean; onDone: () => void }) {
  const { message, isMine, emojis, onDone } = props;
  const [emoji, setEmoji] = useState("");
  const [isDeleting, setDeleting] = useState(false);
  const [isReporting, setReporting] = useState(false);
  const react = (given: string) => {
    if (given.trim() === "") return;
    void props.onReact(given.trim(), true);
    onDone();
  };
  if (isDeleting) {
    return (
      <div class="message-actions">
        <p>Delete this message for everybody?</p>
        <button
          type="button"
          class="button small"
          onClick={() => {
            void props.onDelete();
            onDone();
          }}
        >
          Delete it
        </button>
        <button type="button" class="button small" onClick={() => setDeleting(false)}>
          Keep it
        </button>
      </div>
    );
  }
  return (
    <div class="message-actions">
      <button
        type="button"
        class="button small"
        onClick={() => {
          onDone();
          props.onReply();
        }}
      >
        Reply
      </button>
      {isMine && (
        <button
          type="button"
          class="button small"
          onClick={() => {
            onDone();
            props.onEdit();
          }}
        >
          Edit
        </button>
      )}
      {!isMine && (
        <button type="button" class="button small" aria-expanded={isReporting} onClick={() => setReporting(!isReporting)}>
          Report
        </button>
      )}
      {props.mayDelete && (
        <button type="button" class="button small" onClick={() => setDeleting(true)}>
          Delete
        </button>
      )}
      {isReporting && (
        <div class="message-report">
          <p class="help">Moderators see this message and a few around it, with their files, and what you write.</p>
          <ReportForm
            about={{ kind: "message", item: message.id }}
            onSent={() => {
              props.onReported();
              onDone();
            }}
          />
        </div>
      )}
      <form
        class="message-react"
        onSubmit={(event) => {
          event.preventDefault();
          react(emoji);
        }}
      >
        {emojis.map((each) => (
          <button key={each} type="button" class="reaction" aria-label={`React with ${each}`} onClick={() => react(each)}>
            {each}
          </button>
        ))}
        <label for={`emoji-${message.id}`}>Emoji</label>
        <input
          id={`emoji-${message.id}`}
          type="text"
          autoComplete="off"
          value={emoji}
          onInput={(event) => setEmoji(event.currentTarget.value)}
        />
        <button type="submit" class="button small">
          React
        </button>
      </form>
    </div>
  );
}

export function snippet(body: string): string {
  const line = body.replace(/\s+/g, " ");
  return SNIPPET_CHARS < line.length ? `${line.slice(0, SNIPPET_CHARS)}…` : line;
}

const SNIPPET_CHARS = 80;
