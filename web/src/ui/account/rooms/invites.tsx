// Links that open a private room for some days. The server keeps only a hash of each: its link is shown once.

import { useEffect, useRef, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { Invite, Room } from "../../../protocol/social";
import { roomPath } from "../../../session/link";
import { CopyLink } from "../../copy_link";
import { Form, Submit, useForm } from "../form";
import { useActing } from "../people/acting";
import { Waiting } from "../people/gate";
import { Word } from "../people/inputs";
import { Section } from "../section";
import { date } from "./words";

export function Invites({ room }: { room: Room }) {
  const [invites, setInvites] = useState<Invite[] | null>(null);
  /** The link of the one that was just made. */
  const [link, setLink] = useState<string | null>(null);
  const [days, setDays] = useState<Days>("7");
  const [done, setDone] = useState("");
  const form = useForm(["days"]);
  const listing = useActing();
  const { problem, attempt } = useActing();
  const list = useRef<HTMLDivElement>(null);
  const path = { room: room.name };

  const ask = async () => setInvites((await call("GET /api/v1/social/rooms/{room}/invites", { path })).invites);
  const load = () => listing.attempt(ask);
  useEffect(() => void load(), []);

  const make = () =>
    form.submit({}, async () => {
      setDone("");
      setLink(null);
      const { token } = await call("POST /api/v1/social/rooms/{room}/invites", { path, body: { days: Number(days) } });
      setLink(roomPath(room.name, token));
      await ask();
    });
  const revoke = ({ id }: Invite) =>
    attempt(async () => {
      setDone("");
      await call("DELETE /api/v1/social/rooms/{room}/invites/{invite}", { path: { ...path, invite: id } });
      // The link that is shown may be the one that was taken back.
      setLink(null);
      setInvites((before) => before?.filter((each) => each.id !== id) ?? null);
      setDone("The invite is taken back. Whoever came in with it stays there.");
      list.current?.focus();
    });

  return (
    <Section title="Invites" done={done}>
      <p class="help">
        {room.visibility === "private"
          ? "A link with an invite lets whoever has it in, without the password, until it ends."
          : "At present nobody needs an invite: the room's link is enough. Invites count once the room is private."}
      </p>
      <Form form={form} onSubmit={() => void make()}>
        <Word form={form} name="days" label="It counts for" words={DAYS} value={days} onChange={setDays} />
        <Submit form={form}>Make an invite</Submit>
      </Form>
      <div role="status">
        {link !== null && (
          <div class="new-invite">
            <p>Send this link to those you invite. It is shown only now.</p>
            <p class="share">
              <code>{`${location.origin}${link}`}</code>
            </p>
            <CopyLink link={link} />
          </div>
        )}
      </div>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      <div class="people-list" role="group" aria-label="Invites that count" ref={list} tabIndex={-1}>
        {invites === null && <Waiting problem={listing.problem} onAgain={() => void load()} />}
        {invites !== null && 0 < invites.length && (
          <ul class="people">
            {invites.map((invite) => (
              <li key={invite.id}>
                <span>
                  Until {date(invite.expires_at)}
                  <span class="tag">
                    Made {date(invite.created_at)}
                    {invite.made_by !== undefined && invite.made_by !== null && ` by ${invite.made_by}`}
                  </span>
                </span>
                <button
                  type="button"
                  class="button small"
                  aria-label={`Take back the invite until ${date(invite.expires_at)}`}
                  onClick={() => void revoke(invite)}
                >
                  Take back
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Section>
  );
}

type Days = "1" | "7" | "30";
const DAYS: Record<Days, string> = { 1: "A day", 7: "A week", 30: "30 days" };
