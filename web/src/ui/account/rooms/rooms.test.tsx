// @vitest-environment happy-dom

import { afterEach, describe, expect, it } from "vitest";

import { signedIn, signedOut } from "../../../account/who";
import { choose, done, has, latest, listed } from "../people/test_people";
import { close, field, heading, open, press, problem, text, type, wrongWith } from "../test_pages";

const room = (more: object = {}) => ({
  name: "duo", title: "Tuesday duo", visibility: "private", has_password: true, role: "owner", moderators: [],
  chat: "the-chat", created_at: 0, ...more,
});
const QUIET = {
  "GET rooms/duo/invites": [200, { invites: [] }],
  "GET rooms/duo/bans": [200, { bans: [] }],
} satisfies Parameters<typeof has>[0];
type Answers = Parameters<typeof has>[0];
const owns = (answers: Answers = {}, more: object = {}) => has({ "GET rooms/duo": [200, room(more)], ...QUIET, ...answers });
const titles = () => [...document.querySelectorAll("h2")].map((each) => each.textContent);

afterEach(async () => {
  await close();
  signedOut();
});

describe("one's rooms", () => {
  it("are for whoever is signed in; others are led to signing in, and back", async () => {
    signedIn("ada");
    has({ "GET account": problem(401, "not_signed_in", "sign in first") });
    await open("/account/rooms/duo");
    expect([location.pathname, location.search]).toEqual(["/account/sign-in", "?next=/account/rooms/duo"]);
  });

  it("are listed with what one is there", async () => {
    has({ "GET rooms": [200, { rooms: [room(), room({ name: "big-band", title: "", visibility: "public", role: "moderator" })] }] });
    await open("/account/rooms");
    const rows = [...document.querySelectorAll(".people li")].map((each) => each.textContent);
    expect(rows[0]).toMatch(/^Tuesday duoduo · Private/);
    expect(rows[1]).toMatch(/^big-bandbig-band · Public · you are a moderator/);
  });

  it("say when there are none", async () => {
    has({ "GET rooms": [200, { rooms: [] }] });
    await open("/account/rooms");
    expect(text()).toContain("You have none here yet.");
  });
});

describe("making a room", () => {
  const begin = async (answers: Answers) => {
    const asked = owns({ "GET rooms": [200, { rooms: [] }], ...answers });
    await open("/account/rooms");
    return asked;
  };

  it("takes a name as it stands in a link, and leads to the room", async () => {
    const asked = await begin({ "POST rooms": [201, room()] });
    await type("Name in the link", " Duo ");
    await type("Title", "Tuesday duo");
    expect(text()).not.toContain("Password of the room");
    await choose("Who may come in", "private");
    await type("Password of the room", "tune up");
    await press("Make the room");
    const made = asked.find(({ route }) => route === "POST rooms");
    expect(made?.body).toEqual({ name: "duo", title: "Tuesday duo", visibility: "private", password: "tune up" });
    expect([location.pathname, heading()]).toEqual(["/account/rooms/duo", "Tuesday duo"]);
  });

  it("sends no password for a room that is open", async () => {
    const asked = await begin({ "POST rooms": [201, room()] });
    await type("Name in the link", "duo");
    await choose("Who may come in", "private");
    await type("Password of the room", "tune up");
    await choose("Who may come in", "unlisted");
    await press("Make the room");
    expect(asked.find(({ route }) => route === "POST rooms")?.body).toEqual({ name: "duo", title: "", visibility: "unlisted" });
  });

  it("says below the name what is wrong with it", async () => {
    const asked = await begin({ "POST rooms": problem(409, "room_taken", "somebody has this room; take another name") });
    await type("Name in the link", "dü");
    await press("Make the room");
    expect(wrongWith("Name in the link")).toContain("“ü”");
    expect(asked.some(({ route }) => route === "POST rooms")).toBe(false);
    await type("Name in the link", "duo");
    await press("Make the room");
    expect(wrongWith("Name in the link")).toBe("Somebody has this room; take another name.");
  });
});

describe("the page of a room", () => {
  it("shows its owner everything, a moderator what is theirs, and a guest the way there", async () => {
    owns();
    await open("/account/rooms/duo");
    expect(titles()).toEqual([
      "Its link", "Title and who may come in", "Password of the room", "Invites", "Moderators", "Bans", "Delete this room",
    ]);
    await close();
    owns({}, { role: "moderator" });
    await open("/account/rooms/duo");
    expect(titles()).toEqual(["Its link", "Invites", "Moderators", "Bans"]);
    await close();
    owns({}, { role: "guest", chat: null });
    await open("/account/rooms/duo");
    expect(titles()).toEqual(["Its link"]);
    expect(text()).not.toContain("Its chat");
  });

  it("says what the server says where there is no such room", async () => {
    has({ "GET rooms/duo": problem(404, "not_found", "nobody owns a room of this name") });
    await open("/account/rooms/duo");
    expect(text()).toContain("Nobody owns a room of this name.");
  });

  it("changes title and visibility; an open room has no password", async () => {
    const asked = owns({ "PATCH rooms/duo": [200, room({ title: "Wednesday", visibility: "public" })] });
    await open("/account/rooms/duo");
    await type("Title", "Wednesday");
    await choose("Who may come in", "public");
    await press("Change the room");
    expect(latest(asked)).toEqual({ route: "PATCH rooms/duo", body: { title: "Wednesday", visibility: "public" } });
    expect(heading()).toBe("Wednesday");
    expect(titles()).not.toContain("Password of the room");
  });

  it("sets another password, and takes it away", async () => {
    const asked = owns({ "PATCH rooms/duo": [[200, room()], [200, room({ has_password: false })]] });
    await open("/account/rooms/duo");
    await press("Change the password");
    expect(wrongWith("New password of the room")).toContain("Enter the password");
    await type("New password of the room", "tune up");
    await press("Change the password");
    expect(latest(asked)?.body).toEqual({ password: "tune up" });
    expect(field("New password of the room").value).toBe("");
    await press("Take it away");
    expect(latest(asked)?.body).toEqual({ password: null });
    expect(text()).toContain("There is none: people need an invite.");
  });

  it("makes an invite whose link is shown once, and takes it back", async () => {
    const invite = { id: "i1", made_by: "ada", created_at: 0, expires_at: 86_400_000 };
    const asked = owns({
      "GET rooms/duo/invites": [[200, { invites: [] }], [200, { invites: [invite] }]],
      "POST rooms/duo/invites": [201, { id: "i1", token: "secret", expires_at: 86_400_000 }],
      "DELETE rooms/duo/invites/i1": [204],
    });
    await open("/account/rooms/duo");
    await choose("It counts for", "30");
    await press("Make an invite");
    expect(asked.find(({ route }) => route === "POST rooms/duo/invites")?.body).toEqual({ days: 30 });
    expect(document.querySelector(".new-invite code")?.textContent).toBe(`${location.origin}/r/duo#invite=secret`);
    expect(listed("Invites that count")[0]).toContain("by ada");
    await press(`Take back the invite until ${new Date(86_400_000).toLocaleDateString(undefined, { dateStyle: "medium" })}`);
    expect(latest(asked)?.route).toBe("DELETE rooms/duo/invites/i1");
    expect(document.querySelector(".new-invite")).toBeNull();
    expect(listed("Invites that count")).toEqual([]);
  });

  it("makes a moderator and takes it back", async () => {
    const asked = owns({
      "GET rooms/duo": [[200, room()], [200, room({ moderators: [{ account: "b", username: "bob" }] })], [200, room()]],
      "POST rooms/duo/moderators": [204],
      "DELETE rooms/duo/moderators/b": [204],
    });
    await open("/account/rooms/duo");
    await type("Username of a new moderator", "bob");
    await press("Make them a moderator");
    expect(asked.find(({ route }) => route === "POST rooms/duo/moderators")?.body).toEqual({ username: "bob" });
    expect(listed("Moderators")).toEqual(["bob"]);
    expect(done()).toContain("bob is a moderator.");
    await press("Remove bob from the moderators");
    expect(listed("Moderators")).toEqual([]);
  });

  it("says below the name that nobody has it", async () => {
    owns({ "POST rooms/duo/moderators": problem(404, "not_found", "there is nobody of this name") });
    await open("/account/rooms/duo");
    await type("Username of a new moderator", "bobby");
    await press("Make them a moderator");
    expect(wrongWith("Username of a new moderator")).toBe("There is nobody of this name.");
  });

  it("bans somebody, and lets them in again", async () => {
    const ban = { account: "b", username: "bob", banned_at: 0 };
    const asked = owns({
      "GET rooms/duo/bans": [[200, { bans: [] }], [200, { bans: [ban] }]],
      "POST rooms/duo/bans": [204],
      "DELETE rooms/duo/bans/b": [204],
    });
    await open("/account/rooms/duo");
    await type("Username of whom to ban", "bob");
    await press("Ban them");
    expect(asked.find(({ route }) => route === "POST rooms/duo/bans")?.body).toEqual({ username: "bob" });
    expect(listed("Banned people")).toEqual(["bob"]);
    await press("Let in again: bob");
    expect(listed("Banned people")).toEqual([]);
  });

  it("asks before it deletes the room", async () => {
    const asked = owns({ "DELETE rooms/duo": [204], "GET rooms": [200, { rooms: [] }] });
    await open("/account/rooms/duo");
    await press("Delete duo");
    expect(document.activeElement?.textContent).toBe("Keep it");
    expect(asked.some(({ route }) => route === "DELETE rooms/duo")).toBe(false);
    await press("Delete the room");
    expect(asked.some(({ route }) => route === "DELETE rooms/duo")).toBe(true);
    expect(location.pathname).toBe("/account/rooms");
  });
});
