// Whom somebody blocked, to take it back.

import { useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { BlockBody } from "../../../protocol/social";
import { Section } from "../section";
import { useActing } from "./acting";
import { PagedList, usePaged } from "./paged";

export function Blocks() {
  const paged = usePaged<BlockBody>(async (query) => {
    const { blocks, next = null } = await call("GET /api/v1/social/account/blocks", { query });
    return { items: blocks, next };
  });
  const { problem, attempt } = useActing();
  const [done, setDone] = useState("");
  const unblock = ({ id, username }: BlockBody) =>
    attempt(async () => {
      setDone("");
      await call("DELETE /api/v1/social/account/blocks/{username}", { path: { username } });
      paged.change((items) => items.filter((each) => each.id !== id));
      setDone(`${username} is not blocked any more. A friendship that the block ended stays ended.`);
      paged.focus();
    });
  return (
    <Section title="Blocked people" done={done}>
      <p class="help">Neither of you finds, asks or reaches the other. They are not told.</p>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      <PagedList paged={paged} label="Blocked people" empty="You blocked nobody." keyOf={({ id }) => id}>
        {(blocked) => (
          <>
            <span>
              <strong class="name">{blocked.username}</strong>
              <span class="tag">
                Since {new Date(blocked.blocked_at).toLocaleDateString(undefined, { dateStyle: "medium" })}
              </span>
            </span>
            <button
              type="button"
              class="button small"
              aria-label={`Unblock ${blocked.username}`}
              onClick={() => void unblock(blocked)}
            >
              Unblock
            </button>
          </>
        )}
      </PagedList>
    </Section>
  );
}
