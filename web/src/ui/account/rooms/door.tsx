// Who may come in, and what the room is called: its owner's to say.

import { useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { Room, RoomChange } from "../../../protocol/social";
import { Field, Form, Submit, useForm } from "../form";
import { useActing } from "../people/acting";
import { Word } from "../people/inputs";
import { Section } from "../section";
import { MEANINGS, VISIBILITIES } from "./words";

interface Props {
  room: Room;
  onChange: (room: Room) => void;
}

export function Door({ room, onChange }: Props) {
  return (
    <>
      <Looks room={room} onChange={onChange} />
      {room.visibility === "private" && <Password room={room} onChange={onChange} />}
    </>
  );
}

const change = (room: Room, body: RoomChange) =>
  call("PATCH /api/v1/social/rooms/{room}", { path: { room: room.name }, body });

function Looks({ room, onChange }: Props) {
  const [title, setTitle] = useState(room.title);
  const [visibility, setVisibility] = useState(room.visibility);
  const [done, setDone] = useState("");
  const form = useForm(["title", "visibility"]);
  const save = () =>
    form.submit({}, async () => {
      setDone("");
      onChange(await change(room, { title: title.trim(), visibility }));
      setDone("Changed. Whoever is in the room stays there.");
    });
  return (
    <Section title="Title and who may come in" done={done}>
      <Form form={form} onSubmit={() => void save()}>
        <Field form={form} name="title" label="Title" value={title} onChange={setTitle} autoComplete="off" />
        <Word
          form={form}
          name="visibility"
          label="Who may come in"
          words={VISIBILITIES}
          value={visibility}
          onChange={setVisibility}
          help={MEANINGS[visibility]}
        />
        <Submit form={form}>Change the room</Submit>
      </Form>
    </Section>
  );
}

/** The password of a private room. It is kept as a hash: nobody can look it up, only set another. */
function Password({ room, onChange }: Props) {
  const [password, setPassword] = useState("");
  const [done, setDone] = useState("");
  const form = useForm(["password"]);
  const { problem, attempt } = useActing();
  const set = () =>
    form.submit({ password: password === "" ? "Enter the password that people shall tell." : "" }, async () => {
      setDone("");
      onChange(await change(room, { password }));
      setPassword("");
      setDone("The new password holds. Whoever is in the room stays there.");
    });
  const takeAway = () =>
    attempt(async () => {
      setDone("");
      onChange(await change(room, { password: null }));
      setDone("There is no password any more: people need an invite.");
    });
  return (
    <Section title="Password of the room" done={done}>
      <p class="help">
        {room.has_password
          ? "There is one. Nobody can look it up here; set another if you forgot it."
          : "There is none: people need an invite."}
      </p>
      <p class="field-problem" role="alert">
        {problem}
      </p>
      <Form form={form} onSubmit={() => void set()}>
        <Field
          form={form}
          name="password"
          label="New password of the room"
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="new-password"
          help="6 characters or more. Not one that you use elsewhere: you will tell it to others."
        />
        <div class="inline">
          <Submit form={form}>{room.has_password ? "Change the password" : "Set the password"}</Submit>
          {room.has_password && (
            <button type="button" class="button" onClick={() => void takeAway()}>
              Take it away
            </button>
          )}
        </div>
      </Form>
    </Section>
  );
}
