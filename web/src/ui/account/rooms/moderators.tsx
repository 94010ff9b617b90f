// Those who look after the room beside its owner. The owner makes them; each of them may stop by themselves.

import { useRef, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { Id, Room } from "../../../protocol/social";
import { useActing } from "../people/acting";
import { Section } from "../section";
import { ByName } from "./by_name";

interface Props {
  room: Room;
  /** Whose page it is. */
  me: Id;
  /** They are others now. */
  onChange: () => void;
}

export function Moderators({ room, me, onChange }: Props) {
  const [done, setDone] = useState("");
  const { problem, attempt } = useActing();
  const list = useRef<HTMLDivElement>(null);
  const owns = room.role === "owner";
  const path = { room: room.name };

  const add = async (username: string) => {
    setDone("");
    await call("POST /api/v1/social/rooms/{room}/moderators", { path, body: { username } });
    setDone(`${username} is a moderator.`);
    onChange();
  };
  const remove = (account: Id, username: string) =>
    attempt(async () => {
      setDone("");
      await call("DELETE /api/v1/social/rooms/{room}/moderators/{account}", { path: { ...path, account } });
      setDone(account === me ? "You are no moderator any more." : `${username} is no moderator any more.`);
      list.current?.focus();
      onChange();
    });
  return (
    <Section title="Moderators" done={done}>
      <p class="help">They make invites, and silence, remove and ban guests.</p>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      <div class="people-list" role="group" aria-label="Moderators" ref={list} tabIndex={-1}>
        {room.moderators.length === 0 ? (
          <p class="help">There are none.</p>
        ) : (
          <ul class="people">
            {room.moderators.map(({ account, username }) => (
              <li key={account}>
                <strong class="name">{username}</strong>
                {(owns || account === me) && (
                  <button
                    type="button"
                    class="button small"
                    aria-label={account === me ? "Stop being a moderator" : `Remove ${username} from the moderators`}
                    onClick={() => void remove(account, username)}
                  >
                    {account === me ? "Stop" : "Remove"}
                  </button>
                )}
              </li>
            ))}
          </ul>
        )}
      </div>
      {owns && <ByName label="Username of a new moderator" yes="Make them a moderator" onName={add} />}
    </Section>
  );
}
