// A form of one field: somebody's username.

import { useState } from "preact/hooks";

import { usernameProblem } from "../../../account/fields";
import { Field, Form, Submit, useForm } from "../form";

interface Props {
  label: string;
  yes: string;
  /** Fails with what the server says. */
  onName: (username: string) => Promise<void>;
}

export function ByName({ label, yes, onName }: Props) {
  const [name, setName] = useState("");
  const form = useForm(["username"], { not_found: "username" });
  const submit = () =>
    form.submit({ username: name.trim() === "" ? "Enter a username." : usernameProblem(name.trim()) }, async () => {
      await onName(name.trim());
      setName("");
    });
  return (
    <Form form={form} onSubmit={() => void submit()}>
      <Field form={form} name="username" label={label} value={name} onChange={setName} autoComplete="off" />
      <Submit form={form}>{yes}</Submit>
    </Form>
  );
}
