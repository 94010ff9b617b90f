// One room: the way there, and, for those who look after it, who comes in.

import { useEffect, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { AccountBody, Room } from "../../../protocol/social";
import { roomPath } from "../../../session/link";
import { CopyLink } from "../../copy_link";
import { followed, navigate } from "../../route";
import { Confirm } from "../files/confirm";
import { useActing } from "../people/acting";
import { Waiting } from "../people/gate";
import { Section } from "../section";
import { Shell } from "../shell";
import { Bans } from "./bans";
import { Door } from "./door";
import { Invites } from "./invites";
import { Moderators } from "./moderators";
import { MEANINGS } from "./words";

interface Props {
  name: string;
  account: AccountBody;
}

export function RoomPage({ name, account }: Props) {
  const [room, setRoom] = useState<Room | null>(null);
  const { problem, attempt } = useActing();
  const load = () =>
    attempt(async () => setRoom(await call("GET /api/v1/social/rooms/{room}", { path: { room: name } })));
  useEffect(() => void load(), []);

  if (room === null) {
    return (
      <Shell title={name}>
        <Waiting problem={problem} onAgain={() => void load()} />
        <All />
      </Shell>
    );
  }
  const owns = room.role === "owner";
  const looksAfter = owns || room.role === "moderator";
  return (
    <Shell title={room.title === "" ? room.name : room.title} lead={leadOf(room)}>
      <Section title="Its link">
        <p class="share">
          <code>
            {location.origin}
            <wbr />
            {roomPath(room.name)}
          </code>
        </p>
        <div class="inline">
          <a class="button primary" href={roomPath(room.name)} onClick={followed}>
            Go there
          </a>
          <CopyLink link={roomPath(room.name)} />
          {room.chat !== undefined && room.chat !== null && (
            <a class="button" href={`/account/chats/${room.chat}`} onClick={followed}>
              Its chat
            </a>
          )}
        </div>
      </Section>
      {owns && <Door room={room} onChange={setRoom} />}
      {looksAfter && <Invites room={room} />}
      {looksAfter && <Moderators room={room} me={account.id} onChange={() => void load()} />}
      {looksAfter && <Bans room={room} />}
      {owns && <Gone name={room.name} />}
      <All />
    </Shell>
  );
}

function leadOf({ role, visibility }: Room): string {
  const whose = { owner: "This room is yours.", moderator: "You are a moderator here.", guest: "You are a guest here." }[role];
  return `${whose} ${MEANINGS[visibility]}`;
}

/** Deletes the room. */
function Gone({ name }: { name: string }) {
  const { problem, attempt } = useActing();
  const remove = () =>
    attempt(async () => {
      await call("DELETE /api/v1/social/rooms/{room}", { path: { room: name } });
      navigate("/account/rooms");
    });
  return (
    <Section title="Delete this room">
      <p class="help">Its chat goes with it. Whoever plays there at the moment plays on, in a room that is nobody's.</p>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      <Confirm
        word="Delete"
        about={name}
        question={`Delete ${name}, with its chat, its invites and its bans? Nothing of it can be had back.`}
        yes="Delete the room"
        onYes={() => void remove()}
      />
    </Section>
  );
}

function All() {
  return (
    <p>
      <a href="/account/rooms" onClick={followed}>
        All your rooms
      </a>
    </p>
  );
}
