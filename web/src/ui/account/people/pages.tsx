// The pages of people: all that is one's own, and one for each person.

import "../../style/people.css";
import { followed } from "../../route";
import { Shell } from "../shell";
import { Blocks } from "./blocks";
import { Find } from "./find";
import { Friends } from "./friends";
import { Gate } from "./gate";
import { Notices } from "./notices";
import { PersonPage } from "./person";
import { pageOf } from "./photo";
import { Preferences } from "./preferences";
import { Profile } from "./profile";

/** The page of a path; null where it is none of people. */
export function peoplePage(path: string) {
  const found = /^\/account\/people(?:\/([^/]+))?\/?$/.exec(path);
  if (found === null) return null;
  const name = found[1];
  if (name === undefined) return <PeoplePage />;
  return (
    <Gate title={name} key={name}>
      {(account) => <PersonPage name={name} account={account} />}
    </Gate>
  );
}

function PeoplePage() {
  return (
    <Gate title="People">
      {({ username }) => (
        <Shell
          title="People"
          lead={
            <>
              Your profile, your friends, and who sees what.{" "}
              <a href={pageOf(username)} onClick={followed}>
                Your page
              </a>{" "}
              shows all of it.
            </>
          }
        >
          <Notices />
          <Find />
          <Friends />
          <Profile username={username} />
          <Preferences />
          <Blocks />
          <p>
            <a href="/account" onClick={followed}>
              Your account
            </a>
          </p>
        </Shell>
      )}
    </Gate>
  );
}
