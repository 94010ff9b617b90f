// One's own photo: sent as soon as it is chosen, since there is nothing else to say of it.

import { useRef, useState } from "preact/hooks";

import { call } from "../../../account/client";
import { Section } from "../section";
import { useActing } from "./acting";
import { Photo } from "./photo";

interface Props {
  username: string;
  /** What changes when the photo does; null for none. */
  photo: string | null;
}

export function PhotoSettings({ username, photo }: Props) {
  const [shown, setShown] = useState(photo);
  const [sending, setSending] = useState(false);
  const [done, setDone] = useState("");
  const { problem, attempt } = useActing();
  const input = useRef<HTMLInputElement>(null);

  const send = async (file: File) => {
    setDone("");
    setSending(true);
    await attempt(async () => {
      const body = await asWhatItIs(file);
      await call("PUT /api/v1/social/account/photo", { body });
      const { photo: changed = null } = await call("GET /api/v1/social/account/profile");
      setShown(changed);
      setDone("Your photo is changed.");
    });
    setSending(false);
    // The same file, chosen again, is to be sent again.
    if (input.current !== null) input.current.value = "";
  };
  const remove = () =>
    attempt(async () => {
      setDone("");
      await call("DELETE /api/v1/social/account/photo");
      setShown(null);
      setDone("Your photo is removed.");
      input.current?.focus();
    });

  return (
    <Section title="Your photo" done={done}>
      <div class="own-photo">
        <Photo username={username} photo={shown} large />
        <div class="field">
          <label for="own-photo">{shown === null ? "Choose a photo" : "Choose another photo"}</label>
          <input
            id="own-photo"
            type="file"
            accept={Object.values(KINDS).join()}
            ref={input}
            aria-invalid={problem !== ""}
            aria-describedby="own-photo-problem own-photo-help"
            onClick={(event) => {
              // One after the other. Disabled it would lose the focus.
              if (sending) event.preventDefault();
            }}
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              if (file !== undefined) void send(file);
            }}
          />
          <p id="own-photo-problem" class="field-problem" role="alert">
            {problem}
          </p>
          <p id="own-photo-help" class="help">
            A JPEG, PNG or WebP of 8 MiB at most. Only a square from its middle is kept, and nothing of when or
            where it was taken.
          </p>
          <p role="status">{sending ? "Your photo is on its way…" : ""}</p>
          {shown !== null && (
            <button type="button" class="button small" onClick={() => void remove()}>
              Remove the photo
            </button>
          )}
        </div>
      </div>
    </Section>
  );
}

/** The file by what is in it: a name may say something else, and the server wants to hear the truth. */
async function asWhatItIs(file: File): Promise<Blob> {
  const begin = String.fromCharCode(...new Uint8Array(await file.slice(0, 12).arrayBuffer()));
  const kind = begin.startsWith("\xff\xd8\xff")
    ? KINDS.jpeg
    : begin.startsWith("\x89PNG")
      ? KINDS.png
      : /^RIFF[^]{4}WEBP/.test(begin)
        ? KINDS.webp
        : file.type;
  return file.slice(0, file.size, kind);
}

const KINDS = { jpeg: "image/jpeg", png: "image/png", webp: "image/webp" };
