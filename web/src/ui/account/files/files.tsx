// The list of one's files, the newest first, and how much of the room they take.

import { useEffect, useRef, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { StoredFile, StoredFiles } from "../../../protocol/social";
import { followed } from "../../route";
import { Section } from "../section";
import { Shell } from "../shell";
import { FileActions, thumbnailOf } from "./actions";
import { useAttempts } from "./attempt";
import { uploads } from "./queue";
import { Uploading } from "./uploading";
import { bytesText, dayText, describeFile, isRecording } from "./words";

export function Files() {
  const [page, setPage] = useState<StoredFiles | null>(null);
  const [done, setDone] = useState("");
  const { problem, busy, attempt } = useAttempts();
  const refreshing = useAttempts();
  const list = useRef<HTMLUListElement>(null);

  const first = () => call("GET /api/v1/social/files", { query: {} });
  const load = () => attempt(async () => setPage(await first()));
  useEffect(() => void load(), []);

  /** What came and went, without what was shown on demand. */
  const refresh = async () => {
    const { files, used, quota, next = null } = await first();
    setPage((old) => {
      const oldest = files.at(-1)?.id;
      const rest = next === null || oldest === undefined ? [] : (old?.files ?? []).filter(({ id }) => id < oldest);
      return { files: [...files, ...rest], used, quota, next: rest.length === 0 ? next : (old?.next ?? null) };
    });
  };
  // What is here when the page opens is in the list already.
  const known = useRef(uploads.arrived.peek());
  const arrived = uploads.arrived.value;
  useEffect(() => {
    if (known.current === arrived) return;
    // Another one may come while the list does.
    void refreshing.attempt(async () => {
      while (known.current !== uploads.arrived.peek()) {
        known.current = uploads.arrived.peek();
        await refresh();
      }
    });
  }, [arrived]);

  const more = () =>
    attempt(async () => {
      if (page?.next == null) return;
      const { files, next = null, used, quota } = await call("GET /api/v1/social/files", { query: { before: page.next } });
      setPage({ files: [...page.files, ...files], next, used, quota });
      setDone(`${files.length} more files are shown.`);
      // The button may be gone.
      if (next === null) list.current?.focus();
    });
  const deleted = (file: StoredFile) => {
    setPage((old) => old && { ...old, used: old.used - file.size, files: old.files.filter(({ id }) => id !== file.id) });
    setDone(`${file.name} is deleted.`);
    list.current?.focus();
  };

  return (
    <Shell title="Your files" lead="Recordings and pictures, for you and for whom you give them to.">
      <Uploading />
      <Section title="Files" done={done}>
        {problem !== "" || refreshing.problem !== "" ? (
          <div class="problem" role="alert">
            <p>{problem || refreshing.problem}</p>
            <button type="button" class="button" onClick={() => void load()}>
              Try again
            </button>
          </div>
        ) : (
          page === null && <p role="status">Loading…</p>
        )}
        {page !== null && (
          <>
            <Room used={page.used} quota={page.quota} />
            <ul class="files" ref={list} tabIndex={-1} aria-label="Your files">
              {page.files.map((file) => (
                <FileRow file={file} key={file.id} onDeleted={() => deleted(file)} />
              ))}
            </ul>
            {page.files.length === 0 && <p class="help">Nothing here so far.</p>}
            {page.next != null && (
              <button type="button" class="button" disabled={busy} onClick={() => void more()}>
                Show more
              </button>
            )}
          </>
        )}
      </Section>
      <p>
        <a href="/account" onClick={followed}>
          Your account
        </a>
      </p>
    </Shell>
  );
}

function Room({ used, quota }: { used: number; quota: number }) {
  return (
    <div class="field">
      <progress class={quota * 0.9 < used ? "nearly-full" : ""} max={Math.max(1, quota)} value={used} aria-labelledby="room-used" />
      <p id="room-used" class="help">
        {bytesText(used)} of {bytesText(quota)} used, {bytesText(Math.max(0, quota - used))} free
      </p>
    </div>
  );
}

function FileRow({ file, onDeleted }: { file: StoredFile; onDeleted: () => void }) {
  return (
    <li>
      <div class="file-head">
        {!isRecording(file) && <img class="file-small" src={thumbnailOf(file.id)} alt="" width="48" height="48" loading="lazy" />}
        <span>
          <a class="file-name" href={`/account/files/${file.id}`} onClick={followed}>
            {file.name}
          </a>
          <span class="tag">
            {describeFile(file)}, {dayText(file.created_at)}
          </span>
        </span>
      </div>
      <FileActions file={file} own onDeleted={onDeleted} />
    </li>
  );
}
