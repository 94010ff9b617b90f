// Signing in.

import { useState } from "preact/hooks";

import { ProblemError, call } from "../../account/client";
import { deviceName, nextPath } from "../../account/fields";
import { signedIn } from "../../account/who";
import { followed, navigate } from "../route";
import { Field, Form, Submit, useForm } from "./form";
import { ProviderButtons } from "./identity/buttons";
import { cameWith, depart, returnProblem } from "./identity/depart";
import { Shell } from "./shell";

export function SignIn() {
  const form = useForm(["login", "password"]);
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  /** Whether the account is to be erased, and whoever signs in may take that back. */
  const [pending, setPending] = useState(() => new URLSearchParams(location.search).get("problem") === "erasure_pending");
  const [provider] = useState(() => cameWith(location.search));
  const [back] = useState(() => returnProblem(location.search));
  const next = nextPath(location.search);
  const onward = next === null ? "" : `?next=${next}`;

  const checks = () => ({
    login: login.trim() === "" ? "Enter your e-mail address or username." : "",
    password: password === "" ? "Enter your password." : "",
  });
  const signIn = async () => {
    const body = { login, password, carrier: "cookie" as const, device_name: deviceName(navigator.userAgent) };
    try {
      const { account } = await call("POST /api/v1/social/sessions", { body });
      signedIn(account.username);
      navigate(next ?? "/account");
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== "erasure_pending") throw error;
      setPending(true);
    }
  };
  const keep = async () => {
    if (provider !== null) {
      await call("POST /api/v1/social/account/erasure/cancel-with-identity", { body: {} });
      return depart(provider, "sign_in", next);
    }
    await call("POST /api/v1/social/account/erasure/cancel", { body: { login, password } });
    await signIn();
  };

  if (pending) {
    return (
      <Shell title="Keep your account?">
        <p>It is to be erased, because somebody who was signed in to it asked for that. Nobody else sees it any more.</p>
        <Form form={form} onSubmit={() => void form.submit({}, keep)}>
          <div class="inline">
            <Submit form={form}>Keep my account</Submit>
            <button type="button" class="button" onClick={() => navigate("/")}>
              Let it be erased
            </button>
          </div>
        </Form>
      </Shell>
    );
  }
  return (
    <Shell title="Sign in">
      {back !== "" && (
        <p class="problem" role="alert">
          {back}
        </p>
      )}
      <div class="card">
        <Form form={form} onSubmit={() => void form.submit(checks(), signIn)}>
          <Field
            form={form}
            name="login"
            label="E-mail address or username"
            autoComplete="username"
            value={login}
            onChange={setLogin}
          />
          <Field
            form={form}
            name="password"
            label="Password"
            type="password"
            autoComplete="current-password"
            value={password}
            onChange={setPassword}
          />
          <Submit form={form} large>
            Sign in
          </Submit>
        </Form>
        <p>
          <a href="/account/forgot" onClick={followed}>
            Forgot your password?
          </a>
        </p>
      </div>
      <ProviderButtons
        lead="Or without a password:"
        verb="Continue with"
        onChoose={({ id }) => depart(id, "sign_in", next)}
      />
      <p>
        New here?{" "}
        <a href={`/account/sign-up${onward}`} onClick={followed}>
          Make an account
        </a>
      </p>
    </Shell>
  );
}
