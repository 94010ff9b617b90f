// The end of an account. It takes the password and a second press, and can be taken back for a while.

import { useState } from "preact/hooks";

import { call } from "../../../account/client";
import { ownPassword, ownPasswordProblem, toldProviders } from "../../../account/ways";
import { signedOut } from "../../../account/who";
import { navigate } from "../../route";
import { Form, Submit, useForm } from "../form";
import { Proof } from "../identity/proof";
import { Section } from "../section";

export function Erasure() {
  const form = useForm(["current_password"], { wrong_password: "current_password" });
  const [password, setPassword] = useState("");
  const [sure, setSure] = useState(false);

  const checks = () => ({ current_password: ownPasswordProblem(password) });
  const erase = async () => {
    const begun = await call("POST /api/v1/social/account/erasure", { body: { current_password: ownPassword(password) } });
    toldProviders.value = begun.providers;
    signedOut();
    navigate(`/account/erased?at=${begun.erase_at}`);
  };

  return (
    <Section title="Erase your account">
      <p>
        Nobody sees your account from then on, and every device is signed out. For a while you can take it back by
        signing in. Then everything that is kept of you is deleted: your profile, your files, and what you wrote in
        chats, for the others too.
      </p>
      {sure ? (
        <Form form={form} onSubmit={() => void form.submit(checks(), erase)}>
          <Proof
            form={form}
            name="current_password"
            label="Your password, to erase the account"
            value={password}
            onChange={setPassword}
          />
          <div class="inline">
            <Submit form={form}>Erase my account</Submit>
            <button type="button" class="button" onClick={() => setSure(false)}>
              Keep it
            </button>
          </div>
        </Form>
      ) : (
        <button type="button" class="button" onClick={() => setSure(true)}>
          Erase my account…
        </button>
      )}
    </Section>
  );
}
