// Where a message is written: a new one, an answer, or another text for one that was sent.

import { useEffect, useRef, useState } from "preact/hooks";

import { ProblemError, call } from "../../../account/client";
import type { Desk } from "../../../account/chats/desk";
import { isOnItsWay } from "../../../account/uploads";
import type { Chat, Message, MessageGif } from "../../../protocol/social";
import { sentence } from "../../format";
import { Attach, Attached } from "./attach";
import { GifSearch, useGifsOffered } from "./gifs";
import { snippet } from "./message_item";
import { begunName, lineOf } from "./message_text";

interface Props {
  desk: Desk;
  chat: Chat;
  reply: Message | null;
  editing: Message | null;
  onSent: () => void;
  /** No answer any longer, and nothing edited. */
  onEnd: () => void;
}

export function Composer({ desk, chat, reply, editing, onSent, onEnd }: Props) {
  const [edited, setEdited] = useState("");
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [opened, setOpened] = useState<"attach" | "gifs" | null>(null);
  const offersGifs = useGifsOffered();
  const field = useRef<HTMLTextAreaElement>(null);

  // What was begun before waits until the edit is done.
  const text = editing === null ? (desk.drafts.value.get(chat.id) ?? "") : edited;
  useEffect(() => {
    setEdited(editing?.body ?? "");
    setProblem("");
    if (editing !== null) field.current?.focus();
  }, [editing]);
  useEffect(() => {
    if (reply !== null) field.current?.focus();
  }, [reply]);

  const uploads = desk.attached(chat.id);
  const entries = editing === null ? uploads.entries.value : [];
  const change = (next: string) => {
    if (editing === null) desk.draft(chat.id, next);
    else setEdited(next);
  };
  const say = async () => {
    const body = text.trim();
    if (isBusy) return;
    setProblem("");
    if (editing === null) {
      if (body === "" && entries.length === 0) return;
      const files = entries.flatMap(({ file }) => (file === null ? [] : [file]));
      if (files.length < entries.length) {
        return setProblem(entries.some(isOnItsWay) ? UPLOADING : FAILED);
      }
      desk.outbox.add({ chat: chat.id, body, reply_to: reply?.id ?? null, files });
      uploads.clear();
      setOpened(null);
      change("");
      return onSent();
    }
    if (body === "" && !carries(editing)) return;
    setBusy(true);
    try {
      const path = { message: editing.id };
      desk.answered(await call("PATCH /api/v1/social/messages/{message}", { path, body: { body } }));
      onEnd();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem(sentence(error.message));
    } finally {
      setBusy(false);
    }
  };
  const toggle = (which: "attach" | "gifs") => setOpened(opened === which ? null : which);
  /** At once, with nothing of what was typed: that waits for its own moment. */
  const sendGif = (gif: MessageGif) => {
    desk.outbox.add({ chat: chat.id, body: "", reply_to: reply?.id ?? null, gif });
    setOpened(null);
    field.current?.focus();
    onSent();
  };
  const begun = begunName(text);
  const isMeant = (username: string) => begun !== null && username.startsWith(begun.toLowerCase());
  const others = chat.members.filter(({ account, username }) => account !== desk.account.id && isMeant(username));
  const name = (username: string) => {
    change(`${text.slice(0, text.length - (begun?.length ?? 0))}${username} `);
    field.current?.focus();
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void say();
      }}
    >
      {(reply !== null || editing !== null) && (
        <div class="composer-about">
          <p>
            {editing !== null
              ? "Editing your message"
              : `Replying to ${reply?.author?.username ?? "somebody"}: ${snippet(reply === null ? "" : lineOf(reply))}`}
          </p>
          <button
            type="button"
            class="button small"
            onClick={() => {
              onEnd();
              field.current?.focus();
            }}
          >
            Cancel
          </button>
        </div>
      )}
      {0 < others.length && (
        <ul class="composer-names" aria-label="Members to name">
          {others.slice(0, 5).map(({ account, username }) => (
            <li key={account}>
              <button type="button" class="button small" onClick={() => name(username)}>
                @{username}
              </button>
            </li>
          ))}
        </ul>
      )}
      {editing === null && (
        <>
          <Attached uploads={uploads} />
          {opened === "attach" && <Attach uploads={uploads} />}
          {opened === "gifs" && <GifSearch onChosen={sendGif} />}
        </>
      )}
      <p id="composer-problem" class="field-problem" role="alert">
        {problem}
      </p>
      <label for="composer" class="sr-only">
        Message
      </label>
      <textarea
        id="composer"
        ref={field}
        rows={2}
        value={text}
        placeholder="Message"
        aria-describedby="composer-problem"
        onInput={(event) => {
          change(event.currentTarget.value);
          if (editing === null && event.currentTarget.value.trim() !== "") desk.typing.typed(chat.id);
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape" && (reply !== null || editing !== null)) onEnd();
          // Enter that ends a word of an input method is not for sending.
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          void say();
        }}
      />
      <div class="composer-buttons">
        {editing === null && (
          <button type="button" class="button" aria-expanded={opened === "attach"} onClick={() => toggle("attach")}>
            Attach
          </button>
        )}
        {editing === null && offersGifs && (
          <button type="button" class="button" aria-expanded={opened === "gifs"} onClick={() => toggle("gifs")}>
            GIF
          </button>
        )}
        <button type="submit" class="button primary" disabled={isBusy}>
          {editing === null ? "Send" : "Save"}
        </button>
      </div>
    </form>
  );
}

const carries = ({ files, gif }: Message) => 0 < files.length || gif != null;

const UPLOADING = "Not everything is uploaded yet. Send it in a moment.";
const FAILED = "A file was not uploaded. Try it again, or remove it.";
