// The page of chats: the list beside the chat that is open; on a phone one of them at a time.

import { useEffect, useRef, useState } from "preact/hooks";

import { ProblemError } from "../../../account/client";
import type { Desk } from "../../../account/chats/desk";
import { chatName } from "../../../account/chats/list";
import { Brand } from "../../brand";
import { sentence } from "../../format";
import { followed } from "../../route";
import "../../style/carried.css";
import "../../style/chats.css";
import "../../style/conversation.css";
import "../../style/files.css";
import { ChatList } from "./chat_list";
import { Conversation } from "./conversation";
import { closeDesk, desk, leaveDesk, takeDesk, toSignIn } from "./desk_of";
import { followPath, openChat } from "./place";

export function ChatsPage() {
  const [problem, setProblem] = useState("");
  // Before anything is shown: the chat that was open when the page was left is not the one to show.
  useState(followPath);
  const load = () => {
    setProblem("");
    takeDesk().catch((error: unknown) => {
      if (!(error instanceof ProblemError)) throw error;
      if (error.code === "not_signed_in") toSignIn();
      else setProblem(sentence(error.message));
    });
  };
  useEffect(() => {
    load();
    addEventListener("popstate", followPath);
    addEventListener("pagehide", closeOnHide);
    addEventListener("pageshow", reopenOnShow);
    return () => {
      removeEventListener("popstate", followPath);
      removeEventListener("pagehide", closeOnHide);
      removeEventListener("pageshow", reopenOnShow);
      leaveDesk();
    };
  }, []);
  // A page that is kept for the back button has no connection meanwhile.
  const closeOnHide = useRef(closeDesk).current;
  const reopenOnShow = useRef((event: PageTransitionEvent) => event.persisted && load()).current;

  // The list is a page of its own on a phone, also when one comes back to it.
  const heading = useRef<HTMLHeadingElement>(null);
  const isList = openChat.value === null;
  useEffect(() => {
    if (isList) heading.current?.focus();
  }, [isList]);

  const here = desk.value;
  return (
    <div class="page chats" data-open={isList ? "list" : "chat"}>
      <header class="site">
        <Brand />
        <h1 ref={heading} tabIndex={-1}>Chats</h1>
        <a class="who" href="/account" onClick={followed}>
          Your account
        </a>
      </header>
      {here === null ? (
        <main class="narrow">
          {problem === "" ? (
            <p role="status">Loading…</p>
          ) : (
            <div class="problem" role="alert">
              <p>{problem}</p>
              <button type="button" class="button" onClick={load}>
                Try again
              </button>
            </div>
          )}
        </main>
      ) : (
        <Seated desk={here} />
      )}
    </div>
  );
}

function Seated({ desk: here }: { desk: Desk }) {
  const open = openChat.value;
  const chats = here.listing.chats.value;
  const chat = open === null ? undefined : chats?.get(open);
  const title = chat === undefined ? "Chats" : chatName(chat, here.account.id);
  const unread = [...(chats?.values() ?? [])].filter((each) => 0 < each.unread && !each.muted).length;
  useEffect(() => {
    document.title = `${unread === 0 ? "" : `(${unread}) `}${title} · vjam`;
  }, [title, unread]);
  return (
    <main class="chats-main">
      <LinkLine desk={here} />
      <ChatList desk={here} open={open} />
      {open === null ? (
        <p class="chats-nothing help">Choose a chat, or begin a new one.</p>
      ) : (
        <Conversation key={open} desk={here} id={open} />
      )}
    </main>
  );
}

/** How the live connection stands, where it does not. */
function LinkLine({ desk: here }: { desk: Desk }) {
  const state = here.link.value;
  return (
    <div class="chats-link">
      <p role="status" class={state === "live" ? "sr-only" : ""}>
        {LINK_WORDS[state]}
      </p>
      {state === "waiting" && (
        <button type="button" class="button small" onClick={() => here.dialNow()}>
          Try now
        </button>
      )}
      {state === "ended" && (
        <button type="button" class="button small" onClick={() => location.reload()}>
          Reload
        </button>
      )}
    </div>
  );
}

const LINK_WORDS = {
  connecting: "Connecting…",
  waiting: "Not connected. What you write is sent as soon as the server can be reached.",
  live: "Connected.",
  signed_out: "You are signed out.",
  ended: "The server does not understand this page. Reload it.",
};
