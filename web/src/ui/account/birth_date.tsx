// The first question of a sign-up. Nothing is filled in, and nothing hints at what the answer should be.

import { useState } from "preact/hooks";

import { ProblemError, call } from "../../account/client";
import { type BirthDate, birthDateProblem, isoDate, nextPath } from "../../account/fields";
import { sentence } from "../format";
import { followed } from "../route";
import { Form, Submit, useForm } from "./form";
import { Shell } from "./shell";

interface Props {
  onToken: (ageToken: string) => void;
  onRefused: (why: string) => void;
}

export function BirthDateStep({ onToken, onRefused }: Props) {
  const form = useForm(["born"]);
  const [date, setDate] = useState<BirthDate>({ day: "", month: "", year: "" });
  const problem = form.of("born");
  const next = nextPath(location.search);

  const part = (name: keyof BirthDate) => ({
    name: `bday-${name}`,
    id: `born-${name}`,
    value: date[name],
    "aria-invalid": problem !== "",
    "aria-describedby": "born-problem",
    onInput: ({ currentTarget }: { currentTarget: HTMLInputElement | HTMLSelectElement }) => {
      setDate({ ...date, [name]: currentTarget.value });
      form.touched("born");
    },
  });
  const ask = async () => {
    const born = isoDate(date) ?? "";
    try {
      const answer = await call("POST /api/v1/social/age", { body: { born } });
      onToken(answer.age_token);
    } catch (error) {
      if (error instanceof ProblemError && error.code === "sign_up_refused") onRefused(sentence(error.message));
      throw error;
    }
  };

  return (
    <Shell title="Make an account" lead="Playing needs none. With one, people find you again, and rooms can be yours.">
      <div class="card">
        <Form form={form} onSubmit={() => void form.submit({ born: birthDateProblem(date) }, ask)}>
          <fieldset class="field born">
            <legend class="label">When were you born?</legend>
            <div class="date">
              <label for="born-day">Day</label>
              <input type="text" inputMode="numeric" autoComplete="bday-day" maxLength={2} {...part("day")} />
              <label for="born-month">Month</label>
              <select autoComplete="bday-month" {...part("month")}>
                <option value="">–</option>
                {MONTHS.map((month, i) => (
                  <option key={month} value={String(i + 1)}>
                    {month}
                  </option>
                ))}
              </select>
              <label for="born-year">Year</label>
              <input type="text" inputMode="numeric" autoComplete="bday-year" maxLength={4} {...part("year")} />
            </div>
            <p id="born-problem" class="field-problem">
              {problem}
            </p>
            <p class="help">Everybody is asked. The date is not kept.</p>
          </fieldset>
          <Submit form={form} large>
            Continue
          </Submit>
        </Form>
      </div>
      <p>
        You have an account?{" "}
        <a href={`/account/sign-in${next === null ? "" : `?next=${next}`}`} onClick={followed}>
          Sign in
        </a>
      </p>
    </Shell>
  );
}

const MONTHS = [
  "January", "February", "March", "April", "May", "June",
  "July", "August", "September", "October", "November", "December",
];
