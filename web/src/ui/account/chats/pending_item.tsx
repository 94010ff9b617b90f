// A message on its way, or one that the server refused.

import type { Desk } from "../../../account/chats/desk";
import type { Pending } from "../../../account/chats/outbox";
import { sentence } from "../../format";

export function PendingItem({ desk, pending }: { desk: Desk; pending: Pending }) {
  const { client_id, chat, body, files, gif, problem } = pending;
  const takeBack = () => {
    // It goes to where it was typed, unless something else stands there.
    const draft = desk.drafts.peek().get(chat) ?? "";
    if (draft.trim() === "") desk.draft(chat, body);
    const attached = desk.attached(chat);
    if (attached.entries.peek().length === 0) for (const file of files) attached.adopt(file);
    desk.outbox.discard(client_id);
  };
  return (
    <li class="message mine pending">
      <div class="message-head">
        <span class="message-author">{desk.account.username}</span>
        <span class="tag">{problem === "" ? "On its way…" : "Not sent"}</span>
      </div>
      {body !== "" && <p class="message-body">{body}</p>}
      {gif !== null && <p class="tag">With a GIF</p>}
      {0 < files.length && <p class="tag">With {files.map(({ name }) => name).join(", ")}</p>}
      {problem !== "" && (
        <div class="message-actions" role="alert">
          <p class="field-problem">{sentence(problem)}</p>
          <button type="button" class="button small" onClick={() => desk.outbox.retry(client_id)}>
            Send again
          </button>
          <button type="button" class="button small" onClick={takeBack}>
            Discard
          </button>
        </div>
      )}
    </li>
  );
}
