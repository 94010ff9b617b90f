// Telling the moderators of somebody, or of a file of theirs.

import { useRef, useState } from "preact/hooks";

import { Section } from "../section";
import { type About, REPORT_SENT, ReportForm } from "./report_form";

interface Props {
  about: About;
  /** What the button names. */
  name: string;
  /** Who sees what of it. */
  help: string;
}

export function Report({ about, name, help }: Props) {
  const [open, setOpen] = useState(false);
  const [done, setDone] = useState("");
  const opener = useRef<HTMLButtonElement>(null);
  return (
    <Section title="Report" done={done}>
      <p class="help">{help}</p>
      <button
        type="button"
        class="button small"
        aria-expanded={open}
        ref={opener}
        onClick={() => {
          setDone("");
          setOpen(!open);
        }}
      >
        Report {name}
      </button>
      {open && (
        <ReportForm
          about={about}
          onSent={() => {
            setOpen(false);
            setDone(REPORT_SENT);
            opener.current?.focus();
          }}
        />
      )}
    </Section>
  );
}
