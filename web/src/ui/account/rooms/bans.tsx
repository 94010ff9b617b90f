// Whom the room lets in no more, to ban others and to take it back.

import { useEffect, useRef, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { Ban, Room } from "../../../protocol/social";
import { useActing } from "../people/acting";
import { Waiting } from "../people/gate";
import { Section } from "../section";
import { ByName } from "./by_name";
import { date } from "./words";

export function Bans({ room }: { room: Room }) {
  const [bans, setBans] = useState<Ban[] | null>(null);
  const [done, setDone] = useState("");
  const listing = useActing();
  const { problem, attempt } = useActing();
  const list = useRef<HTMLDivElement>(null);
  const path = { room: room.name };

  const ask = async () => setBans((await call("GET /api/v1/social/rooms/{room}/bans", { path })).bans);
  const load = () => listing.attempt(ask);
  useEffect(() => void load(), []);

  const ban = async (username: string) => {
    setDone("");
    await call("POST /api/v1/social/rooms/{room}/bans", { path, body: { username } });
    await ask();
    setDone(`${username} is banned, and out of the room and its chat.`);
  };
  const lift = ({ account, username }: Ban) =>
    attempt(async () => {
      setDone("");
      await call("DELETE /api/v1/social/rooms/{room}/bans/{account}", { path: { ...path, account } });
      setBans((before) => before?.filter((each) => each.account !== account) ?? null);
      setDone(`${username} may come in again.`);
      list.current?.focus();
    });
  return (
    <Section title="Bans" done={done}>
      <p class="help">
        Who is banned cannot come in with their account. Guests without one are stopped by a password or an invite alone.
      </p>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      <div class="people-list" role="group" aria-label="Banned people" ref={list} tabIndex={-1}>
        {bans === null && <Waiting problem={listing.problem} onAgain={() => void load()} />}
        {bans?.length === 0 && <p class="help">Nobody is banned.</p>}
        {bans !== null && 0 < bans.length && (
          <ul class="people">
            {bans.map((each) => (
              <li key={each.account}>
                <span>
                  <strong class="name">{each.username}</strong>
                  <span class="tag">Since {date(each.banned_at)}</span>
                </span>
                <button
                  type="button"
                  class="button small"
                  aria-label={`Let in again: ${each.username}`}
                  onClick={() => void lift(each)}
                >
                  Let in again
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      <ByName label="Username of whom to ban" yes="Ban them" onName={ban} />
    </Section>
  );
}
