// A forgotten password: a code to the account's address, then another password. The answer never tells
// whether there is an account, and neither does this page.

import { useState } from "preact/hooks";

import { call } from "../../account/client";
import { emailProblem, newPasswordProblem, PASSWORD_RULE } from "../../account/fields";
import { keepWaiting, loadWaiting, type Waiting } from "../../account/waiting";
import { signedOut } from "../../account/who";
import { followed } from "../route";
import { CodeStep } from "./code_step";
import { Field, Form, Submit, useForm } from "./form";
import { Shell } from "./shell";

export function Forgot() {
  const [waiting, setWaiting] = useState<Waiting | null>(() => loadWaiting("reset", Date.now()));
  const [done, setDone] = useState(false);
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const ask = useForm(["email"]);
  const reset = useForm(["code", "password"], { wrong_code: "code" });

  const wait = (next: Waiting | null) => {
    keepWaiting("reset", next);
    setWaiting(next);
  };
  const begin = async (to: string) => {
    const begun = await call("POST /api/v1/social/password-resets", { body: { email: to } });
    wait({ id: begun.reset, email: to, until: begun.code_expires_at });
  };

  if (done) {
    return (
      <Shell title="Your password is changed" lead="Every device was signed out. Sign in with the new password.">
        <a class="button primary" href="/account/sign-in" onClick={followed}>
          Sign in
        </a>
      </Shell>
    );
  }
  if (waiting !== null) {
    return (
      <Shell title="Choose another password">
        <CodeStep
          sent={<>If <strong class="address">{waiting.email}</strong> has an account, a mail is on its way there.</>}
          until={waiting.until}
          action="Change the password"
          form={reset}
          checks={() => ({ password: newPasswordProblem(password) })}
          onCode={async (code) => {
            const path = { reset: waiting.id };
            await call("POST /api/v1/social/password-resets/{reset}/complete", { path, body: { code, password } });
            keepWaiting("reset", null);
            signedOut();
            setDone(true);
          }}
          onAgain={() => begin(waiting.email)}
          onBack={() => wait(null)}
        >
          <Field
            form={reset}
            name="password"
            label="New password"
            type="password"
            autoComplete="new-password"
            value={password}
            onChange={setPassword}
            help={PASSWORD_RULE}
          />
        </CodeStep>
      </Shell>
    );
  }
  return (
    <Shell title="Forgot your password?" lead="A code goes to the e-mail address of your account.">
      <div class="card">
        <Form
          form={ask}
          onSubmit={() => void ask.submit({ email: emailProblem(email) }, () => begin(email.trim()))}
        >
          <Field
            form={ask}
            name="email"
            label="E-mail address"
            type="email"
            inputMode="email"
            autoComplete="email"
            value={email}
            onChange={setEmail}
          />
          <Submit form={ask} large>
            Send me a code
          </Submit>
        </Form>
      </div>
      <p>
        <a href="/account/sign-in" onClick={followed}>
          Back to signing in
        </a>
      </p>
    </Shell>
  );
}
