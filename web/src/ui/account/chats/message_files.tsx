// The files that a message carries: recordings to listen to, pictures to look at, and the places of those
// that are gone. A player is there on demand only: a chat may hold hundreds of recordings.

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";

import type { Id, MessageFile, StoredFile } from "../../../protocol/social";
import { followed } from "../../route";
import { contentOf, thumbnailOf } from "../files/actions";
import { Recording } from "../files/recording";
import { describeFile, isRecording } from "../files/words";

interface Props {
  /** Of which message. */
  message: Id;
  files: readonly MessageFile[];
  me: Id;
}

/** Which recording of which message is listened to: one at a time. */
const playing = signal<string | null>(null);

export function MessageFiles({ message, files, me }: Props) {
  return (
    <ul class="message-files" aria-label="Files">
      {files.map(({ file }, place) => (
        <li key={file?.id ?? place}>{file == null ? <p class="message-gone">A file that was deleted.</p> : <Carried message={message} file={file} me={me} />}</li>
      ))}
    </ul>
  );
}

function Carried({ message, file, me }: { message: Id; file: StoredFile; me: Id }) {
  const [known, setKnown] = useState(file);
  const place = `${message} ${file.id}`;
  const shown = playing.value === place;
  const player = useRef<HTMLDivElement>(null);
  // What the server says of it later counts: how long it is, once that is found out.
  useEffect(() => setKnown(file), [file]);
  useEffect(() => {
    if (shown) player.current?.focus();
  }, [shown]);
  const page = `/account/files/${file.id}`;
  return (
    <>
      <div class="file-head">
        {!isRecording(file) && (
          <a href={page} onClick={followed} aria-label={`Look at ${file.name}`}>
            <img class="message-picture" src={thumbnailOf(file.id)} alt="" loading="lazy" {...sizeOf(file)} />
          </a>
        )}
        <span>
          <a class="file-name" href={page} onClick={followed}>
            {file.name}
          </a>
          <span class="tag">{describeFile(known)}</span>
        </span>
      </div>
      <div class="inline">
        {isRecording(file) && (
          <button
            type="button"
            class="button small"
            aria-expanded={shown}
            aria-label={`Listen to ${file.name}`}
            onClick={() => (playing.value = shown ? null : place)}
          >
            Listen
          </button>
        )}
        <a class="button small" href={contentOf(file.id)} download={file.name} aria-label={`Download ${file.name}`}>
          Download
        </a>
      </div>
      {shown && (
        <div class="message-player" ref={player} tabIndex={-1} role="group" aria-label={file.name}>
          <Recording file={known} me={me} onFile={setKnown} />
        </div>
      )}
    </>
  );
}

/** The room is kept before the picture is there, so that a chat does not jump. */
function sizeOf({ width_px, height_px }: StoredFile) {
  if (width_px == null || height_px == null) return {};
  const scale = Math.min(1, SMALL_PX / Math.max(width_px, height_px));
  return { width: Math.round(width_px * scale), height: Math.round(height_px * scale) };
}

/** A side of a small picture at most. */
const SMALL_PX = 160;
