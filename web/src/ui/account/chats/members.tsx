// Who is in a group, who of them is there, and how somebody gets in and out.

import { useRef, useState } from "preact/hooks";

import { ProblemError, call } from "../../../account/client";
import type { Desk } from "../../../account/chats/desk";
import type { Chat, ChatMember } from "../../../protocol/social";
import { sentence } from "../../format";
import { Field, Form, Submit, useForm } from "../form";
import { goToChat } from "./place";

export function Members({ desk, chat }: { desk: Desk; chat: Chat }) {
  const [problem, setProblem] = useState("");
  const [done, setDone] = useState("");
  /** Whose removal is asked about; one's own is leaving. */
  const [asked, setAsked] = useState<ChatMember | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const me = desk.account.id;
  const isGroup = chat.kind === "group";
  const isOwner = isGroup && chat.role === "owner";
  const own = chat.members.find(({ account }) => account === me);

  const attempt = async (action: () => Promise<void>) => {
    setProblem("");
    setDone("");
    setAsked(null);
    try {
      await action();
      list.current?.focus();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      setProblem(sentence(error.message));
    }
  };
  const again = async () => desk.took(await call("GET /api/v1/social/chats/{chat}", { path: { chat: chat.id } }));
  const remove = ({ account, username }: ChatMember) =>
    attempt(async () => {
      if (account === me) {
        await call("POST /api/v1/social/chats/{chat}/leave", { path: { chat: chat.id } });
        desk.left(chat.id);
        return goToChat(null);
      }
      await call("DELETE /api/v1/social/chats/{chat}/members/{account}", { path: { chat: chat.id, account } });
      await again();
      setDone(`${username} is not in the group any more.`);
    });
  const makeOwner = ({ account, username }: ChatMember) =>
    attempt(async () => {
      const body = { role: "owner" as const };
      await call("PUT /api/v1/social/chats/{chat}/members/{account}/role", { path: { chat: chat.id, account }, body });
      await again();
      setDone(`${username} owns the group, too.`);
    });

  return (
    <section class="chat-members" aria-label="Members">
      <ul ref={list} tabIndex={-1}>
        {chat.members.map((member) => (
          <li key={member.account}>
            <span>
              {member.username} <span class="tag">{about(desk, member)}</span>
            </span>
            {isOwner && member.account !== me && (
              <>
                {member.role === "member" && (
                  <button
                    type="button"
                    class="button small"
                    aria-label={`Make ${member.username} an owner`}
                    onClick={() => void makeOwner(member)}
                  >
                    Make owner
                  </button>
                )}
                <button
                  type="button"
                  class="button small"
                  aria-label={`Remove ${member.username}`}
                  onClick={() => setAsked(member)}
                >
                  Remove
                </button>
              </>
            )}
          </li>
        ))}
      </ul>
      {asked !== null && (
        <div class="message-actions" role="alert">
          <p>
            {asked.account === me
              ? "Leave? You see nothing of this group then."
              : `Take ${asked.username} out of the group?`}
          </p>
          <button type="button" class="button small" onClick={() => void remove(asked)}>
            {asked.account === me ? "Yes, leave" : "Yes, remove"}
          </button>
          <button
            type="button"
            class="button small"
            onClick={() => {
              setAsked(null);
              list.current?.focus();
            }}
          >
            Cancel
          </button>
        </div>
      )}
      <p class="field-problem" role="alert">
        {problem}
      </p>
      <p class="done" role="status">
        {done}
      </p>
      {isOwner && (
        <Add
          desk={desk}
          chat={chat}
          onAdded={(username) => {
            setProblem("");
            setDone(`${username} is in the group.`);
          }}
        />
      )}
      {isGroup && own !== undefined && (
        <button type="button" class="button small" onClick={() => setAsked(own)}>
          Leave the group
        </button>
      )}
    </section>
  );
}

function Add({ desk, chat, onAdded }: { desk: Desk; chat: Chat; onAdded: (username: string) => void }) {
  const form = useForm(["username"], { not_found: "username", conflict: "username", full: "username" });
  const [username, setUsername] = useState("");
  const name = username.trim().replace(/^@/, "");
  const add = async () => {
    const path = { chat: chat.id };
    desk.took(await call("POST /api/v1/social/chats/{chat}/members", { path, body: { username: name } }));
    onAdded(name);
    setUsername("");
  };
  return (
    <Form form={form} onSubmit={() => void form.submit({ username: name === "" ? "Enter a username." : "" }, add)}>
      <Field form={form} name="username" label="Add somebody" autoComplete="off" value={username} onChange={setUsername} />
      <Submit form={form}>Add to the group</Submit>
    </Form>
  );
}

function about(desk: Desk, { account, role }: ChatMember): string {
  const words = [];
  if (account === desk.account.id) words.push("you");
  if (role === "owner") words.push("owner");
  const presence = desk.presence.value.get(account);
  if (presence !== undefined && presence.state !== "offline" && desk.link.value === "live") {
    words.push(presence.jamming === true ? "jamming" : presence.state);
  }
  return words.join(", ");
}
