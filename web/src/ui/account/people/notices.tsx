// What somebody is told: who asked them, who accepted, which messages call them, and what moderators decided. What was read stands
// in nobody's way: it is shown to whoever asks for it.

import { useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { NoticeBody, NoticeMessage, PersonBody } from "../../../protocol/social";
import { sentence } from "../../format";
import { followed } from "../../route";
import { messagePath } from "../chats/place";
import { Section } from "../section";
import { useActing } from "./acting";
import { PagedList, usePaged } from "./paged";
import { pageOf } from "./photo";

export function Notices() {
  const paged = usePaged<NoticeBody>(async (query) => {
    const { notices, next = null } = await call("GET /api/v1/social/account/notices", { query });
    return { items: notices, next };
  });
  const { problem, attempt } = useActing();
  const [done, setDone] = useState("");
  const [earlier, setEarlier] = useState(false);
  const all = paged.items ?? [];
  const unread = all.filter(isUnread);
  const hasEarlier = unread.length < all.length || paged.hasMore;
  const shown = earlier || paged.items === null ? paged : { ...paged, items: unread, hasMore: false };

  const read = () =>
    attempt(async () => {
      const latest = all[0];
      if (latest === undefined) return;
      setDone("");
      await call("POST /api/v1/social/account/notices/read", { body: { up_to: latest.id } });
      paged.change((items) => items.map((each) => ({ ...each, read_at: each.read_at ?? Date.now() })));
      setDone("All of them count as read.");
      paged.focus();
    });

  return (
    <Section title="Notices" done={done}>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      <PagedList
        paged={shown}
        label="Notices"
        empty={hasEarlier ? "Nothing is new." : "There is nothing to tell you."}
        keyOf={({ id }) => id}
      >
        {(notice) => (
          <div class="notice">
            <p>
              {isUnread(notice) && <strong class="new">New: </strong>}
              <Told notice={notice} />
            </p>
            <time class="tag" dateTime={new Date(notice.created_at).toISOString()}>
              {new Date(notice.created_at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}
            </time>
          </div>
        )}
      </PagedList>
      <div class="inline">
        {0 < unread.length && (
          <button type="button" class="button small" onClick={() => void read()}>
            Mark all as read
          </button>
        )}
        {hasEarlier && (
          <button type="button" class="button small" aria-pressed={earlier} onClick={() => setEarlier(!earlier)}>
            Earlier notices
          </button>
        )}
      </div>
    </Section>
  );
}

function Told({ notice: { kind, person, explanation, message } }: { notice: NoticeBody }) {
  const why = explanation ? ` ${sentence(explanation)}` : "";
  switch (kind) {
    case "friend_asked":
      return <><Name person={person} /> asked you to be friends.</>;
    case "friend_accepted":
      return <><Name person={person} /> accepted: you are friends.</>;
    case "mentioned":
      return <><Name person={person} /> names you in <ToMessage message={message}>a message</ToMessage>.</>;
    case "answered":
      return <><Name person={person} /> <ToMessage message={message}>answered</ToMessage> a message of yours.</>;
    case "report_resolved":
      return <>The moderators decided on a report of yours.</>;
    case "warned":
      return <>The moderators warn you.{why}</>;
    case "policy_changed":
      return (
        <>
          The <a href="/privacy" onClick={followed}>page about privacy</a> will say something else.
        </>
      );
    case "content_removed":
      return <>The moderators removed something of yours.{why}</>;
    case "file_removed":
      return <>The moderators removed a file of yours.{why}</>;
  }
}

function ToMessage({ message, children }: { message: NoticeMessage | null | undefined; children: string }) {
  if (message == null) return <>{children}</>;
  return (
    <a href={messagePath(message.chat, message.seq)} onClick={followed}>
      {children}
    </a>
  );
}

function Name({ person }: { person: PersonBody | null | undefined }) {
  if (person === null || person === undefined) return <>Somebody</>;
  return (
    <a href={pageOf(person.username)} onClick={followed}>
      {person.username}
    </a>
  );
}

const isUnread = ({ read_at }: NoticeBody) => read_at === null || read_at === undefined;
