// The head of a chat: the way back on a phone, what it is called, and who is there.

import { useEffect, useRef } from "preact/hooks";

import type { Desk } from "../../../account/chats/desk";
import { chatName } from "../../../account/chats/list";
import type { Chat } from "../../../protocol/social";
import { StandingTag } from "../people/standing_tag";
import { chatPath, goToChat, isPlain } from "./place";

interface Props {
  desk: Desk;
  chat: Chat | undefined;
  membersShown?: boolean;
  onMembers?: () => void;
}

export function ChatHead({ desk, chat, membersShown = false, onMembers }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Another chat is another page to whoever listens instead of looking.
  useEffect(() => heading.current?.focus(), [chat?.id]);
  const me = desk.account.id;
  const other = chat?.kind === "direct" ? chat.members.find(({ account }) => account !== me) : undefined;
  const presence = other === undefined ? undefined : desk.presence.value.get(other.account);
  const many = chat !== undefined && chat.kind !== "direct";
  return (
    <div class="chats-head">
      <a class="button small chat-back" href={chatPath(null)} onClick={(event) => isPlain(event) && goToChat(null)}>
        All chats
      </a>
      <h2 ref={heading} tabIndex={-1}>
        {chat === undefined ? "Chat" : chatName(chat, me)}
      </h2>
      {presence !== undefined && desk.link.value === "live" && <StandingTag standing={presence} />}
      {many && onMembers !== undefined && (
        <button type="button" class="button small" aria-expanded={membersShown} onClick={onMembers}>
          {chat.members.length === 1 ? "1 member" : `${chat.members.length} members`}
        </button>
      )}
    </div>
  );
}
