// Who asked, whom one asked, and friends. The others are told when they are asked and when they are
// accepted, and nothing else.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { FriendBody, Friendship } from "../../../protocol/social";
import { Section } from "../section";
import { useActing } from "./acting";
import { type Paged, PagedList, usePaged } from "./paged";
import { PersonLine } from "./photo";
import { Sure } from "../../sure";
import { StandingTag } from "./standing_tag";
import { useStandings } from "./standings";

export function Friends() {
  const incoming = useFriends("incoming");
  const outgoing = useFriends("outgoing");
  const friends = useFriends("friends");
  const standings = useStandings();
  const { problem, attempt } = useActing();
  const [done, setDone] = useState("");

  const accept = (friend: FriendBody) =>
    attempt(async () => {
      setDone("");
      const { username } = friend.person;
      const { state } = await call("PUT /api/v1/social/friends/{username}", { path: { username } });
      incoming.change(without(friend));
      // Their question may have been taken back meanwhile: then this was one to them.
      await (state === "friends" ? friends : outgoing).load();
      setDone(state === "friends" ? `You and ${username} are friends.` : `You asked ${username} to be friends.`);
      incoming.focus();
    });
  const part = (list: Paged<FriendBody>, friend: FriendBody, outcome: string) =>
    attempt(async () => {
      setDone("");
      const { username } = friend.person;
      await call("DELETE /api/v1/social/friends/{username}", { path: { username } });
      list.change(without(friend));
      setDone(outcome);
      list.focus();
    });

  return (
    <Section title="Friends" done={done}>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      <List title="Who asked you" empty="Nobody waits for your answer." paged={incoming}>
        {(friend) => {
          const { username } = friend.person;
          return (
            <div class="inline">
              <button
                type="button"
                class="button small"
                aria-label={`Accept ${username}`}
                onClick={() => void accept(friend)}
              >
                Accept
              </button>
              <button
                type="button"
                class="button small"
                aria-label={`Decline ${username}`}
                onClick={() => void part(incoming, friend, `You declined. ${username} is not told.`)}
              >
                Decline
              </button>
            </div>
          );
        }}
      </List>
      <List title="Whom you asked" empty="You wait for nobody's answer." paged={outgoing}>
        {(friend) => {
          const { username } = friend.person;
          return (
            <button
              type="button"
              class="button small"
              aria-label={`Take back what you asked ${username}`}
              onClick={() => void part(outgoing, friend, `You took back what you asked ${username}.`)}
            >
              Take back
            </button>
          );
        }}
      </List>
      <List title="Your friends" empty="You have none here yet: find people by their names." paged={friends}>
        {(friend) => {
          const { id, username } = friend.person;
          const standing = standings.get(id);
          return (
            <>
              {standing !== undefined && standing.state !== "offline" && <StandingTag standing={standing} />}
              <Sure
                label="End"
                fullLabel={`End the friendship with ${username}`}
                question={`End your friendship with ${username}?`}
                yes="End it"
                onYes={() => void part(friends, friend, `You and ${username} are not friends any more. They are not told.`)}
              />
            </>
          );
        }}
      </List>
    </Section>
  );
}

function useFriends(state: Friendship): Paged<FriendBody> {
  return usePaged(async (query) => {
    const { friends, next = null } = await call("GET /api/v1/social/friends", { query: { state, ...query } });
    return { items: friends, next };
  });
}

interface ListProps {
  title: string;
  empty: string;
  paged: Paged<FriendBody>;
  /** What can be done with each. */
  children: (friend: FriendBody) => ComponentChildren;
}

function List({ title, empty, paged, children }: ListProps) {
  return (
    <>
      <h3>{title}</h3>
      <PagedList paged={paged} label={title} empty={empty} keyOf={({ person }) => person.id}>
        {(friend) => (
          <>
            <PersonLine person={friend.person} />
            {children(friend)}
          </>
        )}
      </PagedList>
    </>
  );
}

const without = (friend: FriendBody) => (items: FriendBody[]) =>
  items.filter(({ person }) => person.id !== friend.person.id);
