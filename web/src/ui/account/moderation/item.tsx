// What was reported, and as much around it as the server shows: no more than whoever reported it saw.

import { useState } from "preact/hooks";

import type { MessageExcerpt, ReportBody, ReportDetail, ReportedFile, ReportedPerson } from "../../../protocol/social";
import { MessageGifView } from "../chats/gifs";
import { bytesText } from "../files/words";
import { Section } from "../section";
import { Carried } from "./carried";
import { Look } from "./look";
import { when } from "./words";

interface Props {
  detail: ReportDetail;
  /** A file is gone. */
  onRemoved: () => Promise<void>;
}

export function Item({ detail, onRemoved }: Props) {
  const { report, person, messages, file } = detail;
  return (
    <Section title="What was reported">
      {report.kind === "room" && <p>The room {report.item}. Nothing is kept of what is played in it.</p>}
      {report.kind === "person" && (person ? <Person id={report.id} person={person} /> : <Gone />)}
      {report.kind === "message" && (messages.length === 0 ? <Gone /> : <Messages report={report} messages={messages} onRemoved={onRemoved} />)}
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

interface MessagesProps {
  report: ReportBody;
  messages: MessageExcerpt[];
  onRemoved: () => Promise<void>;
}

function Messages({ report: { id, item }, messages, onRemoved }: MessagesProps) {
  /** Which file of which message is about to be removed: one at a time. */
  const [removing, setRemoving] = useState("");
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
            {message.body !== "" && <p class="bio">{message.body ?? <em>This message was deleted.</em>}</p>}
            {message.gif != null && <MessageGifView gif={message.gif} />}
            <Carried
              report={id}
              message={message}
              removing={removing}
              onRemoving={setRemoving}
              onRemoved={onRemoved}
            />
          </li>
        );
      })}
    </ol>
  );
}

function File({ id, file }: { id: string; file: ReportedFile }) {
  return (
    <>
      <p>
        <strong class="file-name">{file.name}</strong>, {bytesText(file.size)}, {when(file.created_at)}
      </p>
      <Look src={`/api/v1/social/moderation/reports/${id}/file`} file={file} />
    </>
  );
}
