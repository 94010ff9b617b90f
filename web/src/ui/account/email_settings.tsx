// Another e-mail address: the password, since whoever has the address can have the account, and then
// the code that went to the new one.

import { useState } from "preact/hooks";

import { call } from "../../account/client";
import { emailProblem } from "../../account/fields";
import type { Waiting } from "../../account/waiting";
import { loadWays, ownPassword, ownPasswordProblem, ways } from "../../account/ways";
import { CodeStep } from "./code_step";
import { Field, Form, Submit, useForm } from "./form";
import { Proof } from "./identity/proof";
import { Section } from "./section";

interface Props {
  email: string;
  onChange: (email: string) => void;
}

export function EmailSettings({ email, onChange }: Props) {
  const form = useForm(["email", "password"], { wrong_password: "password", email_taken: "email" });
  const [next, setNext] = useState("");
  const [password, setPassword] = useState("");
  const [waiting, setWaiting] = useState<Waiting | null>(null);
  const [done, setDone] = useState("");

  const stopped = ways.value?.identities.find((each) => each.mail_stopped);
  const checks = () => ({
    email: emailProblem(next),
    password: ownPasswordProblem(password),
  });
  const begin = async () => {
    const to = next.trim();
    const begun = await call("POST /api/v1/social/account/email", { body: { email: to, password: ownPassword(password) } });
    setWaiting({ id: begun.change, email: to, until: begun.code_expires_at });
  };
  const finish = async (code: string) => {
    if (waiting === null) return;
    const path = { change: waiting.id };
    await call("POST /api/v1/social/account/email/{change}/verify", { path, body: { code } });
    onChange(waiting.email);
    setDone(`Your mail goes to ${waiting.email} from now on.`);
    if (stopped !== undefined) await loadWays();
    setWaiting(null);
    setNext("");
    setPassword("");
  };

  return (
    <Section title="E-mail address" done={done}>
      <p>
        Your mail goes to <strong class="address">{email}</strong>.
      </p>
      {stopped !== undefined && (
        <p class="problem" role="alert">
          {stopped.name} does not forward mail from there to you any more, so nothing reaches you, not even a code. Have it
          forward mail again in your account with {stopped.name}, or give another address here.
        </p>
      )}
      {waiting === null ? (
        <Form
          form={form}
          onSubmit={() => {
            setDone("");
            void form.submit(checks(), begin);
          }}
        >
          <Field
            form={form}
            name="email"
            label="New address"
            type="email"
            inputMode="email"
            autoComplete="email"
            value={next}
            onChange={setNext}
          />
          <Proof form={form} name="password" label="Your password" value={password} onChange={setPassword} />
          <Submit form={form}>Send a code there</Submit>
        </Form>
      ) : (
        <CodeStep
          sent={<>A mail is on its way to <strong class="address">{waiting.email}</strong>.</>}
          until={waiting.until}
          action="Change the address"
          onCode={finish}
          onAgain={begin}
          onBack={() => setWaiting(null)}
        />
      )}
    </Section>
  );
}
