// The settings of one step: the username, the password, the language of mails.

import { useState } from "preact/hooks";

import { call } from "../../account/client";
import { newPasswordProblem, PASSWORD_RULE, USERNAME_RULE, usernameProblem } from "../../account/fields";
import { ways } from "../../account/ways";
import { followed } from "../route";
import { Field, Form, Submit, useForm } from "./form";
import { Section } from "./section";

interface UsernameProps {
  username: string;
  onChange: (username: string) => void;
}

export function UsernameSettings({ username, onChange }: UsernameProps) {
  const form = useForm(["username"], { username_taken: "username" });
  const [name, setName] = useState(username);
  const [done, setDone] = useState("");
  const save = async () => {
    await call("PUT /api/v1/social/account/username", { body: { username: name } });
    onChange(name);
    setDone(`You are ${name} from now on.`);
  };
  return (
    <Section title="Username" done={done}>
      <Form
        form={form}
        onSubmit={() => {
          setDone("");
          void form.submit({ username: usernameProblem(name) }, save);
        }}
      >
        <Field
          form={form}
          name="username"
          label="Username"
          autoComplete="username"
          value={name}
          onChange={setName}
          help={USERNAME_RULE}
        />
        <Submit form={form}>Change the username</Submit>
      </Form>
    </Section>
  );
}

interface PasswordProps {
  username: string;
  onChange: () => void;
}

export function PasswordSettings({ username, onChange }: PasswordProps) {
  const form = useForm(["current_password", "password"], { wrong_password: "current_password" });
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [done, setDone] = useState("");
  const checks = () => ({
    current_password: current === "" ? "Enter the password that you have." : "",
    password: newPasswordProblem(password),
  });
  const save = async () => {
    await call("PUT /api/v1/social/account/password", { body: { current_password: current, password } });
    setCurrent("");
    setPassword("");
    onChange();
    setDone("The new password holds. All other devices were signed out.");
  };
  if (ways.value?.has_password === false) {
    return (
      <Section title="Password">
        <p>
          Your account has none. To set one,{" "}
          <a href="/account/forgot" onClick={followed}>
            ask for a new one by mail
          </a>
          .
        </p>
      </Section>
    );
  }
  return (
    <Section title="Password" done={done}>
      <Form
        form={form}
        onSubmit={() => {
          setDone("");
          void form.submit(checks(), save);
        }}
      >
        {/* For password managers, which ask whose password this is. */}
        <input type="text" name="username" autoComplete="username" value={username} readOnly hidden />
        <Field
          form={form}
          name="current_password"
          label="Current password"
          type="password"
          autoComplete="current-password"
          value={current}
          onChange={setCurrent}
        />
        <Field
          form={form}
          name="password"
          label="New password"
          type="password"
          autoComplete="new-password"
          value={password}
          onChange={setPassword}
          help={PASSWORD_RULE}
        />
        <Submit form={form}>Change the password</Submit>
      </Form>
    </Section>
  );
}

interface LanguageProps {
  language: string;
  onChange: (language: string) => void;
}

export function LanguageSettings({ language, onChange }: LanguageProps) {
  const form = useForm([]);
  const [chosen, setChosen] = useState(language);
  const [done, setDone] = useState("");
  const save = async () => {
    await call("PUT /api/v1/social/account/language", { body: { language: chosen } });
    onChange(chosen);
    setDone(`Mails come in ${languageName(chosen)}.`);
  };
  // A server may have more than those that come with it.
  const languages = LANGUAGES.includes(language) ? LANGUAGES : [...LANGUAGES, language];
  return (
    <Section title="Language of mails" done={done}>
      <Form
        form={form}
        onSubmit={() => {
          setDone("");
          void form.submit({}, save);
        }}
      >
        <div class="field">
          <label for="language">Language</label>
          <select id="language" value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}>
            {languages.map((each) => (
              <option key={each} value={each} lang={each}>
                {languageName(each, each)}
              </option>
            ))}
          </select>
        </div>
        <Submit form={form}>Change the language</Submit>
      </Form>
    </Section>
  );
}

/** What a language is called in another one. */
function languageName(language: string, inside = "en"): string {
  try {
    return new Intl.DisplayNames([inside], { type: "language" }).of(language) ?? language;
  } catch {
    return language;
  }
}

const LANGUAGES = ["en", "de", "tr"];
