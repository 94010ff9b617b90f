// A button that asks before it does what cannot be undone.

import { useEffect, useRef, useState } from "preact/hooks";

interface Props {
  /** On the button, such as "Delete". */
  word: string;
  /** What it is about, for whoever hears the button alone. */
  about: string;
  question: string;
  /** On the button that does it. */
  yes: string;
  busy?: boolean;
  onYes: () => void;
}

export function Confirm({ word, about, question, yes, busy = false, onYes }: Props) {
  const [asking, setAsking] = useState(false);
  const first = useRef<HTMLButtonElement>(null);
  const no = useRef<HTMLButtonElement>(null);
  const asked = useRef(false);

  // The focus goes to what harms nobody, and back to where it came from.
  useEffect(() => {
    if (asking) no.current?.focus();
    else if (asked.current) first.current?.focus();
    asked.current = asking;
  }, [asking]);

  if (!asking) {
    return (
      <button type="button" class="button small" aria-label={`${word} ${about}`} ref={first} onClick={() => setAsking(true)}>
        {word}
      </button>
    );
  }
  return (
    <div
      class="confirm"
      role="group"
      aria-label={question}
      onKeyDown={(event) => {
        if (event.key === "Escape") setAsking(false);
      }}
    >
      <p>{question}</p>
      <button type="button" class="button small" ref={no} onClick={() => setAsking(false)}>
        Keep it
      </button>
      <button type="button" class="button small danger" disabled={busy} onClick={onYes}>
        {yes}
      </button>
    </div>
  );
}
