// Where one is, how the connection is, and how to bring others.

import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";

import type { RoomId } from "../protocol";
import { roomPath } from "../session/link";
import type { Session } from "../session/session";
import type { SessionState } from "../session/state";

interface Props {
  session: Session;
  state: SessionState;
  heading: RefObject<HTMLHeadingElement | null>;
  inert: boolean;
}

export function RoomHeader({ session, state, heading, inert }: Props) {
  const { words, mood } = connection(state);
  const count = state.participants.length;
  const here = count === 1 ? "only you" : `${count} here`;
  return (
    <header class="room-header" inert={inert}>
      <div class="room-title">
        <h1 ref={heading} tabIndex={-1} class="room-name">
          {state.room}
        </h1>
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
      </div>
      <div class="room-actions">
        <CopyLink room={state.room} />
        <button type="button" class="button leave" onClick={() => session.leave()}>
          Leave
        </button>
      </div>
    </header>
  );
}

/** What an empty room shows: how to fill it. */
export function Invitation({ room }: { room: RoomId }) {
  const link = roomLink(room);
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
      <CopyLink room={room} />
      <p class="help">
        Shortest delay of all, with the vjam app: <code>vjam join {link}</code>
      </p>
    </section>
  );
}

function CopyLink({ room }: { room: RoomId }) {
  const copied = useSignal<"no" | "yes" | "failed">("no");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(roomLink(room));
      copied.value = "yes";
    } catch {
      copied.value = "failed";
    }
    setTimeout(() => {
      copied.value = "no";
    }, COPIED_MS);
  };
  return (
    <button type="button" class="button" onClick={() => void copy()}>
      <span aria-live="polite">
        {{ no: "Copy link", yes: "Link copied", failed: "Copy the address above" }[copied.value]}
      </span>
    </button>
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

function roomLink(room: RoomId): string {
  return `${location.origin}${roomPath(room)}`;
}

const COPIED_MS = 2_500;
