// One's own rooms and those one looks after, and a form that makes another one.

import { useEffect, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { Room } from "../../../protocol/social";
import { followed } from "../../route";
import { useActing } from "../people/acting";
import { Waiting } from "../people/gate";
import { Section } from "../section";
import { Shell } from "../shell";
import { MakeRoom } from "./make";
import { VISIBILITIES, pageOf } from "./words";

export function Rooms() {
  const [rooms, setRooms] = useState<Room[] | null>(null);
  const { problem, attempt } = useActing();
  const load = () => attempt(async () => setRooms((await call("GET /api/v1/social/rooms")).rooms));
  useEffect(() => void load(), []);

  return (
    <Shell
      title="Your rooms"
      lead="A room that is yours keeps its name and its chat, and you decide who comes in. Nobody needs an account to play in it."
    >
      <Section title="Rooms">
        {rooms === null ? (
          <Waiting problem={problem} onAgain={() => void load()} />
        ) : rooms.length === 0 ? (
          <p class="help">You have none here yet.</p>
        ) : (
          <ul class="people">
            {rooms.map((room) => (
              <li key={room.name}>
                <span>
                  <a class="name" href={pageOf(room.name)} onClick={followed}>
                    {room.title === "" ? room.name : room.title}
                  </a>
                  <span class="tag">
                    {room.name} · {VISIBILITIES[room.visibility]}
                    {room.role === "moderator" && " · you are a moderator"}
                  </span>
                </span>
                <a class="button small" href={`/r/${room.name}`} onClick={followed}>
                  Go there<span class="sr-only">: {room.name}</span>
                </a>
              </li>
            ))}
          </ul>
        )}
      </Section>
      <MakeRoom />
      <p>
        <a href="/account" onClick={followed}>
          Your account
        </a>
      </p>
    </Shell>
  );
}
