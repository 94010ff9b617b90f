// What goes with the next message of a chat: files of this device, which are uploaded first, and files that
// are on the server already.

import { useEffect, useRef, useState } from "preact/hooks";

import { call } from "../../../account/client";
import { type Entry, type Uploads, isOnItsWay } from "../../../account/uploads";
import type { StoredFile } from "../../../protocol/social";
import { useAttempts } from "../files/attempt";
import { ACCEPTED, stageText } from "../files/uploading";
import { describeFile } from "../files/words";

/** Files of one message at most. */
export const FILES_MAX = 10;

export function Attach({ uploads }: { uploads: Uploads }) {
  const [choosing, setChoosing] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const room = FILES_MAX - uploads.entries.value.length;
  useEffect(() => input.current?.focus(), []);
  return (
    <div class="attach">
      <label for="attach-files">Recordings and pictures of this device</label>
      <input
        id="attach-files"
        type="file"
        multiple
        accept={ACCEPTED}
        ref={input}
        disabled={room <= 0}
        aria-describedby="attach-help"
        onChange={(event) => {
          uploads.add([...(event.currentTarget.files ?? [])].slice(0, room));
          event.currentTarget.value = "";
        }}
      />
      <p id="attach-help" class="help">
        {room <= 0 ? `A message carries ${FILES_MAX} files at most.` : "They stay among your files. Everybody in this chat can have them."}
      </p>
      <button type="button" class="button small" aria-expanded={choosing} onClick={() => setChoosing(!choosing)}>
        Choose among your files
      </button>
      {choosing && <OwnFiles uploads={uploads} isFull={room <= 0} />}
    </div>
  );
}

/** One's files, a page after the other, the newest first. */
function OwnFiles({ uploads, isFull }: { uploads: Uploads; isFull: boolean }) {
  const [files, setFiles] = useState<readonly StoredFile[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const { problem, attempt } = useAttempts();
  const load = (before: string | null) =>
    attempt(async () => {
      const page = await call("GET /api/v1/social/files", { query: before === null ? {} : { before } });
      setFiles([...(before === null ? [] : (files ?? [])), ...page.files]);
      setNext(page.next ?? null);
    });
  useEffect(() => void load(null), []);
  const taken = new Set(uploads.entries.value.map(({ file }) => file?.id));
  const left = (files ?? []).filter(({ id }) => !taken.has(id));
  return (
    <div>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      {files === null && problem === "" && <p role="status">Loading…</p>}
      {files !== null && left.length === 0 && (
        <p class="help">{files.length === 0 ? "You have no files here so far." : "All of them are attached."}</p>
      )}
      <ul class="attach-own" aria-label="Your files">
        {left.map((file) => (
          <li key={file.id}>
            <button
              type="button"
              class="button small"
              disabled={isFull}
              aria-label={`Attach ${file.name}`}
              onClick={() => uploads.adopt(file)}
            >
              Attach
            </button>
            <span>
              <strong class="file-name">{file.name}</strong>
              <span class="tag">{describeFile(file)}</span>
            </span>
          </li>
        ))}
      </ul>
      {next !== null && (
        <button type="button" class="button small" onClick={() => void load(next)}>
          Show more of your files
        </button>
      )}
    </div>
  );
}

/** What is attached, and how far it is. */
export function Attached({ uploads }: { uploads: Uploads }) {
  const list = useRef<HTMLUListElement>(null);
  const entries = uploads.entries.value;
  if (entries.length === 0) return null;
  const pressed = (action: () => void) => {
    action();
    list.current?.focus();
  };
  return (
    <ul class="uploads attached" ref={list} tabIndex={-1} aria-label="Attached files">
      {entries.map((entry) => (
        <li key={entry.key}>
          <strong class="file-name">{entry.name}</strong>
          {isOnItsWay(entry) && <progress max={Math.max(1, entry.size)} value={entry.sent} aria-label={`Upload of ${entry.name}`} />}
          <span class={entry.stage === "failed" ? "field-problem" : "tag"}>{attachedText(entry)}</span>
          {entry.stage === "failed" && (
            <button
              type="button"
              class="button small"
              aria-label={`Try again with ${entry.name}`}
              onClick={() => pressed(() => uploads.again(entry.key))}
            >
              Try again
            </button>
          )}
          <button
            type="button"
            class="button small"
            aria-label={`Remove ${entry.name}`}
            onClick={() => pressed(() => uploads.drop(entry.key))}
          >
            Remove
          </button>
        </li>
      ))}
    </ul>
  );
}

function attachedText(entry: Entry): string {
  return entry.file === null ? stageText(entry) : `Attached, ${describeFile(entry.file)}`;
}
