// A form that makes a room: what it is called, and who may come in.

import { useState } from "preact/hooks";

import { call } from "../../../account/client";
import { ROOM_NAME_CHARS_MAX } from "../../../protocol";
import type { Visibility } from "../../../protocol/social";
import { parseRoom } from "../../../session/link";
import { navigate } from "../../route";
import { Field, Form, Submit, useForm } from "../form";
import { Word } from "../people/inputs";
import { Section } from "../section";
import { MEANINGS, VISIBILITIES, pageOf } from "./words";

export function MakeRoom() {
  const [name, setName] = useState("");
  const [title, setTitle] = useState("");
  const [visibility, setVisibility] = useState<Visibility>("unlisted");
  const [password, setPassword] = useState("");
  const form = useForm(["name", "title", "visibility", "password"], { room_taken: "name", room_in_use: "name" });

  const make = () =>
    form.submit({ name: nameProblem(name) }, async () => {
      const secret = visibility === "private" && password !== "" ? { password } : {};
      const body = { name: tidied(name), title: title.trim(), visibility, ...secret };
      const made = await call("POST /api/v1/social/rooms", { body });
      navigate(pageOf(made.name));
    });
  return (
    <Section title="Make a room">
      <Form form={form} onSubmit={() => void make()}>
        <Field
          form={form}
          name="name"
          label="Name in the link"
          value={name}
          onChange={setName}
          autoComplete="off"
          help={`Letters a to z, digits, - and _; at most ${ROOM_NAME_CHARS_MAX}. It stays as it is.`}
        />
        <Field
          form={form}
          name="title"
          label="Title"
          value={title}
          onChange={setTitle}
          autoComplete="off"
          help="What people read, such as “Tuesday quartet”. You can leave it empty."
        />
        <Word
          form={form}
          name="visibility"
          label="Who may come in"
          words={VISIBILITIES}
          value={visibility}
          onChange={setVisibility}
          help={MEANINGS[visibility]}
        />
        {visibility === "private" && (
          <Field
            form={form}
            name="password"
            label="Password of the room"
            type="password"
            value={password}
            onChange={setPassword}
            autoComplete="new-password"
            help="6 characters or more. Not one that you use elsewhere: you will tell it to others. Without one, people need an invite."
          />
        )}
        <Submit form={form}>Make the room</Submit>
      </Form>
    </Section>
  );
}

/** The name as the server takes it; what was typed, where it is none. */
function tidied(text: string): string {
  const target = parseRoom(text, location.origin);
  return target.kind === "room" ? target.room : text;
}

function nameProblem(text: string): string {
  if (text.trim() === "") return "Enter a name for the link.";
  const target = parseRoom(text, location.origin);
  return target.kind === "invalid" ? target.problem : "";
}
