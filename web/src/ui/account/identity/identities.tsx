// The ways into an account: the providers that it is linked with, another one, and one less.

import { useEffect, useState } from "preact/hooks";

import { call } from "../../../account/client";
import { loadWays, ownPassword, ownPasswordProblem, ways } from "../../../account/ways";
import type { IdentityBody } from "../../../protocol/social";
import { Form, useForm } from "../form";
import { Section } from "../section";
import { ProviderButtons } from "./buttons";
import { depart, returnProblem } from "./depart";
import { Proof } from "./proof";

export function Identities() {
  const form = useForm(["current_password"], { wrong_password: "current_password" });
  const [password, setPassword] = useState("");
  const [done, setDone] = useState("");
  const [back] = useState(() => returnProblem(location.search));
  const [any, setAny] = useState(false);
  useEffect(() => {
    const look = async () => {
      await loadWays();
      const known = await call("GET /api/v1/social/identity/providers").catch(() => []);
      setAny(0 < known.length || 0 < (ways.value?.identities.length ?? 0));
    };
    void look();
  }, []);

  const checks = () => ({ current_password: ownPasswordProblem(password) });
  const remove = ({ id, name }: IdentityBody) => {
    setDone("");
    void form.submit(checks(), async () => {
      const body = { current_password: ownPassword(password) };
      await call("POST /api/v1/social/account/identities/{identity}/unlink", { path: { identity: id }, body });
      setPassword("");
      setDone(`${name} does not let anybody in any more, and is told so.`);
      await loadWays();
    });
  };
  const known = ways.value;
  if (!any || known === null) return null;
  return (
    <Section title="Other ways to sign in" done={done}>
      {back !== "" && (
        <p class="problem" role="alert">
          {back}
        </p>
      )}
      <Form form={form} onSubmit={() => {}}>
        {known.identities.length === 0 && <p>None yet. With one, you need no password to sign in.</p>}
        <ul class="sessions" aria-label="Linked sign-ins">
          {known.identities.map((each) => (
            <li key={each.id}>
              <span>
                <strong>{each.name}</strong>
                <span class="tag">Since {new Date(each.linked_at).toLocaleDateString(undefined, { dateStyle: "long" })}</span>
              </span>
              <button
                type="button"
                class="button small"
                disabled={form.busy}
                aria-label={`Remove the sign-in with ${each.name}`}
                onClick={() => remove(each)}
              >
                Remove
              </button>
            </li>
          ))}
        </ul>
        <Proof
          form={form}
          name="current_password"
          label="Your password, to change the sign-ins"
          value={password}
          onChange={setPassword}
        />
        <ProviderButtons
          verb="Link"
          onChoose={async ({ id }) => {
            await form.submit(checks(), () => depart(id, "link", "/account", ownPassword(password)));
          }}
        />
      </Form>
    </Section>
  );
}
