// What can be done with a file: keep a copy, give somebody a link, delete it.

import { useEffect, useRef, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { StoredFile } from "../../../protocol/social";
import { timeOfDay } from "../../format";
import { useAttempts } from "./attempt";
import { Confirm } from "./confirm";

interface Props {
  file: StoredFile;
  /** Deletes only what is one's own. */
  own: boolean;
  onDeleted: () => void;
}

export function FileActions({ file, own, onDeleted }: Props) {
  const { problem, busy, attempt } = useAttempts();
  const [link, setLink] = useState<Link | null>(null);

  const copy = () =>
    attempt(async () => {
      setLink(null);
      const { url, expires_at } = await call("POST /api/v1/social/files/{file}/link", { path: { file: file.id } });
      const whole = new URL(url, location.href).href;
      setLink({ url: whole, until: expires_at, copied: await copied(whole) });
    });
  const remove = () =>
    attempt(async () => {
      await call("DELETE /api/v1/social/files/{file}", { path: { file: file.id } });
      onDeleted();
    });

  return (
    <>
      <div class="inline">
        <a class="button small" href={contentOf(file.id)} download={file.name} aria-label={`Download ${file.name}`}>
          Download
        </a>
        <button type="button" class="button small" aria-label={`Copy a link to ${file.name}`} onClick={() => void copy()}>
          Copy a link
        </button>
        {own && (
          <Confirm
            word="Delete"
            about={file.name}
            question={`Delete ${file.name} for good? It goes for everybody who has it from you, too.`}
            yes="Delete it"
            busy={busy}
            onYes={() => void remove()}
          />
        )}
      </div>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      <p class="done" role="status">
        {link !== null && `${link.copied ? "The link is copied." : "Here is the link."} Whoever has it can fetch the file until ${timeOfDay(link.until)}.`}
      </p>
      {link !== null && !link.copied && <LinkField url={link.url} name={file.name} />}
    </>
  );
}

interface Link {
  url: string;
  until: number;
  copied: boolean;
}

/** For browsers that let no page copy: the link, ready to be copied by hand. */
function LinkField({ url, name }: { url: string; name: string }) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, [url]);
  return <input type="text" readOnly value={url} aria-label={`Link to ${name}`} ref={input} />;
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Where the bytes of a file are, for whoever is signed in. */
export const contentOf = (id: string) => `/api/v1/social/files/${encodeURIComponent(id)}/content`;
export const thumbnailOf = (id: string) => `/api/v1/social/files/${encodeURIComponent(id)}/thumbnail`;
