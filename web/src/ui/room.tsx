// The room: who is here and how they sound, the conversation, and how the connection is.

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";

import { isModerating } from "../session/moderation";
import type { Session } from "../session/session";
import type { Entry, SessionState } from "../session/state";
import { Chat } from "./chat";
import { Delays } from "./delays";
import { Findings } from "./findings";
import { onFrame } from "./frames";
import { OwnStrip } from "./own_strip";
import { ProblemCard } from "./problem";
import { RemoteStrips } from "./remote_strip";
import { Invitation, RoomHeader } from "./room_header";
import { Together } from "./together/bar";

interface Props {
  session: Session;
  state: SessionState;
}

export function Room({ session, state }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  const chatOpen = useSignal(false);
  const unread = useUnread(state.entries, chatOpen.value);
  useEffect(() => heading.current?.focus(), []);
  const me = state.participants.find((participant) => participant.id === state.me);
  const others = state.participants.filter((participant) => participant !== me);
  const newest = state.entries.at(-1);
  useChatClosedOnDesks(chatOpen);

  // On a phone the open conversation covers everything else, for the keyboard too.
  const covered = chatOpen.value;
  const closeChat = () => {
    chatOpen.value = false;
    // Only what is not covered any more can take the focus.
    requestAnimationFrame(() => document.getElementById("open-chat")?.focus());
  };

  return (
    <div
      class="page room"
      data-chat={covered ? "open" : "closed"}
      onKeyDown={(event) => {
        if (event.key === "Escape" && covered) closeChat();
      }}
    >
      <RoomHeader session={session} state={state} heading={heading} inert={covered} />
      <Notices session={session} state={state} silenced={me?.silenced === true} />
      <main class="strips" inert={covered}>
        <Together session={session} state={state} />
        <Findings state={state} />
        <OwnStrip session={session} state={state} />
        {others.length === 0 ? (
          <Invitation room={state.room} moderates={isModerating(me)} />
        ) : (
          <RemoteStrips session={session} state={state} others={others} />
        )}
        <Delays state={state} />
      </main>
      <Chat
        entries={state.entries}
        me={state.me}
        onSay={(text) => session.chat(text)}
        onClose={closeChat}
      />
      <div class="thumb-bar" inert={covered}>
        {session.part === "musician" && <MuteButton session={session} muted={state.muted} />}
        <button
          type="button"
          id="open-chat"
          class="button"
          aria-expanded={chatOpen.value}
          aria-controls="chat"
          onClick={() => {
            chatOpen.value = true;
            requestAnimationFrame(() => document.getElementById("chat-title")?.focus());
          }}
        >
          Chat{unread === 0 ? "" : ` (${unread} new)`}
        </button>
      </div>
      <p class="sr-only" role="log" aria-label="What happens in the room">
        {newest === undefined ? "" : spoken(newest)}
      </p>
    </div>
  );
}

/** Mutes one's own sound for everybody. */
export function MuteButton({ session, muted }: { session: Session; muted: boolean }) {
  return (
    <button
      type="button"
      class="button mute"
      aria-pressed={muted}
      onClick={() => session.setMuted(!muted)}
    >
      {muted ? "Muted" : "Mute me"}
    </button>
  );
}

interface NoticesProps extends Props {
  /** Whether the room's owner or a moderator keeps one from being heard. */
  silenced: boolean;
}

function Notices({ session, state, silenced }: NoticesProps) {
  const { phase, link, notice } = state;
  const held = useSoundHeld(session);
  return (
    <div class="notices">
      <div role="status">
        {phase.name === "away" && (
          <div class="banner">
            <p>
              <strong>
                {phase.why === "server_closing" ? "The server stopped." : "Connection lost."}
              </strong>{" "}
              You come back by yourself as soon as{" "}
              {phase.why === "server_closing" ? "it" : "the server"} answers
              {1 < phase.attempt ? ` (attempt ${phase.attempt}).` : "."}
            </p>
            <button type="button" class="button" onClick={() => session.tryNow()}>
              Try now
            </button>
          </div>
        )}
        {silenced && (
          <div class="banner">
            <p>
              <strong>You are silenced.</strong> Nobody hears you until the room's owner or a moderator lets you play
              again. You hear everybody, and can write in the chat.
            </p>
          </div>
        )}
        {held && (
          <div class="banner">
            <p>
              <strong>The browser holds the sound back.</strong> Click anywhere or press a key to
              start it.
            </p>
          </div>
        )}
        {phase.name === "in" && link === "down" && (
          <div class="banner">
            <p>
              <strong>The sound is interrupted.</strong> Chat still works; the sound connection is
              being restored. If it stays away, a firewall may be blocking UDP.
            </p>
          </div>
        )}
      </div>
      {notice !== null && (
        <ProblemCard problem={notice}>
          <button type="button" class="button" onClick={() => session.dismissNotice()}>
            OK
          </button>
        </ProblemCard>
      )}
    </div>
  );
}

/** Whether the browser waits for a click before it plays anything. */
function useSoundHeld(session: Session): boolean {
  const [held, setHeld] = useState(false);
  useEffect(() => onFrame(() => setHeld(session.port?.running === false)), [session]);
  return held;
}

/** A window that grows shows the conversation beside the strips; nothing is covered then. */
function useChatClosedOnDesks(chatOpen: Signal<boolean>): void {
  useEffect(() => {
    const desk = matchMedia("(width >= 60rem)");
    const changed = () => {
      if (desk.matches) chatOpen.value = false;
    };
    desk.addEventListener("change", changed);
    return () => desk.removeEventListener("change", changed);
  }, []);
}

/** Lines that came while the conversation was not in sight. */
function useUnread(entries: Entry[], open: boolean): number {
  const seen = useRef<string | undefined>(entries.at(-1)?.key);
  if (open) seen.current = entries.at(-1)?.key;
  const from = entries.findIndex((entry) => entry.key === seen.current);
  return entries.slice(from + 1).filter((entry) => entry.kind === "said").length;
}

function spoken(entry: Entry): string {
  return entry.kind === "said" ? `${entry.message.name}: ${entry.message.text}` : entry.text;
}
