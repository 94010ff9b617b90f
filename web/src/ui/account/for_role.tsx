// Pages for those who help to run the server. The server decides who may; this only says so.

import type { ComponentChildren } from "preact";

import type { AccountBody, Role } from "../../protocol/social";
import { followed } from "../route";
import { Gate } from "./people/gate";
import { Shell } from "./shell";

interface Props {
  title: string;
  /** The least that somebody must be. */
  least: Exclude<Role, "user">;
  children: (account: AccountBody) => ComponentChildren;
}

export function ForRole({ title, least, children }: Props) {
  return (
    <Gate title={title}>
      {(account) =>
        allows(account.role, least) ? (
          <>{children(account)}</>
        ) : (
          <Shell title="Not for you" lead={`This page is for ${least}s of this server. An admin gives that role.`}>
            <p>
              <a href="/account" onClick={followed}>
                Your account
              </a>
            </p>
          </Shell>
        )
      }
    </Gate>
  );
}

export function allows(role: Role, least: Exclude<Role, "user">): boolean {
  return role === "admin" || role === least;
}
