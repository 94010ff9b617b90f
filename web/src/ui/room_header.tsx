// Where one is, how the connection is, and how to bring others.

import type { RefObject } from "preact";

import type { RoomId } from "../protocol";
import { roomPath } from "../session/link";
import { isModerating } from "../session/moderation";
import type { Session } from "../session/session";
import type { SessionState } from "../session/state";
import { CopyLink } from "./copy_link";
import { WhoPlays } from "./who_link";

interface Props {
  session: Session;
  state: SessionState;
  heading: RefObject<HTMLHeadingElement | null>;
  inert: boolean;
}

export function RoomHeader({ session, state, heading, inert }: Props) {
  const { words, mood } = connection(state);
  const count = state.participants.length;
  const moderates = isModerating(state.participants.find((participant) => participant.id === state.me));
  const here = count === 1 ? "only you" : `${count} here`;
  return (
    <header class="room-header" inert={inert}>
      <div class="room-title">
        <h1 id="room-title" ref={heading} tabIndex={-1} class="room-name">
          {state.room}
        </h1>
        <div class="room-status">
          <p class={`state ${mood}`} role="status">
            {mood === "good" ? (
              <>
                <span class="wide">{words} · </span>
                <span>{here}</span>
              </>
            ) : (
              words
            )}
          </p>
          <WhoPlays />
          {moderates && <RoomPage room={state.room} />}
        </div>
      </div>
      <div class="room-actions">
        <CopyLink link={roomPath(state.room)} />
        <button type="button" class="button leave" onClick={() => session.leave()}>
          Leave
        </button>
      </div>
    </header>
  );
}

/** The way to who comes in, in another tab: nobody leaves the music by accident. */
function RoomPage({ room }: { room: RoomId }) {
  return (
    <a class="who" href={`/account/rooms/${room}`} target="_blank" rel="noopener">
      Room page<span class="sr-only">: invites and bans, in another tab</span>
    </a>
  );
}

interface InvitationProps {
  room: RoomId;
  /** Whether one can make invites. */
  moderates: boolean;
}

/** What an empty room shows: how to fill it. */
export function Invitation({ room, moderates }: InvitationProps) {
  return (
    <section class="card invitation" aria-labelledby="invitation-title">
      <h2 id="invitation-title">You are the first one here.</h2>
      <p>Send this link to the others:</p>
      <p class="share">
        <code>
          {location.origin}
          <wbr />
          {roomPath(room)}
        </code>
      </p>
      <CopyLink link={roomPath(room)} />
      {moderates && (
        <p class="help">
          If the room is private, they need its password as well, or an invite instead:{" "}
          <a href={`/account/rooms/${room}`} target="_blank" rel="noopener">
            make one
            <span class="sr-only"> in another tab</span>
          </a>
          .
        </p>
      )}
      <p class="help">
        Shortest delay of all, with the vjam app: <code>vjam join {`${location.origin}${roomPath(room)}`}</code>
      </p>
    </section>
  );
}

function connection({ phase, link }: SessionState): { words: string; mood: string } {
  switch (phase.name) {
    case "joining":
      return { words: "Joining…", mood: "waiting" };
    case "away":
      return { words: "Reconnecting…", mood: "bad" };
    case "closed":
      return { words: "Left", mood: "bad" };
    case "in":
      break;
  }
  switch (link) {
    case "connecting":
      return { words: "Connecting the sound…", mood: "waiting" };
    case "down":
      return { words: "Sound interrupted", mood: "bad" };
    case "up":
      return { words: "Connected", mood: "good" };
  }
}
