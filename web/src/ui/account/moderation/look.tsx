// A file that moderators look at: opened on demand, since a look is written down, and not everybody wants to
// see everything.

import { useState } from "preact/hooks";

interface Props {
  src: string;
  file: { name: string; media_type: string };
}

export function Look({ src, file: { name, media_type } }: Props) {
  const [open, setOpen] = useState(false);
  const [failed, setFailed] = useState(false);
  const isSound = media_type.startsWith("audio/");
  const what = isSound ? "Listen to it" : "Look at it";
  return (
    <>
      {!open && (
        <button type="button" class="button small" aria-label={`${what}: ${name}`} onClick={() => setOpen(true)}>
          {what}
        </button>
      )}
      {open && isSound && <audio class="player" controls src={src} aria-label={name} onError={() => setFailed(true)} />}
      {open && !isSound && <img class="picture whole" src={src} alt={name} onError={() => setFailed(true)} />}
      <p class="field-problem" role="alert">
        {failed ? "The file could not be loaded." : ""}
      </p>
    </>
  );
}
