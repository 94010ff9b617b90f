// @vitest-environment happy-dom

import { afterEach, describe, expect, it, vi } from "vitest";

import { signedIn, signedOut, who } from "../../../account/who";
import { ways } from "../../../account/ways";
import { close, heading, open, press, problem, serverSays, text, type, wrongWith } from "../test_pages";
import { cameWith, returnProblem } from "./depart";

const ID = "0199f0c0-0000-7000-8000-000000000001";
const PROVIDERS = [200, [{ id: "google", name: "Google" }]] as [number, object];
const LATER = Date.now() + 900_000;
const identity = { id: ID, provider: "google", name: "Google", linked_at: 0, can_be_told: true, mail_stopped: false };
const WITHOUT = { has_password: false, proven_until: 0, identities: [identity] };
const ACCOUNT = {
  id: ID, region: "eu", email: "ada@example.org", username: "ada", role: "user", language: "en", created_at: 0,
};

afterEach(async () => {
  await close();
  signedOut();
  ways.value = null;
});

/** Where the browser was led to. */
function led(): string[] {
  const to: string[] = [];
  vi.spyOn(location, "assign").mockImplementation((url) => void to.push(String(url)));
  return to;
}

describe("signing in with a provider", () => {
  it("leads there, with where to go afterwards", async () => {
    const to = led();
    const asked = serverSays({
      "GET identity/providers": PROVIDERS,
      "POST identity/google/begin": [200, { url: "https://id.example/authorize" }],
    });
    await open("/account/sign-in?next=/account/data");
    await press("Continue with Google");
    expect(asked.at(-1)?.body).toEqual({ purpose: "sign_in", next: "/account/data" });
    expect(to).toEqual(["https://id.example/authorize"]);
  });

  it("says what went wrong there, in words of ours only", async () => {
    serverSays({});
    await open("/account/sign-in?problem=identity_cancelled&with=google");
    expect(text()).toContain("You shared nothing there");
    expect(returnProblem("?problem=%3Cb%3E")).toBe("Signing in there did not work. Try again.");
    expect(returnProblem("")).toBe("");
    expect(cameWith("?with=../x")).toBeNull();
  });

  it("takes an erasure back, and signs in then", async () => {
    const to = led();
    const asked = serverSays({
      "POST account/erasure/cancel-with-identity": [204],
      "POST identity/google/begin": [200, { url: "https://id.example/authorize" }],
    });
    await open("/account/sign-in?with=google&problem=erasure_pending");
    expect(heading()).toBe("Keep your account?");
    await press("Keep my account");
    expect(asked[0]?.route).toBe("POST account/erasure/cancel-with-identity");
    expect(to).toHaveLength(1);
  });
});

describe("a browser that a provider signed in", () => {
  it("learns who it is, and goes on", async () => {
    serverSays({ "GET account": [200, ACCOUNT], "GET account/exports": [200, []], "GET account/usage": [200, { allowed: true }] });
    await open("/account/signed-in?next=/account/data");
    expect([heading(), who.value]).toEqual(["Your data", "ada"]);
  });

  it("signs in again where that did not last", async () => {
    serverSays({ "GET account": problem(401, "not_signed_in", "sign in first") });
    await open("/account/signed-in");
    expect(heading()).toBe("Sign in");
  });
});

describe("an account of somebody who comes from a provider", () => {
  const born = async () => {
    await type("Day", "17");
    await type("Month", "5");
    await type("Year", "1990");
    await press("Continue");
  };

  it("begins with the birth date, and asks for an address only where there is none", async () => {
    const asked = serverSays({
      "POST age": [200, { age_token: "t0k3n", expires_at: LATER }],
      "POST sign-ups/identity": [
        problem(422, "invalid", "the provider has verified no e-mail address of yours; give one", "email"),
        [202, { sign_up: ID, code_expires_at: LATER }],
      ],
    });
    await open("/account/sign-up?with=google");
    expect(heading()).toBe("Make an account");
    await born();
    await type("Username", "ada");
    await press("European Union");
    await press("Make my account");
    await type("E-mail address", "ada@example.org");
    await press("Make my account");
    expect(asked.at(-1)?.body).toMatchObject({ age_token: "t0k3n", username: "ada", email: "ada@example.org", carrier: "cookie" });
    expect(heading()).toBe("Check your mail");
  });

  it("remembers the answer of whoever leaves to sign up there, once", async () => {
    led();
    serverSays({
      "GET identity/providers": PROVIDERS,
      "POST age": [200, { age_token: "t0k3n", expires_at: LATER }],
      "POST identity/google/begin": [200, { url: "https://id.example/authorize" }],
    });
    await open("/account/sign-up");
    await born();
    await press("Continue with Google");
    await open("/account/sign-up?with=google");
    expect(heading()).toBe("Your new account");
    await open("/account/sign-up");
    await open("/account/sign-up?with=google");
    expect(heading()).toBe("Make an account");
  });
});

describe("the settings of an account without a password", () => {
  const beside = {
    "GET account": [200, ACCOUNT],
    "GET sessions": [200, []],
    "GET identity/providers": PROVIDERS,
  } as Record<string, [number, object]>;

  it("list the sign-ins, and say where one cannot be removed", async () => {
    signedIn("ada");
    const asked = serverSays({
      ...beside,
      "GET account/identities": [200, { ...WITHOUT, proven_until: LATER }],
      [`POST account/identities/${ID}/unlink`]: problem(409, "last_way_in", "this is the only way into your account"),
    });
    await open("/account");
    expect(text()).toContain("Your account has none. To set one");
    await press("Remove the sign-in with Google");
    expect(asked.at(-1)).toEqual({ route: `POST account/identities/${ID}/unlink`, body: { current_password: null } });
    expect(text()).toContain("This is the only way into your account.");
  });

  it("lead to the provider where a password would be asked for", async () => {
    signedIn("ada");
    const to = led();
    const asked = serverSays({
      "GET account/identities": [200, WITHOUT],
      "GET account/exports": [200, []],
      "GET account/usage": [200, { allowed: true }],
      "POST identity/google/begin": [200, { url: "https://id.example/authorize" }],
    });
    await open("/account/data");
    await press("Confirm with Google");
    expect(asked.at(-1)?.body).toEqual({ purpose: "prove", next: "/account/data" });
    expect(to).toHaveLength(1);
  });

  it("say where mail to the address reaches nobody", async () => {
    signedIn("ada");
    const stopped = { ...identity, name: "Apple", mail_stopped: true };
    serverSays({ ...beside, "GET account/identities": [200, { ...WITHOUT, identities: [identity, stopped] }] });
    await open("/account");
    expect(text()).toContain("Apple does not forward mail from there to you any more");
  });

  it("ask for the password where there is one", async () => {
    signedIn("ada");
    serverSays({ ...beside, "GET account/identities": [200, { ...WITHOUT, has_password: true }] });
    await open("/account");
    await press("Remove the sign-in with Google");
    expect(wrongWith("Your password, to change the sign-ins")).toBe("Enter your password.");
  });
});
