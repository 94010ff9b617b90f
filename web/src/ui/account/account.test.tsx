// @vitest-environment happy-dom

import { afterEach, describe, expect, it } from "vitest";

import { signedIn, signedOut, who } from "../../account/who";
import { lastUsed } from "./sessions";
import { close, field, heading, open, press, problem, serverSays, settled, text, type, wrongWith } from "./test_pages";

const ID = "0199f0c0-0000-7000-8000-000000000001";
const LATER = Date.now() + 900_000;
const ACCOUNT = {
  id: ID, region: "eu", email: "ada@example.org", username: "ada", role: "user", language: "en", created_at: 1_781_287_440_000,
};
const session = (id: string, device_name: string, current: boolean, last_used_at = 0) => ({
  id, device_name, current, created_at: 0, last_used_at, expires_at: LATER,
});
const SIGNED_IN = { account: ACCOUNT, session: session(ID, "", true) };

afterEach(async () => {
  await close();
  signedOut();
});

async function born(day: string, month: string, year: string): Promise<void> {
  await type("Day", day);
  await type("Month", month);
  await type("Year", year);
  await press("Continue");
}

async function fill(username = "ada"): Promise<void> {
  await type("E-mail address", " ada@example.org ");
  await type("Username", username);
  await type("Password", "between the bars");
  await press("European Union");
}

describe("signing up", () => {
  const begins = {
    "POST age": [200, { age_token: "t0k3n", expires_at: LATER }],
    "POST sign-ups": [202, { sign_up: ID, code_expires_at: LATER }],
  } as const;

  it("asks for the birth date, then for the account, then for the code", async () => {
    const asked = serverSays({
      "POST age": [200, { age_token: "t0k3n", expires_at: LATER }],
      "POST sign-ups": [202, { sign_up: ID, code_expires_at: LATER }],
      [`POST sign-ups/${ID}/verify`]: [201, SIGNED_IN],
      "GET account": [200, ACCOUNT],
      "GET sessions": [200, []],
    });
    await open("/account/sign-up");
    expect([...document.querySelectorAll("input, select")].map((each) => (each as HTMLInputElement).value)).toEqual(["", "", ""]);
    await born("17", "5", "1990");
    expect(asked).toEqual([{ route: "POST age", body: { born: "1990-05-17" } }]);
    await fill();
    await press("Send me a code");
    expect(asked[1]?.body).toEqual({
      age_token: "t0k3n", email: "ada@example.org", username: "ada", password: "between the bars", region: "eu",
      language: navigator.language,
    });
    await type("Code", "1234 5678");
    await press("Finish signing up");
    expect(asked[2]?.body).toMatchObject({ code: "1234 5678", carrier: "cookie" });
    expect([who.value, location.pathname]).toEqual(["ada", "/account"]);
    expect(text()).toContain("Signed in as ada");
  });

  it("asks nothing of the server while something is missing, and leads to it", async () => {
    const asked = serverSays({ ...begins } as never);
    await open("/account/sign-up");
    await born("31", "4", "1990");
    expect(wrongWith("Day")).toContain("no such day");
    expect(asked).toEqual([]);
    await born("17", "5", "1990");
    await press("Send me a code");
    expect(asked).toHaveLength(1);
    expect(wrongWith("E-mail address")).toBe("Enter your e-mail address.");
    expect(wrongWith("Username")).toBe("Choose a username.");
    expect(wrongWith("Password")).toBe("Choose a password.");
    expect(text()).toContain("Choose where your account is kept.");
    expect(document.activeElement).toBe(field("E-mail address"));
    await type("E-mail address", "ada@example.org");
    expect(wrongWith("E-mail address")).toBe("");
  });

  it("ends where the server says so, at the first step and at the last", async () => {
    const refused = problem(403, "sign_up_refused", "an account cannot be made on this device");
    serverSays({ "POST age": refused });
    await open("/account/sign-up");
    await born("17", "5", "2020");
    expect(heading()).toBe("No account here");
    expect(text()).toContain("An account cannot be made on this device.");
    expect(document.querySelector("form")).toBeNull();

    serverSays({ ...begins, [`POST sign-ups/${ID}/verify`]: refused } as never);
    await open("/account/sign-up");
    await born("17", "5", "1990");
    await fill();
    await press("Send me a code");
    await type("Code", "12345678");
    await press("Finish signing up");
    expect(heading()).toBe("No account here");
    expect(who.value).toBeNull();
  });

  it("says at the username that somebody has it", async () => {
    serverSays({ ...begins, "POST sign-ups": problem(409, "username_taken", "somebody has this username") } as never);
    await open("/account/sign-up");
    await born("17", "5", "1990");
    await fill();
    await press("Send me a code");
    expect(wrongWith("Username")).toBe("Somebody has this username.");
    expect(document.activeElement).toBe(field("Username"));
  });

  it("goes back to the birth date when its answer counts no more", async () => {
    serverSays({ ...begins, "POST sign-ups": problem(422, "invalid", "the birth date has to be given first", "age_token") } as never);
    await open("/account/sign-up");
    await born("17", "5", "1990");
    await fill();
    await press("Send me a code");
    expect(text()).toContain("When were you born?");
  });

  it("goes on after the page was loaded anew while the code was looked up", async () => {
    const asked = serverSays({ ...begins, [`POST sign-ups/${ID}/code`]: [202, { sign_up: ID, code_expires_at: LATER + 60_000 }], [`POST sign-ups/${ID}/verify`]: problem(422, "wrong_code", "the code is not valid") } as never);
    await open("/account/sign-up");
    await born("17", "5", "1990");
    await fill();
    await press("Send me a code");
    await open("/account/sign-up");
    expect(heading()).toBe("Check your mail");
    await type("Code", "00000000");
    await press("Finish signing up");
    expect(wrongWith("Code")).toBe("The code is not valid.");
    await press("Send another code");
    expect(asked.at(-1)?.route).toBe(`POST sign-ups/${ID}/code`);
    expect(text()).toContain("Another code is on its way");
    await press("Use another address");
    expect(text()).toContain("When were you born?");
    await open("/account/sign-up");
    expect(text()).toContain("When were you born?");
  });
});

describe("signing in", () => {
  it("leads back to where it began, and nowhere outside", async () => {
    serverSays({ "POST sessions": [201, SIGNED_IN], "GET account": [200, ACCOUNT], "GET sessions": [200, []] });
    for (const [query, to] of [["?next=/r/blue-note", "/r/blue-note"], ["?next=//evil.example", "/account"], ["", "/account"]]) {
      await open(`/account/sign-in${query}`);
      await type("E-mail address or username", "ada");
      await type("Password", "between the bars");
      await press("Sign in");
      expect(location.pathname, query).toBe(to);
      expect(who.value).toBe("ada");
    }
  });

  it("that fails keeps what was typed, and names no field", async () => {
    serverSays({ "POST sessions": problem(401, "wrong_credentials", "there is no account of this name with this password") });
    await open("/account/sign-in");
    await type("E-mail address or username", "ada");
    await type("Password", "wrong");
    await press("Sign in");
    expect(document.querySelector("[role=alert]")?.textContent).toBe("There is no account of this name with this password.");
    expect([field("E-mail address or username").value, field("Password").value]).toEqual(["ada", "wrong"]);
    expect(who.value).toBeNull();
  });

  it("is asked for once, however often Enter is pressed", async () => {
    const asked = serverSays({ "POST sessions": [201, SIGNED_IN], "GET account": [200, ACCOUNT], "GET sessions": [200, []] });
    await open("/account/sign-in");
    await type("E-mail address or username", "ada");
    await type("Password", "between the bars");
    const form = document.querySelector("form");
    await settled(() => {
      for (let i = 0; i < 3; i += 1) form?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    });
    expect(asked.filter(({ route }) => route === "POST sessions")).toHaveLength(1);
  });
});

describe("a forgotten password", () => {
  it("is changed with a code, and everybody signs in anew", async () => {
    signedIn("ada");
    const asked = serverSays({
      "POST password-resets": [202, { reset: ID, code_expires_at: LATER }],
      [`POST password-resets/${ID}/complete`]: [[422, { code: "wrong_code", detail: "the code is not valid" }], [204]],
    });
    await open("/account/forgot");
    await type("E-mail address", "ada@example.org");
    await press("Send me a code");
    expect(text()).toContain("If ada@example.org has an account");
    await type("Code", "12345678");
    await press("Change the password");
    expect(wrongWith("New password")).toBe("Choose a password.");
    await type("New password", "another one");
    await press("Change the password");
    expect(wrongWith("Code")).toBe("The code is not valid.");
    await press("Change the password");
    expect(asked.at(-1)?.body).toEqual({ code: "12345678", password: "another one" });
    expect([heading(), who.value]).toEqual(["Your password is changed", null]);
  });
});

describe("the settings", () => {
  it("are for whoever is signed in; others are led to signing in", async () => {
    signedIn("ada");
    serverSays({ "GET account": problem(401, "not_signed_in", "sign in first") });
    await open("/account");
    expect([location.pathname, heading(), who.value]).toEqual(["/account/sign-in", "Sign in", null]);
  });

  it("can be tried again where the server has none to give", async () => {
    serverSays({ "GET account": [[503, { code: "unavailable", detail: "accounts are off" }], [200, ACCOUNT]], "GET sessions": [200, []] });
    await open("/account");
    expect(text()).toContain("Accounts are off.");
    await press("Try again");
    expect(text()).toContain("Signed in as ada");
  });

  it("change the username and the password, and say so", async () => {
    const asked = serverSays({
      "GET account": [200, ACCOUNT], "GET sessions": [200, []], "PUT account/username": [204],
      "PUT account/password": [[403, { code: "wrong_password", detail: "this is not the account's password" }], [204]],
    });
    await open("/account");
    await type("Username", "countess");
    await press("Change the username");
    expect(who.value).toBe("countess");
    expect(text()).toContain("You are countess from now on.");
    await type("Current password", "wrong");
    await type("New password", "another one");
    await press("Change the password");
    expect(wrongWith("Current password")).toBe("This is not the account's password.");
    await type("Current password", "between the bars");
    await press("Change the password");
    expect(asked.at(-2)?.body).toEqual({ current_password: "between the bars", password: "another one" });
    // Other devices are signed out by that: the list is read again.
    expect(asked.at(-1)?.route).toBe("GET sessions");
    expect(text()).toContain("The new password holds.");
    expect(field("New password").value).toBe("");
  });

  it("change the address only once its code has come back", async () => {
    const asked = serverSays({
      "GET account": [200, ACCOUNT], "GET sessions": [200, []],
      "POST account/email": [202, { change: ID, code_expires_at: LATER }], [`POST account/email/${ID}/verify`]: [204],
    });
    await open("/account");
    await type("New address", "countess@example.org");
    await type("Your password", "between the bars");
    await press("Send a code there");
    expect(text()).toContain("Your mail goes to ada@example.org.");
    await type("Code", "12345678");
    await press("Change the address");
    expect(asked.at(-1)?.body).toEqual({ code: "12345678" });
    expect(text()).toContain("Your mail goes to countess@example.org.");
  });

  it("sign out one device, all others, and this one", async () => {
    const all = [session("a", "Phone", false, 5), session("b", "Here", true), session("c", "Laptop", false, 9)];
    const asked = serverSays({
      "GET account": [200, ACCOUNT],
      "GET sessions": [[200, all], [200, all.slice(0, 2)], [200, all.slice(1, 2)]],
      "DELETE sessions/c": [204], "DELETE sessions": [204], "DELETE sessions/current": [204],
    });
    await open("/account");
    const names = () => [...document.querySelectorAll(".sessions strong")].map((each) => each.textContent);
    expect(names()).toEqual(["Here", "Laptop", "Phone"]);
    await press("Sign out Laptop");
    expect(names()).toEqual(["Here", "Phone"]);
    expect(text()).toContain("Laptop is signed out.");
    expect(document.activeElement).toBe(document.querySelector(".sessions"));
    await press("Sign out");
    expect(asked.at(-1)?.route).toBe("DELETE sessions/current");
    expect([location.pathname, who.value]).toEqual(["/", null]);
  });

  it("tell when a device was used as exactly as the server does", () => {
    const hour = 3_600_000;
    expect(lastUsed(0, 0.5 * hour)).toBe("within the last hours");
    expect(lastUsed(0, 5.5 * hour)).toBe("5 hours ago");
    expect(lastUsed(0, 48 * hour)).toContain("1970");
  });
});
