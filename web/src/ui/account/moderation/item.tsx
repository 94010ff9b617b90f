// What was reported, and as much around it as the server shows: no more than whoever reported it saw.

import { useState } from "preact/hooks";

import type { MessageExcerpt, ReportDetail, ReportedFile, ReportedPerson } from "../../../protocol/social";
import { bytesText } from "../files/words";
import { Section } from "../section";
import { when } from "./words";

export function Item({ detail }: { detail: ReportDetail }) {
  const { report, person, messages, file } = detail;
  return (
    <Section title="What was reported">
      {report.kind === "room" && <p>The room {report.item}. Nothing is kept of what is played in it.</p>}
      {report.kind === "person" && (person ? <Person id={report.id} person={person} /> : <Gone />)}
      {report.kind === "message" && (messages.length === 0 ? <Gone /> : <Messages item={report.item} messages={messages} />)}
      {report.kind === "file" && (file ? <File id={report.id} file={file} /> : <Gone />)}
    </Section>
  );
}

function Gone() {
  return <p>It is gone: whoever it was of deleted it, or their account was erased.</p>;
}

function Person({ id, person }: { id: string; person: ReportedPerson }) {
  const { username, bio, status, instruments, photo } = person;
  const says: [string, string][] = [
    ["Status", status],
    ["About", bio],
    ["Instruments", instruments.join(", ")],
  ];
  const said = says.filter(([, text]) => text !== "");
  return (
    <>
      <p>
        The profile of <strong>{username}</strong>, all of it:
      </p>
      {photo && (
        <img
          class="photo large"
          src={`/api/v1/social/moderation/reports/${id}/photo?size=512&of=${encodeURIComponent(photo)}`}
          alt={`Photo of ${username}`}
          width={512}
          height={512}
        />
      )}
      {said.length === 0 ? (
        <p class="help">They say nothing of themselves.</p>
      ) : (
        <dl class="facts">
          {said.map(([name, text]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd class="bio">{text}</dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

function Messages({ item, messages }: { item: string; messages: MessageExcerpt[] }) {
  return (
    <ol class="excerpt">
      {messages.map((message) => {
        const isIt = message.id === item;
        return (
          <li key={message.id} class={isIt ? "reported" : undefined}>
            <p class="tag">
              {isIt && <strong>Reported: </strong>}
              {message.author ?? "Somebody who is gone"}, {when(message.created_at)}
              {typeof message.edited_at === "number" && `, edited ${when(message.edited_at)}`}
            </p>
            <p class="bio">{message.body ?? <em>This message was deleted.</em>}</p>
          </li>
        );
      })}
    </ol>
  );
}

function File({ id, file }: { id: string; file: ReportedFile }) {
  // Opened on demand: a look is written down, and not everybody wants to see everything.
  const [open, setOpen] = useState(false);
  const [failed, setFailed] = useState(false);
  const src = `/api/v1/social/moderation/reports/${id}/file`;
  const isSound = file.media_type.startsWith("audio/");
  const what = isSound ? "Listen to it" : "Look at it";
  return (
    <>
      <p>
        <strong class="file-name">{file.name}</strong>, {bytesText(file.size)}, {when(file.created_at)}
      </p>
      {!open && (
        <button type="button" class="button small" onClick={() => setOpen(true)}>
          {what}
        </button>
      )}
      {open && isSound && <audio controls src={src} aria-label={file.name} onError={() => setFailed(true)} />}
      {open && !isSound && <img class="picture whole" src={src} alt={file.name} onError={() => setFailed(true)} />}
      <p class="field-problem" role="alert">
        {failed ? "The file could not be loaded." : ""}
      </p>
    </>
  );
}
