// Rooms that somebody owns: their pages, the way in, and what their owner may do in the jam.

import { json, problem, refusal, signedIn } from "./account.mjs";
import { BAND, CHAT, Double } from "./double.mjs";

const DAY_MS = 24 * 3_600_000;
const NOW = Date.UTC(2026, 5, 12, 18, 4);
const room = (more) => ({
  name: "tuesday-quartet", title: "Tuesday quartet", visibility: "private", has_password: true, role: "owner",
  moderators: [], chat: "0199f0c0-0000-7000-8000-0000000000c1", created_at: NOW, ...more,
});
const ROOMS = [
  room({}),
  room({ name: "open-session", title: "", visibility: "public" }),
  room({ name: "a-name-that-is-as-long-as-the-protocol-lets-it-be-and-no-character", title: "The long one", visibility: "unlisted", role: "moderator" }),
];
const BOOKED = {
  "GET rooms": json(200, { rooms: ROOMS }),
  "GET rooms/tuesday-quartet": json(200, room({ moderators: [{ account: "b", username: "bo.lindqvist" }] })),
  "GET rooms/tuesday-quartet/invites": json(200, {
    invites: [{ id: "i", made_by: "bo.lindqvist", created_at: NOW, expires_at: NOW + 7 * DAY_MS }],
  }),
  "POST rooms/tuesday-quartet/invites": json(201, { id: "j", token: "kE3mX9-vQ2_pL7sR4tZ8wB1nC6dF5gH0jY", expires_at: NOW + 7 * DAY_MS }),
  "GET rooms/tuesday-quartet/bans": json(200, { bans: [{ account: "e", username: "eavesdropper", banned_at: NOW }] }),
};
const PUBLIC = {
  "GET public-rooms": json(200, {
    rooms: [
      { name: "open-session", title: "Open session, every evening from eight until the neighbors knock", playing: 3 },
      { name: "blues-in-b", title: "Blues in B", playing: 0 },
    ],
    next: "blues-in-b",
  }),
};
const roles = (...list) => BAND.slice(0, list.length).map((other, n) => ({ ...other, role: list[n], account: `account-${n}` }));
const enter = async (page) => {
  await page.getByLabel("Your name").fill("Ana");
  await page.getByRole("button", { name: "Join", exact: true }).click();
};
const openMenu = (page, name) => page.getByRole("button", { name: `What you can do about ${name}` }).click();

export const ROOM_SHOTS = [
  { name: "home-public-rooms", path: "/", whole: true, answers: PUBLIC, act: (page) => page.getByText("Blues in B").waitFor() },
  { name: "rooms-list", path: "/account/rooms", script: signedIn, whole: true, answers: BOOKED, act: (page) => page.getByText("The long one").waitFor() },
  {
    name: "rooms-make", path: "/account/rooms", script: signedIn, whole: true, expected: refusal,
    answers: { "GET rooms": json(200, { rooms: [] }), "POST rooms": problem(409, "room_taken", "somebody has this room; take another name") },
    async act(page) {
      await page.getByLabel("Name in the link").fill("blue-note");
      await page.getByLabel("Who may come in").selectOption("private");
      await page.getByRole("textbox", { name: "Password of the room" }).fill("between the bars");
      await page.getByRole("button", { name: "Make the room" }).click();
      await page.getByText("Somebody has this room").waitFor();
    },
  },
  {
    name: "rooms-room", path: "/account/rooms/tuesday-quartet", script: signedIn, whole: true, answers: BOOKED,
    async act(page) {
      await page.getByText("eavesdropper").waitFor();
      await page.getByText("Until Jun").waitFor();
      await page.getByRole("button", { name: "Make an invite" }).click();
      await page.getByText("It is shown only now").waitFor();
      await page.getByRole("button", { name: "Delete tuesday-quartet" }).click();
    },
  },
  {
    name: "rooms-gone", path: "/account/rooms/nobodys", script: signedIn, expected: refusal,
    answers: { "GET rooms/nobodys": problem(404, "not_found", "nobody owns a room of this name") },
    act: (page) => page.getByRole("alert").waitFor(),
  },
  {
    name: "join-private", path: "/r/tuesday-quartet",
    double: () => new Double({ refuse: { code: "pass_wanted", text: "this room is private" } }),
    async act(page) {
      await enter(page);
      await page.getByLabel("The room's password").waitFor();
    },
  },
  {
    name: "join-wrong-password", path: "/r/tuesday-quartet", expected: refusal,
    answers: { "POST rooms/tuesday-quartet/pass": problem(403, "wrong_password", "this is not the room's password") },
    double: () => new Double({ refuse: { code: "pass_wanted", text: "this room is private" } }),
    async act(page) {
      await enter(page);
      await page.getByLabel("The room's password").fill("stairway");
      await page.getByRole("button", { name: "Join", exact: true }).click();
      await page.getByText("That is not the room's password.").waitFor();
    },
  },
  {
    name: "join-banned", path: "/r/tuesday-quartet", script: signedIn, expected: refusal,
    answers: { "POST rooms/tuesday-quartet/pass": problem(403, "banned", "this account is banned from the room") },
    async act(page) {
      await enter(page);
      await page.getByText("You are banned from this room.").waitFor();
    },
  },
  {
    name: "room-owner", path: "/r/tuesday-quartet", script: signedIn,
    answers: { "POST rooms/tuesday-quartet/pass": json(200, { pass: "p", role: "owner", seconds: 60 }) },
    double: () => new Double({ me: { role: "owner" }, others: roles("moderator", "guest", "guest"), chat: CHAT }),
    async act(page, double) {
      await enter(page);
      await page.locator(".state.good").waitFor();
      double.send({ type: "participant", participant: { ...roles("moderator", "guest")[1], silenced: true } });
      await openMenu(page, "Chiara");
      await openMenu(page, "Bo Lindqvist");
      await page.getByRole("button", { name: "Ban Bo Lindqvist" }).click();
      await page.locator("[data-participant='2']").scrollIntoViewIfNeeded();
      await page.waitForTimeout(600);
    },
  },
  {
    name: "room-owner-alone", path: "/r/tuesday-quartet", script: signedIn,
    answers: { "POST rooms/tuesday-quartet/pass": json(200, { pass: "p", role: "owner", seconds: 60 }) },
    double: () => new Double({ me: { role: "owner" } }),
    async act(page) {
      await enter(page);
      await page.getByText("If the room is private").waitFor();
    },
  },
  {
    name: "room-silenced", path: "/r/tuesday-quartet",
    double: () => new Double({ me: { role: "guest", silenced: true }, others: roles("owner", "guest"), chat: CHAT }),
    async act(page) {
      await enter(page);
      await page.getByText("You are silenced.").waitFor();
    },
  },
  {
    name: "removed", path: "/r/tuesday-quartet", double: () => new Double({ me: { role: "guest" }, others: roles("owner") }),
    async act(page, double) {
      await enter(page);
      await page.locator(".state.good").waitFor();
      double.send({ type: "bye", reason: "removed", text: "Bo Lindqvist took you out of the room" });
      await page.getByText("You were taken out of the room.").waitFor();
    },
  },
];
