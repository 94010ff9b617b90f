// The page of admins: who has which role, how the app is used, and what crashes.

import "../../style/staff.css";
import { followed } from "../../route";
import { ForRole } from "../for_role";
import { Shell } from "../shell";
import { Crashes } from "./crashes";
import { Roles } from "./roles";
import { UsageFigures } from "./usage";

export function AdminPage() {
  return (
    <ForRole title="Administration" least="admin">
      {({ id }) => (
        <Shell title="Administration" lead="Roles, usage and crashes. Every change is written down.">
          <Roles me={id} />
          <UsageFigures />
          <Crashes />
          <p>
            <a href="/account/moderation" onClick={followed}>
              Moderation: what people reported
            </a>
          </p>
          <p>
            <a href="/account" onClick={followed}>
              Your account
            </a>
          </p>
        </Shell>
      )}
    </ForRole>
  );
}
