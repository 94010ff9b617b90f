// What somebody is told whose account is to be erased.

import { toldProviders } from "../../../account/ways";
import { followed } from "../../route";
import { Shell } from "../shell";

export function Erased() {
  const at = Number(new URLSearchParams(location.search).get("at"));
  const day = 0 < at && at <= LAST_DAY ? new Date(at).toLocaleDateString(undefined, { dateStyle: "long" }) : null;
  return (
    <Shell title="Your account will be erased">
      <p>
        Nobody sees it from now on, and all your devices are signed out.{" "}
        {day === null ? "When the time has come," : `On ${day}`} everything that is kept of you is deleted.
      </p>
      {toldProviders.value.map(({ name, can_be_told }) => (
        <p key={name}>
          {can_be_told
            ? `${name} is told, and ends what it gave to this server. A mail says when it has.`
            : `${name} cannot be told by this server: remove vjam in your account there.`}
        </p>
      ))}
      <p>
        Until then you can take it back:{" "}
        <a href="/account/sign-in" onClick={followed}>
          sign in
        </a>{" "}
        and choose to keep it.
      </p>
    </Shell>
  );
}

/** The last moment that a date can be. */
const LAST_DAY = 8.64e15;
