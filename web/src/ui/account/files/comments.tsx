// What is said of moments of a recording.

import { useEffect, useRef, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { FileComment, StoredFile } from "../../../protocol/social";
import { clockTime } from "../../format";
import { Field, Form, Submit, useForm } from "../form";
import { Section } from "../section";
import { useAttempts } from "./attempt";
import { Confirm } from "./confirm";

interface Props {
  file: StoredFile;
  /** The account of whoever looks. */
  me: string;
  position_ms: number;
  onSeek: (position_ms: number) => void;
  /** At which moments there are comments. */
  onMarks: (marks_ms: readonly number[]) => void;
}

export function Comments({ file, me, position_ms, onSeek, onMarks }: Props) {
  const [comments, setComments] = useState<readonly FileComment[] | null>(null);
  const [done, setDone] = useState("");
  const { problem, busy, attempt } = useAttempts();
  const list = useRef<HTMLUListElement>(null);

  const path = { file: file.id };
  const load = async () => {
    const all = await call("GET /api/v1/social/files/{file}/comments", { path });
    setComments(all);
    onMarks(all.map(({ at_ms }) => at_ms));
  };
  useEffect(() => void attempt(load), []);

  const remove = (comment: FileComment) =>
    attempt(async () => {
      await call("DELETE /api/v1/social/files/{file}/comments/{comment}", { path: { ...path, comment: comment.id } });
      await load();
      setDone("The comment is deleted.");
      list.current?.focus();
    });

  return (
    <Section title="Comments" done={done}>
      {problem !== "" && (
        <div class="problem" role="alert">
          <p>{problem}</p>
          <button type="button" class="button" onClick={() => void attempt(load)}>
            Load them again
          </button>
        </div>
      )}
      <ul class="comments" ref={list} tabIndex={-1} aria-label="Comments, in the order of the recording">
        {(comments ?? []).map((comment) => (
          <li key={comment.id}>
            <div class="comment-head">
              <button
                type="button"
                class="button small"
                aria-label={`Go to ${moment(comment.at_ms)}`}
                onClick={() => onSeek(comment.at_ms)}
              >
                {moment(comment.at_ms)}
              </button>
              <strong>{comment.author?.username ?? "Somebody who is gone"}</strong>
            </div>
            {comment.author == null && comment.text === "" ? (
              <p class="help">What they said is gone, too.</p>
            ) : (
              <p class="comment-text">{comment.text}</p>
            )}
            {(comment.author?.account === me || file.account === me) && (
              <Confirm
                word="Delete"
                about={`the comment at ${moment(comment.at_ms)}`}
                question="Delete this comment for good?"
                yes="Delete it"
                busy={busy}
                onYes={() => void remove(comment)}
              />
            )}
          </li>
        ))}
      </ul>
      {comments?.length === 0 && <p class="help">Nobody said anything so far.</p>}
      <NewComment
        file={file}
        position_ms={position_ms}
        onBegin={() => setDone("")}
        onAdded={async (at) => {
          setDone(`Your comment is at ${moment(at)}.`);
          await attempt(load);
        }}
      />
    </Section>
  );
}

interface NewProps {
  file: StoredFile;
  position_ms: number;
  onBegin: () => void;
  onAdded: (at_ms: number) => Promise<void>;
}

/** The moment is held from the first letter on: a recording plays on while somebody types. */
function NewComment({ file, position_ms, onBegin, onAdded }: NewProps) {
  const form = useForm(["text"]);
  const [text, setText] = useState("");
  const [held, setHeld] = useState<number | null>(null);
  const here = Math.min(Math.round(position_ms), file.duration_ms ?? Infinity);
  const at = held ?? here;

  const add = async () => {
    const body = { at_ms: at, text: text.trim() };
    await call("POST /api/v1/social/files/{file}/comments", { path: { file: file.id }, body });
    setText("");
    setHeld(null);
    await onAdded(at);
  };
  return (
    <Form
      form={form}
      onSubmit={() => {
        onBegin();
        void form.submit({ text: text.trim() === "" ? "Write something first." : "" }, add);
      }}
    >
      <Field
        form={form}
        name="text"
        label={`Comment at ${moment(at)}`}
        autoComplete="off"
        value={text}
        onChange={(next) => {
          setText(next);
          if (next === "") setHeld(null);
          else if (held === null) setHeld(here);
        }}
      />
      {held !== null && moment(held) !== moment(here) && (
        <button type="button" class="button small" onClick={() => setHeld(here)}>
          Say it of {moment(here)} instead
        </button>
      )}
      <Submit form={form}>Add the comment</Submit>
    </Form>
  );
}

const moment = (ms: number) => clockTime(ms / 1000);
