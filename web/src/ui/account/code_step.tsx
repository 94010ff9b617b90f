// The step that asks for the code of a mail.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { codeProblem } from "../../account/fields";
import { Field, Form, Submit, useForm } from "./form";

interface Props {
  /** Where the mail went. */
  sent: ComponentChildren;
  /** Until when the code counts, in milliseconds since 1970. */
  until: number;
  /** What the button does. */
  action: string;
  onCode: (code: string) => Promise<void>;
  /** Sends another one; the earlier one counts no more. */
  onAgain: () => Promise<void>;
  /** Gives up, and goes back to the step before. */
  onBack: () => void;
  /** What is asked beside the code, and what is wrong with it. */
  children?: ComponentChildren;
  checks?: () => Record<string, string>;
  form?: ReturnType<typeof useForm>;
}

export function CodeStep({ sent, until, action, onCode, onAgain, onBack, children, checks, ...given }: Props) {
  const own = useForm(["code"], { wrong_code: "code" });
  const form = given.form ?? own;
  const again = useForm([]);
  const [code, setCode] = useState("");
  const [resent, setResent] = useState("");
  const send = async () => {
    setResent("");
    if (await again.submit({}, onAgain)) {
      setCode("");
      setResent("Another code is on its way; the one before counts no more.");
    }
  };
  return (
    <div class="card">
      <p>
        {sent} Its code counts until {clock(until)}.
      </p>
      <Form
        form={form}
        onSubmit={() => void form.submit({ code: codeProblem(code), ...checks?.() }, () => onCode(code.trim()))}
      >
        <Field
          form={form}
          name="code"
          label="Code"
          value={code}
          onChange={setCode}
          autoComplete="one-time-code"
          inputMode="numeric"
          help="Eight digits. Nothing there? Look among unwanted mail."
        />
        {children}
        <Submit form={form} large>
          {action}
        </Submit>
      </Form>
      <div class="inline">
        <button type="button" class="button small" disabled={again.busy} onClick={() => void send()}>
          Send another code
        </button>
        <button type="button" class="button small" onClick={onBack}>
          Use another address
        </button>
      </div>
      <div role="status">
        {resent !== "" && <p class="help">{resent}</p>}
        {again.problem !== "" && <p class="field-problem">{again.problem}</p>}
      </div>
    </div>
  );
}

function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}
