// Signing up: when one was born, before anything else is asked; then the account; then the code of the
// mail. What surprises: the first step neither says why it asks nor what it makes of the answer, so
// that nobody is led to another one; whoever is refused stays refused, and can play without an account.

import { useState } from "preact/hooks";

import { keepAge, takeAge } from "../../account/age";
import { ProblemError, call } from "../../account/client";
import {
  deviceName,
  emailProblem,
  newPasswordProblem,
  nextPath,
  PASSWORD_RULE,
  USERNAME_RULE,
  usernameProblem,
} from "../../account/fields";
import { keepWaiting, loadWaiting, type Waiting } from "../../account/waiting";
import { signedIn } from "../../account/who";
import type { Region } from "../../protocol/social";
import { sentence } from "../format";
import { followed, navigate } from "../route";
import { BirthDateStep } from "./birth_date";
import { CodeStep } from "./code_step";
import { Field, Form, Submit, useForm } from "./form";
import { ProviderButtons } from "./identity/buttons";
import { cameWith, depart, onward } from "./identity/depart";
import { NewPerson } from "./identity/new_person";
import { RegionChoice } from "./region_choice";
import { Shell } from "./shell";

export function SignUp() {
  const [provider] = useState(() => cameWith(location.search));
  // Whoever comes back from a provider answered before they went.
  const [ageToken, setAgeToken] = useState<string | null>(() => (provider === null ? null : takeAge()));
  const [waiting, setWaiting] = useState<Waiting | null>(() => loadWaiting("sign-up", Date.now()));
  const [refused, setRefused] = useState("");

  const wait = (next: Waiting | null) => {
    keepWaiting("sign-up", next);
    setWaiting(next);
  };
  if (refused !== "") {
    return (
      <Shell title="No account here" lead={refused}>
        <a class="button primary" href="/" onClick={followed}>
          Start or find a room
        </a>
      </Shell>
    );
  }
  if (waiting !== null) {
    return (
      <Shell title="Check your mail">
        <CodeStep
          sent={<>A mail is on its way to <strong class="address">{waiting.email}</strong>.</>}
          until={waiting.until}
          action="Finish signing up"
          onCode={async (code) => {
            const path = { sign_up: waiting.id };
            const body = { code, carrier: "cookie" as const, device_name: deviceName(navigator.userAgent) };
            try {
              const { account } = await call("POST /api/v1/social/sign-ups/{sign_up}/verify", { path, body });
              keepWaiting("sign-up", null);
              signedIn(account.username);
              navigate(nextPath(location.search) ?? "/account");
            } catch (error) {
              if (error instanceof ProblemError && error.code === "sign_up_refused") setRefused(sentence(error.message));
              throw error;
            }
          }}
          onAgain={async () => {
            const path = { sign_up: waiting.id };
            const next = await call("POST /api/v1/social/sign-ups/{sign_up}/code", { path });
            wait({ ...waiting, until: next.code_expires_at });
          }}
          onBack={() => wait(null)}
        />
      </Shell>
    );
  }
  if (ageToken === null) return <BirthDateStep onToken={setAgeToken} onRefused={setRefused} />;
  if (provider !== null) {
    return <NewPerson ageToken={ageToken} onBegun={wait} onAgeGone={() => setAgeToken(null)} onRefused={setRefused} />;
  }
  return <Details ageToken={ageToken} onBegun={wait} onAgeGone={() => setAgeToken(null)} onRefused={setRefused} />;
}

interface DetailsProps {
  ageToken: string;
  onBegun: (waiting: Waiting) => void;
  /** The answer of the first step counts no more. */
  onAgeGone: () => void;
  onRefused: (why: string) => void;
}

function Details({ ageToken, onBegun, onAgeGone, onRefused }: DetailsProps) {
  const form = useForm(["email", "username", "password", "region"], {
    username_taken: "username",
    wrong_region: "region",
  });
  const [email, setEmail] = useState("");
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [region, setRegion] = useState<Region | null>(null);

  const checks = () => ({
    email: emailProblem(email),
    username: usernameProblem(username),
    password: newPasswordProblem(password),
    region: region === null ? "Choose where your account is kept." : "",
  });
  const begin = async () => {
    if (region === null) return;
    const body = { age_token: ageToken, email: email.trim(), username, password, region, language: navigator.language };
    try {
      const begun = await call("POST /api/v1/social/sign-ups", { body });
      onBegun({ id: begun.sign_up, email: email.trim(), until: begun.code_expires_at });
    } catch (error) {
      if (error instanceof ProblemError && error.code === "sign_up_refused") onRefused(sentence(error.message));
      if (error instanceof ProblemError && error.field === "age_token") onAgeGone();
      throw error;
    }
  };

  return (
    <Shell title="Your new account">
      <div class="card">
        <Form form={form} onSubmit={() => void form.submit(checks(), begin)}>
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
          <Field
            form={form}
            name="username"
            label="Username"
            autoComplete="username"
            value={username}
            onChange={setUsername}
            help={USERNAME_RULE}
          />
          <Field
            form={form}
            name="password"
            label="Password"
            type="password"
            autoComplete="new-password"
            value={password}
            onChange={setPassword}
            help={PASSWORD_RULE}
          />
          <RegionChoice
            region={region}
            problem={form.of("region")}
            onChoose={(chosen) => {
              setRegion(chosen);
              form.touched("region");
            }}
          />
          <Submit form={form} large>
            Send me a code
          </Submit>
        </Form>
      </div>
      <ProviderButtons
        lead="Or without a password:"
        verb="Continue with"
        onChoose={async ({ id }) => {
          keepAge(ageToken);
          await depart(id, "sign_in", onward());
        }}
      />
    </Shell>
  );
}
