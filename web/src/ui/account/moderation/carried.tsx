// The files of a message that a report shows: to look at, and to remove, for a reason that whoever it is of
// reads.

import { useEffect, useRef, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { MessageExcerpt, StoredFile } from "../../../protocol/social";
import { describeFile } from "../files/words";
import { Form, Submit, useForm } from "../form";
import { Lines } from "../people/inputs";
import { Look } from "./look";

interface Props {
  report: string;
  message: MessageExcerpt;
  /** Which file of which message is about to be removed. */
  removing: string;
  onRemoving: (place: string) => void;
  onRemoved: () => Promise<void>;
}

export function Carried({ report, message, removing, onRemoving, onRemoved }: Props) {
  if (message.files.length === 0) return null;
  return (
    <ul class="message-files" aria-label="Files">
      {message.files.map(({ file }, at) => {
        if (file == null) {
          return (
            <li key={at}>
              <p class="message-gone">A file that was deleted.</p>
            </li>
          );
        }
        const place = `${message.id} ${file.id}`;
        return (
          <li key={file.id}>
            <p>
              <strong class="file-name">{file.name}</strong> <span class="tag">{describeFile(file)}</span>
            </p>
            <Look src={`/api/v1/social/moderation/reports/${report}/files/${file.id}`} file={file} />
            <Remove
              report={report}
              file={file}
              asked={removing === place}
              onAsk={(asks) => onRemoving(asks ? place : "")}
              onRemoved={onRemoved}
            />
          </li>
        );
      })}
    </ul>
  );
}

interface RemoveProps {
  report: string;
  file: StoredFile;
  asked: boolean;
  onAsk: (asks: boolean) => void;
  onRemoved: () => Promise<void>;
}

function Remove({ report, file, asked, onAsk, onRemoved }: RemoveProps) {
  const form = useForm(["explanation"]);
  const [explanation, setExplanation] = useState("");
  const group = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (asked) group.current?.focus();
  }, [asked]);
  const remove = async () => {
    await call("POST /api/v1/social/moderation/reports/{report}/files/{file}/remove", {
      path: { report, file: file.id },
      body: { explanation },
    });
    onAsk(false);
    await onRemoved();
  };
  if (!asked) {
    return (
      <button type="button" class="button small" aria-label={`Remove ${file.name}`} onClick={() => onAsk(true)}>
        Remove
      </button>
    );
  }
  const why = explanation.trim() === "" ? "Say why: whoever it is of reads it." : "";
  return (
    <div role="group" aria-label={`Remove ${file.name}`} ref={group} tabIndex={-1}>
      <Form form={form} onSubmit={() => void form.submit({ explanation: why }, remove)}>
        <Lines
          form={form}
          name="explanation"
          label="Why the file is removed"
          rows={2}
          value={explanation}
          onChange={setExplanation}
          help="Whoever it is of reads this. It goes from every chat, and cannot be brought back."
        />
        <div class="inline">
          <Submit form={form}>Remove the file</Submit>
          <button type="button" class="button" onClick={() => onAsk(false)}>
            Keep it
          </button>
        </div>
      </Form>
    </div>
  );
}
