// Rooms that their owners show to everybody. The first page loads this after itself; where there are none, or the
// server does not tell, nothing is shown.

import { useEffect, useRef, useState } from "preact/hooks";

import { ProblemError, call } from "../account/client";
import type { PublicRoom } from "../protocol/social";
import { roomPath } from "../session/link";
import { followed } from "./route";

export function PublicRooms() {
  const [rooms, setRooms] = useState<PublicRoom[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);

  const load = async (after: string | null) => {
    try {
      const query = after === null ? {} : { after };
      const page = await call("GET /api/v1/social/public-rooms", { query });
      setRooms((before) => [...(after === null ? [] : before), ...page.rooms]);
      setNext(page.next ?? null);
      // The button goes with the last page.
      if (after !== null) list.current?.focus();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
    }
  };
  useEffect(() => void load(null), []);

  if (rooms.length === 0) return null;
  return (
    <section class="public-rooms" aria-labelledby="public-rooms">
      <h2 id="public-rooms">Public rooms</h2>
      <ul ref={list} tabIndex={-1}>
        {rooms.map(({ name, title, playing }) => (
          <li key={name}>
            <a href={roomPath(name)} onClick={followed}>
              {title === "" ? name : title}
            </a>
            <span class="tag">{playingWords(playing)}</span>
          </li>
        ))}
      </ul>
      {next !== null && (
        <button type="button" class="button" onClick={() => void load(next)}>
          Show more rooms
        </button>
      )}
    </section>
  );
}

function playingWords(playing: number): string {
  if (playing === 0) return "Nobody there";
  return playing === 1 ? "1 is there" : `${playing} are there`;
}
