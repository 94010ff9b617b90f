// The settings of an account: what it is called, where its mail goes, and where it is signed in.

import { useEffect, useState } from "preact/hooks";

import { ProblemError, call } from "../../account/client";
import { leave } from "../../account/push";
import { signedIn, signedOut } from "../../account/who";
import type { AccountBody } from "../../protocol/social";
import { sentence } from "../format";
import { followed, navigate } from "../route";
import { EmailSettings } from "./email_settings";
import { allows } from "./for_role";
import { LanguageSettings, PasswordSettings, UsernameSettings } from "./own_settings";
import { Identities } from "./identity/identities";
import { PushSettings } from "./push_settings";
import { Sessions } from "./sessions";
import { Shell } from "./shell";

export function Settings() {
  const [account, setAccount] = useState<AccountBody | null>(null);
  const [problem, setProblem] = useState("");
  /** Rises when devices were signed out by something else than their list. */
  const [round, setRound] = useState(0);

  const load = async () => {
    setProblem("");
    try {
      const loaded = await call("GET /api/v1/social/account");
      signedIn(loaded.username);
      setAccount(loaded);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      if (error.code !== "not_signed_in") return setProblem(sentence(error.message));
      signedOut();
      navigate("/account/sign-in");
    }
  };
  useEffect(() => void load(), []);

  if (account === null) {
    return (
      <Shell title="Your account">
        {problem === "" ? (
          <p role="status">Loading…</p>
        ) : (
          <div class="problem" role="alert">
            <p>{problem}</p>
            <button type="button" class="button" onClick={() => void load()}>
              Try again
            </button>
          </div>
        )}
      </Shell>
    );
  }
  const change = (part: Partial<AccountBody>) => setAccount({ ...account, ...part });
  return (
    <Shell
      title="Your account"
      lead={
        <>
          Signed in as <strong>{account.username}</strong>. Kept in the {REGIONS[account.region]}, since{" "}
          {new Date(account.created_at).toLocaleDateString(undefined, { dateStyle: "long" })}.
        </>
      }
    >
      <div class="inline">
        <a class="button primary" href="/" onClick={followed}>
          Start or find a room
        </a>
        <SignOut />
      </div>
      <UsernameSettings
        username={account.username}
        onChange={(username) => {
          signedIn(username);
          change({ username });
        }}
      />
      <EmailSettings email={account.email} onChange={(email) => change({ email })} />
      <PasswordSettings username={account.username} onChange={() => setRound(round + 1)} />
      <Identities />
      <LanguageSettings language={account.language} onChange={(language) => change({ language })} />
      <Sessions key={round} />
      <PushSettings />
      {allows(account.role, "moderator") && (
        <p>
          <a href="/account/moderation" onClick={followed}>
            Moderation: what people reported
          </a>
        </p>
      )}
      {allows(account.role, "admin") && (
        <p>
          <a href="/account/admin" onClick={followed}>
            Administration: roles, usage and crashes
          </a>
        </p>
      )}
      <p>
        <a href="/account/rooms" onClick={followed}>
          Rooms: your own, and who may come in
        </a>
      </p>
      <p>
        <a href="/account/people" onClick={followed}>
          People: your profile, friends, and who may see what
        </a>
      </p>
      <p>
        <a href="/account/chats" onClick={followed}>
          Chats: with one person or a group
        </a>
      </p>
      <p>
        <a href="/account/files" onClick={followed}>
          Files: your recordings and pictures
        </a>
      </p>
      <p>
        <a href="/account/data" onClick={followed}>
          Your data: have it, object, or erase your account
        </a>
      </p>
    </Shell>
  );
}

function SignOut() {
  const [problem, setProblem] = useState("");
  const signOut = async () => {
    setProblem("");
    try {
      await call("DELETE /api/v1/social/sessions/current");
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      // Signed out already is signed out.
      if (error.code !== "not_signed_in") return setProblem(sentence(error.message));
    }
    signedOut();
    void leave();
    navigate("/");
  };
  return (
    <>
      <button type="button" class="button" onClick={() => void signOut()}>
        Sign out
      </button>
      <p class="field-problem" role="alert">
        {problem}
      </p>
    </>
  );
}

const REGIONS = { eu: "European Union", us: "United States" };
