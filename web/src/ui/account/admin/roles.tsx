// Who helps to run the server: admins give and take roles, of everybody but themselves.

import { useEffect, useRef, useState } from "preact/hooks";

import { call } from "../../../account/client";
import type { AdminAccount, Role } from "../../../protocol/social";
import { useActing } from "../people/acting";
import { Waiting } from "../people/gate";
import { Sure } from "../../sure";
import { Field, Form, Submit, useForm } from "../form";
import { Section } from "../section";

export function Roles({ me }: { me: string }) {
  const [name, setName] = useState("");
  /** What was looked for; empty for those who have a role. */
  const [wanted, setWanted] = useState("");
  const [accounts, setAccounts] = useState<AdminAccount[] | null>(null);
  const [done, setDone] = useState("");
  const form = useForm(["q"]);
  const { problem, attempt } = useActing();
  const list = useRef<HTMLUListElement>(null);

  const ask = async (q: string) => {
    const found = await call("GET /api/v1/social/admin/accounts", { query: q === "" ? {} : { q } });
    setAccounts(found.accounts);
    setWanted(q);
  };
  const load = () => attempt(() => ask(""));
  useEffect(() => void load(), []);
  const give = (account: AdminAccount, role: Role) =>
    attempt(async () => {
      setDone("");
      await call("PUT /api/v1/social/admin/accounts/{account}/role", { path: { account: account.id }, body: { role } });
      await ask(wanted);
      setDone(`${account.username} is ${ROLES[role]} from now on.`);
      // The button may be gone.
      list.current?.focus();
    });

  return (
    <Section title="Roles" done={done}>
      <div role="search" aria-label="Accounts">
        <Form form={form} onSubmit={() => void form.submit({}, () => ask(name.trim()))}>
          <Field
            form={form}
            name="q"
            label="How a username begins"
            autoComplete="off"
            value={name}
            onChange={setName}
            help="Empty for everybody who has a role. 20 accounts are shown at most."
          />
          <Submit form={form}>Find accounts</Submit>
        </Form>
      </div>
      <p class="field-problem" role="alert">
        {accounts === null ? "" : problem}
      </p>
      {accounts === null && <Waiting problem={problem} onAgain={() => void load()} />}
      {accounts?.length === 0 && <p class="help">There is nobody whose username begins so.</p>}
      {accounts !== null && 0 < accounts.length && (
        <>
          <h3>{wanted === "" ? "Who has a role" : `Usernames that begin with “${wanted}”`}</h3>
          <ul class="people" ref={list} tabIndex={-1} aria-label="Accounts">
            {accounts.map((account) => (
              <li key={account.id}>
                <span>
                  <strong class="name">{account.username}</strong>
                  <span class="tag">
                    {account.id === me ? "You, " : ""}
                    {ROLES[account.role]}
                    {account.is_suspended && ", suspended"}
                  </span>
                </span>
                {account.id !== me && <Change account={account} onGive={(role) => void give(account, role)} />}
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

function Change({ account: { username, role }, onGive }: { account: AdminAccount; onGive: (role: Role) => void }) {
  return (
    <div class="inline">
      {role !== "moderator" && (
        <Sure
          label="Make moderator"
          fullLabel={`Make moderator: ${username}`}
          question={`Make ${username} a moderator? Moderators see what people report, and decide.`}
          yes="Make moderator"
          onYes={() => onGive("moderator")}
        />
      )}
      {role !== "admin" && (
        <Sure
          label="Make admin"
          fullLabel={`Make admin: ${username}`}
          question={`Make ${username} an admin? Admins can do everything that you can, and take your role away.`}
          yes="Make admin"
          onYes={() => onGive("admin")}
        />
      )}
      {role !== "user" && (
        <Sure
          label="Take the role away"
          fullLabel={`Take the role away: ${username}`}
          question={`Take away that ${username} is ${ROLES[role]}?`}
          yes="Take it away"
          onYes={() => onGive("user")}
        />
      )}
    </div>
  );
}

const ROLES: Record<Role, string> = { user: "without a role", moderator: "a moderator", admin: "an admin" };
