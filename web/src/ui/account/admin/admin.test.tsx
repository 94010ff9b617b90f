// @vitest-environment happy-dom

import { afterEach, describe, expect, it } from "vitest";

import { signedOut } from "../../../account/who";
import { close, open, press, problem, serverSays, text, type } from "../test_pages";
import { ACCOUNT, done } from "../people/test_people";
import { DAY_MS, everyDay, featureRows, firstOf, lengthRows, sessionsOf } from "./figures";

const ADMIN = { ...ACCOUNT, username: "root0", role: "admin" };
const account = (username: string, role = "user", more: object = {}) => ({
  id: username, username, role, is_suspended: false, created_at: 0, ...more,
});
const SINCE = (days: number) => firstOf(days, Date.now());
const cause = (last: string, more: object = {}) => ({
  last, first_at: 0, last_at: DAY_MS, count: 3, platform: "javascript", release: "vjam-web", title: "Oops: x", ...more,
});

const at = (answers: Parameters<typeof serverSays>[0] = {}) =>
  serverSays({
    "GET account": [200, ADMIN],
    "GET admin/accounts": [200, { accounts: [account("molly", "moderator"), { ...account("root0", "admin"), id: ACCOUNT.id }] }],
    [`GET admin/usage?since=${SINCE(30)}`]: [200, []],
    "GET admin/crashes": [200, []],
    ...answers,
  });

afterEach(async () => {
  await close();
  signedOut();
});

describe("roles", () => {
  it("are given by name, and taken away, and never one's own", async () => {
    const asked = at({
      "GET admin/accounts?q=ad": [[200, { accounts: [account("ada")] }], [200, { accounts: [account("ada", "moderator")] }]],
      "PUT admin/accounts/ada/role": [204],
    });
    await open("/account/admin");
    expect(text()).toContain("You, an admin");
    expect(text()).not.toContain("Take the role away: root0");
    await type("How a username begins", "ad");
    await press("Find accounts");
    await press("Make moderator: ada");
    await press("Make moderator");
    expect(asked.at(-2)).toEqual({ route: "PUT admin/accounts/ada/role", body: { role: "moderator" } });
    expect(done()).toContain("ada is a moderator from now on.");
    await press("Take the role away: ada");
    await press("Take it away");
    expect(asked.at(-2)?.body).toEqual({ role: "user" });
  });

  it("that the server does not give are not shown as given", async () => {
    at({ "PUT admin/accounts/molly/role": problem(404, "not_found", "there is no such account, or it is not yours") });
    await open("/account/admin");
    await press("Make admin: molly");
    await press("Make admin");
    expect(text()).toContain("There is no such account");
    expect(done()).toEqual([]);
  });
});

describe("usage", () => {
  const day = (n: number, people: number, counts: object[] = [], lengths: object[] = []) =>
    ({ day: n * DAY_MS, people, counts, lengths }) as never;
  const lengths = (...counts: number[]) => counts.map((count, i) => ({ from_minutes: [0, 5, 60][i], count }));
  const count = (kind: string, word: string, count: number, minutes = 0) => ({ kind, word, count, minutes });

  it("has a row for each day, also for those of which nothing is known", () => {
    const now = 20 * DAY_MS + 5_000;
    const days = everyDay([day(20, 3), day(18, 1)], 4, now);
    expect(days.map(({ day, people }) => [day / DAY_MS, people])).toEqual([[17, 0], [18, 1], [19, 0], [20, 3]]);
    expect(firstOf(1, now)).toBe(20 * DAY_MS);
  });

  it("adds up what was used, and how long people played", () => {
    const days = [
      day(1, 2, [count("session", "browser", 2, 60), count("feature", "click", 1)], lengths(0, 1, 1)),
      day(2, 1, [count("session", "native", 1, 30), count("feature", "chat", 5), count("feature", "click", 2)], lengths(0, 1, 0)),
      day(3, 0),
    ];
    expect(featureRows(days).map(({ name, value }) => [name, value])).toEqual([["Chat", 5], ["Click", 3]]);
    expect(sessionsOf(days)).toEqual({ count: 3, minutes: 90 });
    expect(lengthRows(days).map(({ name, value }) => [name, value])).toEqual([["under 5 min", 0], ["5 min to 1 h", 2], ["1 h or longer", 1]]);
  });

  it("is shown with all its numbers in tables", async () => {
    const today = Math.floor(Date.now() / DAY_MS);
    const known = [day(today, 7, [count("session", "browser", 4, 100), count("feature", "take", 9)], lengths(3, 0, 1))];
    at({ [`GET admin/usage?since=${SINCE(30)}`]: [200, known], [`GET admin/usage?since=${SINCE(7)}`]: [200, known] });
    await open("/account/admin");
    expect(text()).toContain("4 sessions, 25 minutes each on average.");
    const rows = () => [...document.querySelectorAll(".chart")].map((chart) => chart.querySelectorAll("tbody tr").length);
    expect([...document.querySelectorAll(".bars tbody tr")].map((each) => each.textContent)).toEqual(["under 5 min3", "5 min to 1 h0", "1 h or longer1", "Takes9"]);
    const before = rows();
    await press("7 days");
    expect([before, rows()]).toEqual([[30], [7]]);
  });
});

describe("crashes", () => {
  it("are shown by their causes, with what is kept of the last, and deleted", async () => {
    const report = {
      platform: "javascript", release: "vjam-web", environment: "", level: "error", message: "",
      exceptions: [{ kind: "Oops", value: "x", frames: [
        { function: "", module: "", file: "page", line: 3 }, { function: "pluck", module: "", file: "index-x.js", line: 7 },
      ] }],
      contexts: [{ what: "browser", name: "Chrome", version: "128" }],
    };
    const asked = at({
      "GET admin/crashes": [200, [cause("c1"), cause("c2", { title: "", count: 1 })]],
      "GET admin/crashes/c1": [200, { id: "c1", received_at: 0, report }],
      "DELETE admin/crashes/c1": [204],
    });
    await open("/account/admin");
    expect(text()).toContain("3 times");
    expect(text()).toContain("A crash that says nothing");
    await press("Details of Oops: x");
    const frames = [...document.querySelectorAll(".frames li")].map((each) => each.textContent);
    expect(frames, "where it happened first").toEqual(["pluck index-x.js:7", "(no name) page:3"]);
    expect(text()).toContain("Chrome 128");
    await press("Delete Oops: x");
    await press("Delete");
    expect(asked.at(-1)?.route).toBe("DELETE admin/crashes/c1");
    expect(text()).not.toContain("Oops: x");
    expect(done()).toContain("All crashes of this cause are deleted.");
  });
});
