// Forms of the account pages: one state for each, one line under each field, and what went wrong above.
// What the server says of a field stands under it; what is nobody's fault stands in a card.

import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { ProblemError } from "../../account/client";
import { sentence } from "../format";

type Problems = Partial<Record<string, string>>;

export interface FormState {
  busy: boolean;
  /** What is wrong with a field, by its name; an empty text for nothing. */
  of: (field: string) => string;
  /** What is wrong with none of them. */
  problem: string;
  /** Takes back what was said of a field: it is being changed. */
  touched: (field: string) => void;
  /**
   * Checks the fields, then does it. `fields` are those of the form: what the server says of another one
   * is shown above. Gives whether it went well.
   */
  submit: (checks: Problems, action: () => Promise<void>) => Promise<boolean>;
  ref: RefObject<HTMLFormElement | null>;
}

export function useForm(names: readonly string[], codes: Problems = {}): FormState {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const [problems, setProblems] = useState<Problems>({});
  const ref = useRef<HTMLFormElement>(null);
  const running = useRef(false);

  // The first field that is wrong gets the focus, so that a screen reader reads it out.
  useEffect(() => {
    ref.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [problems]);

  const submit = async (checks: Problems, action: () => Promise<void>): Promise<boolean> => {
    // Enter, pressed twice: the first one counts.
    if (running.current) return false;
    setProblem("");
    const wrong = Object.fromEntries(Object.entries(checks).filter(([, text]) => text !== ""));
    setProblems(wrong);
    if (0 < Object.keys(wrong).length) return false;
    running.current = true;
    setBusy(true);
    try {
      await action();
      return true;
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      const text = sentence(error.message);
      const field = error.field ?? codes[error.code];
      if (field !== undefined && names.includes(field)) setProblems({ [field]: text });
      else setProblem(text);
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  };

  return {
    busy,
    problem,
    of: (field) => problems[field] ?? "",
    touched: (field) => {
      if (problems[field] !== undefined) setProblems({ ...problems, [field]: undefined });
    },
    submit,
    ref,
  };
}

interface FormProps {
  form: FormState;
  onSubmit: () => void;
  children: ComponentChildren;
}

export function Form({ form, onSubmit, children }: FormProps) {
  return (
    <form
      class="fields"
      noValidate
      aria-busy={form.busy}
      ref={form.ref}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      <div role="alert" class="form-problem">
        {form.problem !== "" && <p class="problem">{form.problem}</p>}
      </div>
      {children}
    </form>
  );
}

interface FieldProps {
  form: FormState;
  name: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  type?: "text" | "email" | "password";
  autoComplete?: string;
  inputMode?: "text" | "email" | "numeric";
  help?: ComponentChildren;
}

export function Field({ form, name, label, value, onChange, type = "text", help, ...rest }: FieldProps) {
  const [shown, setShown] = useState(false);
  const id = `${label.toLowerCase().replace(/[^a-z]+/g, "-")}-${name}`;
  const problem = form.of(name);
  const input = (
    <input
      id={id}
      name={name}
      // The types of JSX want one word here, not a choice among several.
      type={(type === "password" && shown ? "text" : type) as "text"}
      value={value}
      autoCapitalize="none"
      spellcheck={false}
      aria-invalid={problem !== ""}
      aria-describedby={`${id}-problem ${id}-help`}
      onInput={(event) => {
        onChange(event.currentTarget.value);
        form.touched(name);
      }}
      {...rest}
    />
  );
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {type === "password" ? (
        <div class="secret">
          {input}
          <button type="button" class="button" onClick={() => setShown(!shown)}>
            {shown ? "Hide" : "Show"}
            <span class="sr-only"> what is typed: {label}</span>
          </button>
        </div>
      ) : (
        input
      )}
      <p id={`${id}-problem`} class="field-problem">
        {problem}
      </p>
      {help !== undefined && (
        <p id={`${id}-help`} class="help">
          {help}
        </p>
      )}
    </div>
  );
}

/** The button of a form; large where it is what the page is for. */
export function Submit({ form, children, large = false }: { form: FormState; children: string; large?: boolean }) {
  return (
    <>
      <button type="submit" class={large ? "button primary large" : "button"} disabled={form.busy}>
        {form.busy ? "One moment…" : children}
      </button>
      <p class="sr-only" role="status">
        {form.busy ? "One moment" : ""}
      </p>
    </>
  );
}
