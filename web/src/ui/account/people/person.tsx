// One person: what they show to whoever looks, and what there can be between the two.

import { useEffect, useRef, useState } from "preact/hooks";

import { ProblemError, call } from "../../../account/client";
import type { AccountBody, PersonBody } from "../../../protocol/social";
import { sentence } from "../../format";
import { followed } from "../../route";
import { Section } from "../section";
import { Shell } from "../shell";
import { useActing } from "./acting";
import { Waiting } from "./gate";
import { Photo } from "./photo";
import { Report } from "./report";
import { Standing } from "./standing";
import { Sure } from "../../sure";

interface Props {
  name: string;
  account: AccountBody;
}

export function PersonPage({ name, account }: Props) {
  const [person, setPerson] = useState<PersonBody | null>(null);
  const [nobody, setNobody] = useState("");
  const [blocked, setBlocked] = useState(false);
  const { problem, attempt } = useActing();

  const ask = async () => setPerson(await call("GET /api/v1/social/people/{username}", { path: { username: name } }));
  const load = () =>
    attempt(async () => {
      try {
        await ask();
      } catch (error) {
        if (!(error instanceof ProblemError && error.code === "not_found")) throw error;
        setNobody(sentence(error.message));
      }
    });
  useEffect(() => void load(), []);

  if (nobody !== "") {
    return (
      <Shell title="Nobody here" lead={nobody}>
        <p>Whoever you blocked is not shown either: they are in the list of blocked people.</p>
        <Back />
      </Shell>
    );
  }
  if (person === null) {
    return (
      <Shell title={name}>
        <Waiting problem={problem} onAgain={() => void load()} />
        <Back />
      </Shell>
    );
  }
  const isSelf = person.id === account.id;
  return (
    <Shell title={person.username} lead={!blocked && person.status ? person.status : undefined}>
      {!blocked && <Shown person={person} />}
      {isSelf ? (
        <p>This is you, as you see yourself: all of your profile.</p>
      ) : (
        <>
          {!blocked && <Standing person={person} onChange={ask} />}
          <Block
            username={person.username}
            blocked={blocked}
            onBlock={() => setBlocked(true)}
            onUnblock={async () => {
              await ask();
              setBlocked(false);
            }}
          />
          <Report
            about={{ kind: "person", username: person.username }}
            name={person.username}
            help={`Moderators see the profile of ${person.username}, and what you write. ${person.username} is not told who reported.`}
          />
        </>
      )}
      <Back />
    </Shell>
  );
}

function Back() {
  return (
    <p>
      <a href="/account/people" onClick={followed}>
        All people
      </a>
    </p>
  );
}

function Shown({ person: { username, photo, bio, instruments } }: { person: PersonBody }) {
  const plays = instruments ?? [];
  return (
    <div class="card person">
      <Photo username={username} photo={photo} large />
      {0 < plays.length && (
        <ul class="instruments" aria-label="Instruments">
          {plays.map((each) => (
            <li key={each}>{each}</li>
          ))}
        </ul>
      )}
      {bio && <p class="bio">{bio}</p>}
      {!bio && plays.length === 0 && <p class="help">They show you nothing more of themselves.</p>}
    </div>
  );
}

interface BlockProps {
  username: string;
  blocked: boolean;
  onBlock: () => void;
  onUnblock: () => Promise<void>;
}

function Block({ username, blocked, onBlock, onUnblock }: BlockProps) {
  const { problem, attempt } = useActing();
  const [done, setDone] = useState("");
  const said = useRef<HTMLParagraphElement>(null);
  const path = { username };
  const block = () =>
    attempt(async () => {
      await call("PUT /api/v1/social/account/blocks/{username}", { path });
      onBlock();
      setDone(`${username} is blocked.`);
      // The button is gone in both cases.
      said.current?.focus();
    });
  const unblock = () =>
    attempt(async () => {
      await call("DELETE /api/v1/social/account/blocks/{username}", { path });
      await onUnblock();
      setDone(`${username} is not blocked any more.`);
      said.current?.focus();
    });
  return (
    <Section title="Block" done={done}>
      <p class="help standing" ref={said} tabIndex={-1}>
        Neither of you finds, asks or reaches the other, and a friendship ends. {username} is not told.
      </p>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      {blocked ? (
        <button type="button" class="button small" onClick={() => void unblock()}>
          Unblock {username}
        </button>
      ) : (
        <Sure label={`Block ${username}`} question={`Block ${username}?`} yes="Block" onYes={() => void block()} />
      )}
    </Section>
  );
}
