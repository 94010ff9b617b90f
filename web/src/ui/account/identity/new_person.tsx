// The rest of a sign-up of somebody who comes from a provider: a name, a region, and an address where the
// provider has verified none.

import { useState } from "preact/hooks";

import { ProblemError, call } from "../../../account/client";
import { deviceName, emailProblem, USERNAME_RULE, usernameProblem } from "../../../account/fields";
import type { Waiting } from "../../../account/waiting";
import { signedIn } from "../../../account/who";
import type { Region } from "../../../protocol/social";
import { sentence } from "../../format";
import { navigate } from "../../route";
import { Field, Form, Submit, useForm } from "../form";
import { RegionChoice } from "../region_choice";
import { Shell } from "../shell";
import { onward } from "./depart";

interface Props {
  ageToken: string;
  /** A code is on its way. */
  onBegun: (waiting: Waiting) => void;
  /** The answer of the first step counts no more. */
  onAgeGone: () => void;
  onRefused: (why: string) => void;
}

export function NewPerson({ ageToken, onBegun, onAgeGone, onRefused }: Props) {
  const form = useForm(["email", "username", "region"], { username_taken: "username", wrong_region: "region" });
  const [email, setEmail] = useState("");
  const [asksEmail, setAsksEmail] = useState(false);
  const [username, setUsername] = useState("");
  const [region, setRegion] = useState<Region | null>(null);

  const checks = () => ({
    email: asksEmail ? emailProblem(email) : "",
    username: usernameProblem(username),
    region: region === null ? "Choose where your account is kept." : "",
  });
  const begin = async () => {
    if (region === null) return;
    const to = email.trim();
    const body = {
      age_token: ageToken,
      username,
      region,
      language: navigator.language,
      carrier: "cookie" as const,
      device_name: deviceName(navigator.userAgent),
      ...(asksEmail ? { email: to } : {}),
    };
    try {
      const made = await call("POST /api/v1/social/sign-ups/identity", { body });
      if ("sign_up" in made) return onBegun({ id: made.sign_up, email: to, until: made.code_expires_at });
      signedIn(made.account.username);
      navigate(onward() ?? "/account");
    } catch (error) {
      if (error instanceof ProblemError && error.code === "sign_up_refused") onRefused(sentence(error.message));
      if (error instanceof ProblemError && error.field === "age_token") onAgeGone();
      if (error instanceof ProblemError && error.field === "email") setAsksEmail(true);
      throw error;
    }
  };

  return (
    <Shell title="Your new account" lead="You signed in. Choose what you are called here.">
      <div class="card">
        <Form form={form} onSubmit={() => void form.submit(checks(), begin)}>
          <Field
            form={form}
            name="username"
            label="Username"
            autoComplete="username"
            value={username}
            onChange={setUsername}
            help={USERNAME_RULE}
          />
          {asksEmail && (
            <Field
              form={form}
              name="email"
              label="E-mail address"
              type="email"
              inputMode="email"
              autoComplete="email"
              value={email}
              onChange={setEmail}
              help="A code goes there. Other musicians never see it."
            />
          )}
          <RegionChoice
            region={region}
            problem={form.of("region")}
            onChoose={(chosen) => {
              setRegion(chosen);
              form.touched("region");
            }}
          />
          <Submit form={form} large>
            Make my account
          </Submit>
        </Form>
      </div>
    </Shell>
  );
}
