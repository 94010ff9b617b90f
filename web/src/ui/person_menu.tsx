// What the owner and the moderators may do about somebody: silence, remove, ban. It opens below the name and is
// part of the strip, so that it covers nothing on a phone and Tab goes through it like through everything else.

import { useId, useRef, useState } from "preact/hooks";

import type { Participant, RoomId } from "../protocol";
import type { Session } from "../session/session";
import { UNREACHABLE } from "../session/words";
import { Sure } from "./sure";

interface Props {
  session: Session;
  room: RoomId;
  other: Participant;
}

export function PersonMenu({ session, room, other }: Props) {
  const [open, setOpen] = useState(false);
  const [problem, setProblem] = useState("");
  const opener = useRef<HTMLButtonElement>(null);
  const id = useId();
  const { name, account } = other;
  const silenced = other.silenced === true;

  const takeOut = async (action: Promise<boolean>) => {
    setProblem("");
    // Whoever goes takes the menu with them: the focus stays in the room.
    if (await action) document.getElementById("room-title")?.focus();
  };
  const ban = async (banned: string) => {
    const loaded = await import("../account/ban").catch(() => null);
    const failed = loaded === null ? UNREACHABLE.advice : await loaded.banAccount(room, banned);
    setProblem(failed);
    return failed === "";
  };

  return (
    <>
      <button
        type="button"
        class="button small person-more"
        aria-label={`What you can do about ${name}`}
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        ref={opener}
        onClick={() => setOpen(!open)}
      >
        <span aria-hidden="true">…</span>
      </button>
      {open && (
        <div
          class="person-menu"
          id={id}
          role="group"
          aria-label={`About ${name}`}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            setOpen(false);
            opener.current?.focus();
          }}
        >
          <button
            type="button"
            class="button small"
            aria-pressed={silenced}
            aria-label={`Silence ${name} for everybody`}
            onClick={() => void session.moderation.silence(other.id, !silenced)}
          >
            Silence
          </button>
          <Sure
            label="Remove"
            fullLabel={`Remove ${name}`}
            question={`Take ${name} out of the room? They cannot come back for ten minutes.`}
            yes="Remove"
            onYes={() => void takeOut(session.moderation.remove(other.id))}
          />
          {account !== undefined && (
            <Sure
              label="Ban"
              fullLabel={`Ban ${name}`}
              question={`Take ${name} out, and let their account in no more?`}
              yes="Ban"
              onYes={() => void takeOut(ban(account))}
            />
          )}
          <p class="field-problem" role="alert">
            {problem}
          </p>
        </div>
      )}
    </>
  );
}
