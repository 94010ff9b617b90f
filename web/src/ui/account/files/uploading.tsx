// Chooses files to be uploaded, and shows how far they are.

import { useRef } from "preact/hooks";

import { type Entry, isOnItsWay } from "../../../account/uploads";
import { sentence } from "../../format";
import { Section } from "../section";
import { uploads } from "./queue";
import { bytesText } from "./words";

export function Uploading() {
  const input = useRef<HTMLInputElement>(null);
  const entries = uploads.entries.value;
  const list = useRef<HTMLUListElement>(null);

  // The buttons of an entry change with it: whoever pressed one by keyboard goes on in the list.
  const pressed = (action: () => void) => {
    action();
    list.current?.focus();
  };
  return (
    <Section title="Upload" done={summary(entries)}>
      <div
        class="drop"
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          uploads.add(event.dataTransfer?.files ?? []);
        }}
      >
        <label for="upload-files">Recordings and pictures</label>
        <input
          id="upload-files"
          type="file"
          multiple
          accept={ACCEPTED}
          aria-describedby="upload-help"
          ref={input}
          onChange={(event) => {
            uploads.add(event.currentTarget.files ?? []);
            // So that the same file can be chosen again.
            event.currentTarget.value = "";
          }}
        />
        <p id="upload-help" class="help">
          Several at once if you like. Recordings stay exactly as they are; pictures lose what the camera wrote into them.
        </p>
      </div>
      {0 < entries.length && (
        <ul class="uploads" ref={list} tabIndex={-1} aria-label="Uploads">
          {entries.map((entry) => (
            <li key={entry.key}>
              <strong class="file-name">{entry.name}</strong>
              {isOnItsWay(entry) && (
                <progress max={Math.max(1, entry.size)} value={entry.sent} aria-label={`Upload of ${entry.name}`} />
              )}
              <span class={entry.stage === "failed" ? "field-problem" : "tag"}>{stageText(entry)}</span>
              {isOnItsWay(entry) && (
                <button
                  type="button"
                  class="button small"
                  aria-label={`Cancel the upload of ${entry.name}`}
                  onClick={() => pressed(() => uploads.cancel(entry.key))}
                >
                  Cancel
                </button>
              )}
              {(entry.stage === "failed" || entry.stage === "canceled") && (
                <button
                  type="button"
                  class="button small"
                  aria-label={`Upload ${entry.name} again`}
                  onClick={() => pressed(() => uploads.again(entry.key))}
                >
                  Try again
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {entries.some((entry) => !isOnItsWay(entry)) && (
        <button
          type="button"
          class="button small"
          onClick={() => {
            uploads.tidy();
            input.current?.focus();
          }}
        >
          Tidy this list
        </button>
      )}
    </Section>
  );
}

export function stageText({ stage, sent, size, problem }: Entry): string {
  switch (stage) {
    case "queued":
      return `Waits for its turn, ${bytesText(size)}`;
    case "sending":
      return `${bytesText(sent)} of ${bytesText(size)}`;
    case "broken":
      return `${bytesText(sent)} of ${bytesText(size)}. The connection is lost; it goes on as soon as there is one.`;
    case "finishing":
      return "All sent; the server puts it together…";
    case "done":
      return `Done, ${bytesText(size)}`;
    case "failed":
      return sentence(problem);
    case "canceled":
      return "Canceled";
  }
}

/** What is read out: when something begins, ends or stands still, not each part. */
function summary(entries: readonly Entry[]): string {
  const count = (is: (entry: Entry) => boolean) => entries.filter(is).length;
  const left = count(isOnItsWay);
  const parts: string[] = [];
  const add = (number: number, words: string) => {
    if (number !== 0) parts.push(`${number === 1 ? "One file" : `${number} files`} ${words}`);
  };
  add(left, "on the way");
  add(count(({ stage }) => stage === "done"), "uploaded");
  add(count(({ stage }) => stage === "failed"), "not uploaded");
  if (0 < count(({ stage }) => stage === "broken")) parts.push("The connection is lost");
  return parts.length === 0 ? "" : `${parts.join(". ")}.`;
}

/** A proposal to whoever chooses; the server looks at what is in a file. */
export const ACCEPTED = "audio/*,image/jpeg,image/png,image/webp,image/gif,.wav,.flac,.mp3,.ogg,.opus,.m4a,.aac,.webm";
