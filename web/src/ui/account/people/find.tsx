// Finding people by how their names begin.

import { useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { PersonBody } from "../../../protocol/social";
import { Field, Form, Submit, useForm } from "../form";
import { Section } from "../section";
import { PersonLine } from "./photo";

interface Found {
  /** What was looked for. */
  name: string;
  people: PersonBody[];
}

export function Find() {
  const form = useForm(["q"]);
  const [name, setName] = useState("");
  const [found, setFound] = useState<Found | null>(null);
  const wanted = name.trim();
  const look = async () => {
    const { people } = await call("GET /api/v1/social/people", { query: { q: wanted } });
    setFound({ name: wanted, people });
  };
  return (
    <Section title="Find people" done={found === null ? "" : outcome(found)}>
      <div role="search" aria-label="People">
        <Form
          form={form}
          onSubmit={() => {
            setFound(null);
            void form.submit({ q: wanted === "" ? "Type how the username begins." : "" }, look);
          }}
        >
          <Field
            form={form}
            name="q"
            label="How their username begins"
            autoComplete="off"
            value={name}
            onChange={setName}
            help="20 people are shown at most: the more you type, the fewer there are."
          />
          <Submit form={form}>Find</Submit>
        </Form>
      </div>
      {found !== null && 0 < found.people.length && (
        <ul class="people" aria-label="Who was found">
          {found.people.map((person) => (
            <li key={person.id}>
              <PersonLine person={person} />
              {person.friendship && <span class="tag">{STANDING[person.friendship]}</span>}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function outcome({ name, people }: Found): string {
  if (people.length === 0) return `There is nobody whose username begins with “${name}”.`;
  return people.length === 1 ? "One person was found." : `${people.length} people were found.`;
}

const STANDING = { friends: "Your friend", incoming: "Asked you", outgoing: "You asked" };
