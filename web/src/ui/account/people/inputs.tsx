// Two kinds of fields that only the pages of people have: several lines, and one word of a few. They
// say what is wrong as all fields do (../form).

import type { FormState } from "../form";

interface LinesProps {
  form: FormState;
  name: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  rows: number;
  help?: string;
}

export function Lines({ form, name, label, value, onChange, rows, help = "" }: LinesProps) {
  const id = idOf(label, name);
  const problem = form.of(name);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        name={name}
        rows={rows}
        value={value}
        aria-invalid={problem !== ""}
        aria-describedby={`${id}-problem ${id}-help`}
        onInput={(event) => {
          onChange(event.currentTarget.value);
          form.touched(name);
        }}
      />
      <p id={`${id}-problem`} class="field-problem">
        {problem}
      </p>
      {help !== "" && (
        <p id={`${id}-help`} class="help">
          {help}
        </p>
      )}
    </div>
  );
}

interface WordProps<T extends string> {
  form: FormState;
  name: string;
  label: string;
  /** What each is called, in their order. */
  words: Record<T, string>;
  /** Null where nothing is chosen yet. */
  value: T | null;
  onChange: (value: T) => void;
  help?: string;
}

export function Word<T extends string>({ form, name, label, words, value, onChange, help = "" }: WordProps<T>) {
  const id = idOf(label, name);
  const problem = form.of(name);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        name={name}
        value={value ?? ""}
        aria-invalid={problem !== ""}
        aria-describedby={`${id}-problem ${id}-help`}
        onChange={(event) => {
          onChange(event.currentTarget.value as T);
          form.touched(name);
        }}
      >
        {value === null && <option value="">Choose…</option>}
        {Object.entries<string>(words).map(([word, called]) => (
          <option key={word} value={word}>
            {called}
          </option>
        ))}
      </select>
      <p id={`${id}-problem`} class="field-problem">
        {problem}
      </p>
      {help !== "" && (
        <p id={`${id}-help`} class="help">
          {help}
        </p>
      )}
    </div>
  );
}

const idOf = (label: string, name: string) => `${label.toLowerCase().replace(/[^a-z]+/g, "-")}-${name}`;
