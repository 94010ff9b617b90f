// @vitest-environment happy-dom

import { afterEach, describe, expect, it, vi } from "vitest";

import { signedOut } from "../../../account/who";
import { close, heading, open, press, problem, text, type, wrongWith } from "../test_pages";
import { ACCOUNT, choose, done, has, latest, listed } from "../people/test_people";

const MODERATOR = { ...ACCOUNT, username: "molly", role: "moderator" };

const report = (id: string, more: object = {}) => ({
  id, kind: "message", item: "m2", reason: "harassment", text: "Look.", created_at: 0, state: "open", reporter: "bob",
  subject: "ada", resolved: null, ...more,
});
const said = (id: string, body: string | null, more: object = {}) => ({
  id, author: "ada", body, files: [], gif: null, created_at: 0, edited_at: null, deleted_at: null, ...more,
});
const detail = (more: object = {}, of: object = {}) => ({
  report: report("r1", of),
  account: { id: "a", username: "ada", is_suspended: false, suspended_until: null, erase_at: null },
  person: null, file: null, messages: [said("m1", "before"), said("m2", "zzshout"), said("m3", null)],
  audit: [{ by: "molly", action: "report_read", at: 0 }], ...more,
});

const at = (answers: object) => has({ "GET account": [200, MODERATOR], ...answers } as Parameters<typeof has>[0]);

afterEach(async () => {
  await close();
  signedOut();
});

describe("the queue", () => {
  it("is for moderators, and says so to others", async () => {
    for (const page of ["/account/moderation", "/account/moderation/r1", "/account/admin"]) {
      const asked = has({});
      await open(page);
      expect([heading(), asked.map(({ route }) => route)]).toEqual(["Not for you", ["GET account"]]);
      await close();
    }
    const asked = at({});
    await open("/account/admin");
    expect([heading(), asked.length], "a moderator is no admin").toEqual(["Not for you", 1]);
  });

  it("shows what waits, and what was decided", async () => {
    at({
      "GET moderation/reports?state=open": [200, {
        reports: [report("r1"), report("r2", { kind: "person" }), report("r3", { kind: "room", item: "cellar", subject: null })], next: null,
      }],
      "GET moderation/reports?state=resolved": [200, {
        reports: [report("r0", { subject: null, state: "resolved", resolved: { by: "mia", resolution: "warned", note: "", explanation: "x", at: 0 } })],
        next: null,
      }],
    });
    await open("/account/moderation");
    const names = () => [...document.querySelectorAll(".report-line a")].map((each) => each.textContent);
    expect(names()).toEqual(["A message of ada", "ada", "The room cellar"]);
    expect(document.querySelector(".report-line a")?.getAttribute("href")).toBe("/account/moderation/r1");
    await press("Decided");
    expect(names()).toEqual(["A message of somebody who is gone"]);
    expect(text()).toContain("Warned");
    await press("Waiting");
    expect(names()).toHaveLength(3);
  });

  it("says where there is nothing to do", async () => {
    at({ "GET moderation/reports?state=open": [200, { reports: [], next: null }] });
    await open("/account/moderation");
    expect(text()).toContain("Nothing waits for a decision.");
  });
});

describe("a report", () => {
  it("shows the message and what is around it, and who looked", async () => {
    at({ "GET moderation/reports/r1": [200, detail()] });
    await open("/account/moderation/r1");
    expect(heading()).toBe("A message of ada");
    expect(document.querySelector(".reported")?.textContent).toContain("zzshout");
    expect(document.querySelectorAll(".excerpt li")).toHaveLength(3);
    expect(text()).toContain("This message was deleted.");
    expect(text()).toContain("Looked at the report");
  });

  it("is decided on with a reason, and told how it was", async () => {
    const resolved = { by: "molly", resolution: "suspended", note: "again", explanation: "You shouted.", at: 0 };
    const asked = at({
      "GET moderation/reports/r1": [[200, detail()], [200, detail({}, { state: "resolved", resolved })]],
      "POST moderation/reports/r1/resolve": [204],
    });
    await open("/account/moderation/r1");
    await press("Decide");
    expect(wrongWith("What is done")).toBe("Choose what is to be done.");
    await choose("What is done", "suspended");
    await press("Decide");
    expect(wrongWith("For how long")).toBe("Choose for how long.");
    expect(wrongWith("Why, for whoever it is about")).toBe("Say why: whoever it is about reads it.");
    await choose("For how long", "7");
    await type("Why, for whoever it is about", "You shouted.");
    await type("Note for other moderators", "again");
    await press("Decide");
    expect(asked.at(-2)).toEqual({
      route: "POST moderation/reports/r1/resolve",
      body: { resolution: "suspended", days: 7, explanation: "You shouted.", note: "again" },
    });
    expect(done()).toContain("It is decided, and done.");
    expect(text()).not.toContain("What is done");
    expect(text()).toContain("You shouted.");
  });

  it("is dismissed without a word to whoever it is about, and suspended for good without days", async () => {
    const asked = at({ "GET moderation/reports/r1": [200, detail()], "POST moderation/reports/r1/resolve": [204] });
    await open("/account/moderation/r1");
    await choose("What is done", "nothing");
    await press("Decide");
    expect(asked.at(-2)?.body).toEqual({ resolution: "nothing", note: "" });
    await choose("What is done", "suspended");
    await choose("For how long", "always");
    await type("Why, for whoever it is about", "Enough.");
    await press("Decide");
    expect(asked.at(-2)?.body).toEqual({ resolution: "suspended", explanation: "Enough.", note: "" });
  });

  it("that somebody else decided on says so", async () => {
    at({
      "GET moderation/reports/r1": [200, detail()],
      "POST moderation/reports/r1/resolve": problem(409, "conflict", "somebody decided on this report already; look at it again"),
    });
    await open("/account/moderation/r1");
    await choose("What is done", "nothing");
    await press("Decide");
    expect(text()).toContain("Somebody decided on this report already");
  });

  it("offers what can be done about its kind, and about nobody only to dismiss it", async () => {
    const options = () => [...document.querySelectorAll("option")].map((each) => each.value).filter((each) => each !== "");
    at({ "GET moderation/reports/r1": [200, detail({ messages: [], account: null }, { kind: "room", item: "cellar" })] });
    await open("/account/moderation/r1");
    expect(options()).toEqual(["nothing"]);
    await close();
    at({ "GET moderation/reports/r1": [200, detail({ messages: [] }, { kind: "room", item: "cellar" })] });
    await open("/account/moderation/r1");
    expect(options()).toEqual(["nothing", "warned", "suspended", "underage"]);
  });

  it("opens a file only when it is asked to", async () => {
    const file = { id: "f", name: "stolen.wav", media_type: "audio/wav", size: 2000, created_at: 0 };
    at({ "GET moderation/reports/r1": [200, detail({ messages: [], file }, { kind: "file", item: "f" })] });
    await open("/account/moderation/r1");
    expect(document.querySelector("audio")).toBeNull();
    await press("Listen to it: stolen.wav");
    expect(document.querySelector("audio")?.getAttribute("src")).toBe("/api/v1/social/moderation/reports/r1/file");
  });

  it("shows what its messages carry, opened on demand, and removes it for a reason", async () => {
    const file = (id: string, name: string, media_type: string) => ({
      id, account: "a", name, media_type, size: 2000, analysis: "none", created_at: 0,
    });
    const carried = [
      said("m1", "", { files: [{ file: file("f1", "take.wav", "audio/wav") }, { file: null }] }),
      said("m2", "zzshout", { files: [{ file: file("f2", "me.png", "image/png") }] }),
    ];
    const asked = at({
      "GET moderation/reports/r1": [[200, detail({ messages: carried })], [200, detail({ messages: [said("m2", "zzshout", { files: [{ file: null }] })] })]],
      "POST moderation/reports/r1/files/f2/remove": [204],
    });
    await open("/account/moderation/r1");
    const media = () => [...document.querySelectorAll("audio, img.picture")].map((each) => each.getAttribute("src"));
    expect(media(), "a look is written down").toEqual([]);
    expect(text()).toContain("A file that was deleted.");
    await press("Listen to it: take.wav");
    await press("Look at it: me.png");
    expect(media()).toEqual(["f1", "f2"].map((id) => `/api/v1/social/moderation/reports/r1/files/${id}`));
    // One at a time: the fields are called the same.
    await press("Remove take.wav");
    await press("Remove me.png");
    expect(document.querySelectorAll(".message-files textarea")).toHaveLength(1);
    await press("Remove the file");
    expect(wrongWith("Why the file is removed")).toBe("Say why: whoever it is of reads it.");
    await type("Why the file is removed", "Not here.");
    await press("Remove the file");
    expect(asked.at(-2)).toEqual({ route: "POST moderation/reports/r1/files/f2/remove", body: { explanation: "Not here." } });
    expect(done()).toContain("The file is removed, and whoever it was of is told why.");
    expect(media()).toEqual([]);
  });

  it("shows a GIF as the chat does: only once whoever looks agreed to that", async () => {
    const gifs = (agreed_at: number | null) => ({
      available: true, agreed_at, giphy: agreed_at === null ? null : { key: "k", rating: "g", api: "https://api.giphy.example" },
    });
    const asked = at({
      "GET moderation/reports/r1": [200, detail({ messages: [said("m2", "", { gif: { provider: "giphy", id: "c3" } })] })],
      "GET account/gifs": [200, gifs(null)],
    });
    await open("/account/moderation/r1");
    expect(document.querySelector(".reported .gif-placeholder")?.textContent).toContain("A GIF from GIPHY.");
    await vi.waitFor(() => press("Show it"));
    expect(text()).toContain("GIPHY then sees your network address");
    expect(document.querySelector("img")).toBeNull();
    expect(asked.map(({ route }) => route)).not.toContain("PUT account/gifs");
  });

  it("gives a frozen account back", async () => {
    const frozen = { id: "a", username: "ada", is_suspended: true, suspended_until: null, erase_at: 1_900_000_000_000 };
    const asked = at({
      "GET moderation/reports/r1": [[200, detail({ account: frozen })], [200, detail()]],
      "DELETE moderation/accounts/a/suspension": [204],
    });
    await open("/account/moderation/r1");
    expect(text()).toContain("frozen, and erased");
    await press("Let them sign in again");
    await press("Let them");
    expect(asked.at(-2)?.route).toBe("DELETE moderation/accounts/a/suspension");
    expect(done()).toContain("ada can sign in again.");
    expect(text()).not.toContain("Let them sign in again");
  });

  it("that is none says so", async () => {
    at({ "GET moderation/reports/r9": problem(404, "not_found", "there is no such report, or it is not yours") });
    await open("/account/moderation/r9");
    expect(text()).toContain("There is no such report");
    expect(listed("Notices")).toEqual([]);
  });

  it("of a person shows all of the profile and nothing of messages", async () => {
    const person = { id: "a", username: "ada", bio: "I play.", status: "", instruments: ["cello"], photo: "h", is_suspended: false };
    const asked = at({ "GET moderation/reports/r1": [200, detail({ person, messages: [] }, { kind: "person", item: "" })] });
    await open("/account/moderation/r1");
    expect(heading()).toBe("ada");
    expect([...document.querySelectorAll("dd")].map((each) => each.textContent)).toContain("I play.");
    expect(document.querySelector("img")?.getAttribute("src")).toBe("/api/v1/social/moderation/reports/r1/photo?size=512&of=h");
    expect(latest(asked)?.route).toBe("GET moderation/reports/r1");
  });
});
