// A button that asks once more before it does what cannot be taken back as easily.

import { useEffect, useRef, useState } from "preact/hooks";

interface Props {
  /** What the button says, and what it says to whoever hears it away from its list. */
  label: string;
  fullLabel?: string;
  question: string;
  yes: string;
  onYes: () => void;
}

export function Sure({ label, fullLabel = label, question, yes, onYes }: Props) {
  const [asked, setAsked] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const group = useRef<HTMLDivElement>(null);
  const first = useRef(true);
  useEffect(() => {
    // The page's heading has the focus when the page opens.
    if (first.current) first.current = false;
    else (asked ? group.current : opener.current)?.focus();
  }, [asked]);

  if (!asked) {
    return (
      <button
        type="button"
        class="button small"
        aria-label={fullLabel}
        ref={opener}
        onClick={() => setAsked(true)}
      >
        {label}
      </button>
    );
  }
  return (
    <div class="sure" role="group" aria-label={question} ref={group} tabIndex={-1}>
      <p>{question}</p>
      <div class="inline">
        <button
          type="button"
          class="button small"
          onClick={() => {
            setAsked(false);
            onYes();
          }}
        >
          {yes}
        </button>
        <button type="button" class="button small" onClick={() => setAsked(false)}>
          Cancel
        </button>
      </div>
    </div>
  );
}
