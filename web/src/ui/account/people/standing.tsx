// How one stands to somebody, and what can become of it.

import { useRef } from "preact/hooks";

import { call } from "../../../account/client";
import type { PersonBody } from "../../../protocol/social";
import { Section } from "../section";
import { useActing } from "./acting";
import { Sure } from "../../sure";

interface Props {
  person: PersonBody;
  /** Looks at them anew: friends see more. */
  onChange: () => Promise<void>;
}

export function Standing({ person: { username, friendship }, onChange }: Props) {
  const { problem, attempt } = useActing();
  const said = useRef<HTMLParagraphElement>(null);
  const path = { username };
  const then = (action: () => Promise<unknown>) => () =>
    void attempt(async () => {
      await action();
      await onChange();
      // The button is gone; how they stand is read out instead.
      said.current?.focus();
    });
  const ask = then(() => call("PUT /api/v1/social/friends/{username}", { path }));
  const part = then(() => call("DELETE /api/v1/social/friends/{username}", { path }));

  return (
    <Section title="Friendship">
      <p class="standing" ref={said} tabIndex={-1}>
        {friendship === "friends" && `You and ${username} are friends.`}
        {friendship === "incoming" && `${username} asked you to be friends.`}
        {friendship === "outgoing" && `You asked ${username} to be friends. There is no answer yet.`}
        {!friendship && `You and ${username} are not friends.`}
      </p>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      <div class="inline">
        {!friendship && <Button onPress={ask}>Ask to be friends</Button>}
        {friendship === "outgoing" && <Button onPress={part}>Take it back</Button>}
        {friendship === "incoming" && <Button onPress={ask}>Accept</Button>}
        {friendship === "incoming" && <Button onPress={part}>Decline</Button>}
        {friendship === "friends" && (
          <Sure
            label="End the friendship"
            question={`End your friendship with ${username}? They are not told.`}
            yes="End it"
            onYes={part}
          />
        )}
      </div>
    </Section>
  );
}

function Button({ onPress, children }: { onPress: () => void; children: string }) {
  return (
    <button type="button" class="button" onClick={onPress}>
      {children}
    </button>
  );
}
