// @vitest-environment happy-dom

// The pages about what is kept of somebody, as a musician uses them.

import { afterEach, describe, expect, it } from "vitest";

import { signedIn, who } from "../../../account/who";
import type { Kept } from "../../../protocol/social";
import { howLong, tables } from "../privacy";
import { close, heading, open, press, problem, serverSays, text, type, wrongWith } from "../test_pages";

const ID = "0190163d-8694-739b-aea5-966c26f8ad91";
const DAY = 86_400_000;
const READY = { id: ID, state: "ready", created_at: DAY, expires_at: 8 * DAY, bytes: 5000 };
const QUIET = { "GET account/exports": [200, []] as [number, object], "GET account/usage": [200, { allowed: true }] as [number, object] };

afterEach(close);

describe("the page of somebody's data", () => {
  it("is for whoever is signed in", async () => {
    serverSays(QUIET);
    await open("/account/data");
    expect(location.pathname + location.search).toBe("/account/sign-in?next=/account/data");
  });

  it("has an archive made for whoever gives the password", async () => {
    signedIn("ada");
    const asked = serverSays({
      ...QUIET,
      "GET account/exports": [[200, []], [200, [{ ...READY, state: "waiting" }]]],
      "POST account/exports": [[403, { code: "wrong_password", detail: "this is not the account's password" }], [202, READY]],
    });
    await open("/account/data");
    await press("Have an archive made");
    expect(wrongWith("Your password, for the archive")).toBe("Enter your password.");
    await type("Your password, for the archive", "wrong");
    await press("Have an archive made");
    expect(wrongWith("Your password, for the archive")).toBe("This is not the account's password.");
    await type("Your password, for the archive", "between the bars");
    await press("Have an archive made");
    expect(asked.at(-2)).toEqual({ route: "POST account/exports", body: { current_password: "between the bars" } });
    expect(text()).toContain("Being made");
  });

  it("gives the link to a ready archive once, after the password", async () => {
    signedIn("ada");
    serverSays({
      ...QUIET,
      "GET account/exports": [200, [READY]],
      [`POST account/exports/${ID}/link`]: [200, { url: "/api/v1/social/exports/abc", expires_at: 2 * DAY }],
    });
    await open("/account/data");
    const link = () => document.querySelector<HTMLAnchorElement>("a[download]");
    const get = [...document.querySelectorAll("button")].find((each) => each.textContent === "Get the link");
    const name = get?.getAttribute("aria-label") ?? "";
    await press(name);
    expect(link()).toBeNull();
    await type("Your password, for the archive", "between the bars");
    await press(name);
    expect(link()?.getAttribute("href")).toBe("/api/v1/social/exports/abc");
    link()?.addEventListener("click", (event) => event.preventDefault());
    await press("Download the archive");
    expect(link(), "it works once").toBeNull();
  });

  it("has somebody counted no more, and says what became of today", async () => {
    signedIn("ada");
    const asked = serverSays({ ...QUIET, "PUT account/usage": [204] });
    await open("/account/data");
    const box = document.querySelector<HTMLInputElement>("input[type=checkbox]");
    expect(box?.checked).toBe(true);
    box?.click();
    await expect.poll(() => asked.at(-1)).toEqual({ route: "PUT account/usage", body: { allowed: false } });
    await expect.poll(text).toContain("You are not counted any more");
  });

  it("erases an account only after a second press and the password", async () => {
    signedIn("ada");
    const asked = serverSays({ ...QUIET, "POST account/erasure": [202, { erase_at: 30 * DAY, providers: [{ name: "Google", can_be_told: true }] }] });
    await open("/account/data");
    await press("Erase my account…");
    await press("Keep it");
    await press("Erase my account…");
    await press("Erase my account");
    expect(wrongWith("Your password, to erase the account")).toBe("Enter your password.");
    expect(asked.some((each) => each.route === "POST account/erasure")).toBe(false);
    await type("Your password, to erase the account", "between the bars");
    await press("Erase my account");
    expect(asked.at(-1)).toEqual({ route: "POST account/erasure", body: { current_password: "between the bars" } });
    expect([heading(), who.value]).toEqual(["Your account will be erased", null]);
    expect(text()).toContain("1970");
    expect(text()).toContain("Google is told");
  });
});

describe("signing in to an account that is to be erased", () => {
  it("asks whether to keep it, and keeps it", async () => {
    const asked = serverSays({
      "POST sessions": [[403, { code: "erasure_pending", detail: "it is to be erased" }], [201, { account: { username: "ada" } }]],
      "POST account/erasure/cancel": [204],
      "GET account": problem(401, "not_signed_in", "sign in first"),
    });
    await open("/account/sign-in");
    await type("E-mail address or username", "ada");
    await type("Password", "between the bars");
    await press("Sign in");
    expect(heading()).toBe("Keep your account?");
    await press("Keep my account");
    expect(asked.find((each) => each.route === "POST account/erasure/cancel")?.body).toEqual({
      login: "ada",
      password: "between the bars",
    });
    expect(asked.filter((each) => each.route === "POST sessions")).toHaveLength(2);
  });
});

describe("the page about privacy", () => {
  const kept = (part: Partial<Kept>): Kept => ({
    place: "accounts.email", purpose: "Your e-mail address.", until: "account_erased", whose: "account", exported: true, ...part,
  });

  it("says what is kept, from when on, and who else gets something", async () => {
    serverSays({
      "GET privacy": [200, {
        region: "eu", contact: "privacy@jam.example", announced_at: DAY, takes_effect_at: 15 * DAY,
        processors: [{ name: "mail.example", purpose: "Delivers mails", gets: "E-mail addresses" }],
        kept: [kept({}), kept({ place: "crashes.title", purpose: "What failed.", until: "days", days: 90, whose: "nobody", exported: false, reason: "it is nobody's" })],
      }],
    });
    await open("/privacy");
    expect(heading()).toBe("Privacy");
    for (const said of ["Takes effect on", "privacy@jam.example", "mail.example", "Your e-mail address.", "Kept for 90 days.", "it is nobody's"]) {
      expect(text()).toContain(said);
    }
  });

  it("can be tried again where the server does not answer", async () => {
    serverSays({ "GET privacy": problem(503, "unavailable", "accounts are off") });
    await open("/privacy");
    expect(text()).toContain("Accounts are off.");
    expect(text()).toContain("Try again");
  });

  it("says how long in words", () => {
    expect(howLong(kept({}))).toBe("Kept until your account is erased.");
    expect(howLong(kept({ until: "days", days: 1, whose: "nobody" }))).toBe("Kept for a day.");
    expect(howLong(kept({ until: "done", days: 2 }))).toBe("Kept until it is done, 2 days at most.");
    expect(howLong(kept({ until: "server_gone" }))).toBe("Kept as long as the server.");
    expect(tables([kept({}), kept({ place: "accounts.id" }), kept({ place: "jobs.id" })]).map(([table, all]) => [table, all.length])).toEqual([
      ["accounts", 2],
      ["jobs", 1],
    ]);
  });
});
