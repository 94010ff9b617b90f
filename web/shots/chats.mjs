// Chats with all that a message can carry, the search through them, and a report as moderators see it.

import { json, signedIn } from "./account.mjs";

const DAY_MS = 24 * 3_600_000;
const NOW = Date.UTC(2026, 5, 12, 18, 4);
const id = (n) => `0199f0c0-0000-7000-8000-0000000000${n}`;
const [ME, BO, CHIARA, QUARTET, DUO] = [id("01"), id("0b"), id("0c"), id("c1"), id("c2")];
const ACCOUNT = { id: ME, region: "eu", email: "ada.lovelace@example.org", username: "ada", role: "moderator", language: "en", created_at: NOW };
const NAMES = { [ME]: "ada", [BO]: "bo.lindqvist", [CHIARA]: "chiara_plays_the_viola_da_gamba" };
const person = (account) => ({ account, username: NAMES[account] });

const member = (account, more = {}) => ({ ...person(account), joined_at: NOW, read_seq: 0, role: "member", ...more });
const chat = (more) => ({
  id: QUARTET, kind: "group", title: "Tuesday quartet", room: null, active_at: NOW, created_at: NOW, last_seq: 9, rev: 9,
  members: [member(ME, { role: "owner" }), member(BO, { read_seq: 9 }), member(CHIARA)], muted: false, read_seq: 9, role: "owner",
  unread: 0, last_message: null, ...more,
});
const file = (n, name, media_type, more = {}) => ({
  id: id(`f${n}`), account: BO, name, media_type, size: 21_400_000, analysis: media_type.startsWith("audio/") ? "done" : "none", created_at: NOW, ...more,
});
const TAKE = file(1, "Blue in Green, third take, with the long coda that nobody wanted to end.flac", "audio/flac", { duration_ms: 187_000 });
const SCORE = file(2, "bars-17-to-32.png", "image/png", { size: 412_000, width_px: 1600, height_px: 900 });
const said = (seq, account, body, more = {}) => ({
  id: `m${seq}`, chat: QUARTET, seq, rev: seq, body, author: person(account), client_id: `c${seq}`, created_at: NOW + seq * 90_000,
  mentioned: false, mentions: [], reactions: [], files: [], gif: null, reply_to: null, edited_at: null, deleted_at: null, ...more,
});
const GIF = { provider: "giphy", id: "a1" };
const MESSAGES = [
  said(1, BO, "Evening! From the top of the bridge?"),
  said(2, ME, "@chiara_plays_the_viola_da_gamba bring the low strings, please.", { mentions: [person(CHIARA)] }),
  said(3, CHIARA, "@ada they are on since yesterday.", { mentions: [person(ME)], mentioned: true, reply_to: "m2" }),
  said(4, BO, "This is the one. Listen to 2:40.", { files: [{ file: TAKE }, { file: SCORE }, { file: null }], reactions: [{ emoji: "🎻", accounts: [ME, CHIARA] }] }),
  said(5, BO, "", { gif: GIF }),
];

const SVG = (width, height, color) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="${color}"/>` +
  `<circle cx="50%" cy="50%" r="30%" fill="#fff8"/></svg>`;
const picture = (width, height, color) => ({ status: 200, contentType: "image/svg+xml", body: SVG(width, height, color) });

/** A recording of so many seconds of silence. */
function silence(seconds) {
  const bytes = Buffer.alloc(44 + seconds * 8000, 128);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(36 + seconds * 8000, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  [1, 1].forEach((half, i) => bytes.writeUInt16LE(half, 20 + 2 * i));
  [8000, 8000].forEach((word, i) => bytes.writeUInt32LE(word, 24 + 4 * i));
  [1, 8].forEach((half, i) => bytes.writeUInt16LE(half, 32 + 2 * i));
  bytes.write("data", 36);
  bytes.writeUInt32LE(seconds * 8000, 40);
  return bytes;
}
const sound = { status: 200, contentType: "audio/wav", body: silence(187) };
const wave = (sign) => Array.from({ length: 600 }, (_, i) => Math.round(sign * 110 * Math.abs(Math.sin(i / 45)) * (0.55 + 0.45 * Math.sin(i * 1.7))));
const peaks = { duration_ms: 187_000, min: wave(-1), max: wave(1) };

// A path without an origin: the pages of these pictures may ask nobody else.
const gifs = (agreed) => ({ available: true, agreed_at: agreed ? NOW : null, giphy: agreed ? { key: "k", rating: "g", api: "" } : null });
const found = ["a1", "b2", "c3", "d4", "e5", "f6", "g7"];
const COLORS = ["#b4637a", "#286983", "#ea9d34", "#56949f", "#907aa9", "#d7827e", "#797593"];

const CHATS = {
  "GET account": json(200, ACCOUNT),
  "GET chats": json(200, { chats: [chat({}), chat({ id: DUO, kind: "direct", title: null, unread: 3, members: [member(ME), member(BO)] })], next: null }),
  [`GET chats/${QUARTET}`]: json(200, chat({})),
  [`GET chats/${QUARTET}/messages`]: json(200, { messages: MESSAGES, more: false }),
  [`PUT chats/${QUARTET}/read`]: { status: 204 },
  "GET account/gifs": json(200, gifs(false)),
  [`GET files/${TAKE.id}/content`]: sound,
  [`GET files/${TAKE.id}/peaks`]: json(200, peaks),
  [`GET files/${TAKE.id}/comments`]: json(200, [
    { id: "n1", author: person(CHIARA), at_ms: 160_000, text: "Here the second violin is early; leave it, it breathes.", created_at: NOW },
  ]),
  [`GET files/${SCORE.id}/thumbnail`]: picture(160, 90, "#286983"),
  "GET files": json(200, { files: [TAKE, SCORE], used: 21_812_000, quota: 1e9 }),
  "GET search/messages": json(200, {
    messages: [
      MESSAGES[3],
      said(8, CHIARA, "", { chat: DUO, created_at: NOW - 3 * DAY_MS, files: [{ file: file(3, "warm-up.wav", "audio/wav", { duration_ms: 61_000 }) }] }),
    ],
  }),
};
const AGREED = { ...CHATS, "GET account/gifs": json(200, gifs(true)) };

/** Plays the live connection, and GIPHY. */
async function around(page) {
  await page.routeWebSocket(/\/api\/v1\/social\/live$/, (socket) => {
    socket.send(JSON.stringify({ type: "ready" }));
    socket.onMessage((text) => {
      if (JSON.parse(text).type === "resume") socket.send(JSON.stringify({ type: "resumed" }));
    });
  });
  await page.route(/\/(v1\/gifs|media)\//, (route) => {
    const { origin, pathname } = new URL(route.request().url());
    const which = pathname.split("/").at(-1);
    const gif = (name) => ({
      id: name, title: `A cat on instrument ${name}`, images: { fixed_width: { url: `${origin}/media/${name}`, width: "200", height: String(110 + 12 * found.indexOf(name)) } },
    });
    if (pathname.startsWith("/media/")) return route.fulfill(picture(200, 110 + 12 * found.indexOf(which), COLORS[found.indexOf(which)]));
    const data = found.includes(which) ? gif(which) : found.map(gif);
    return route.fulfill(json(200, { data, meta: { status: 200, msg: "OK", response_id: "r" } }));
  });
}

const path = `/account/chats/${QUARTET}`;
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const shot = (name, act, answers = CHATS) => ({ name, path, script: signedIn, answers, around, act });

const report = {
  id: "r1", kind: "message", item: "m4", reason: "copyright", text: "That is my recording, and not even mixed.", created_at: NOW,
  state: "open", reporter: "chiara_plays_the_viola_da_gamba", subject: "bo.lindqvist", resolved: null,
};
const excerpt = ({ id, author, body, files, gif, created_at, edited_at, deleted_at }) => ({
  id, author: author.username, body, files, gif, created_at, edited_at, deleted_at,
});
const REPORTED = {
  ...AGREED,
  "GET moderation/reports/r1": json(200, {
    report, person: null, file: null, messages: MESSAGES.map(excerpt),
    account: { id: BO, username: "bo.lindqvist", is_suspended: false, suspended_until: null, erase_at: null },
    audit: [{ by: "ada", action: "report_file_read", at: NOW }, { by: "ada", action: "report_read", at: NOW }],
  }),
  [`GET moderation/reports/r1/files/${TAKE.id}`]: sound,
  [`GET moderation/reports/r1/files/${SCORE.id}`]: picture(1600, 900, "#286983"),
};

const lengths = [12, 9, 21, 34, 18, 4].map((count, i) => ({ from_minutes: [0, 5, 15, 30, 60, 120][i], count }));
const USED = {
  "GET account": json(200, { ...ACCOUNT, role: "admin" }),
  "GET admin/accounts": json(200, { accounts: [] }),
  "GET admin/crashes": json(200, []),
  "GET admin/usage": json(200, [0, 1, 2, 4, 5].map((back) => ({
    day: Math.floor(Date.now() / DAY_MS - back) * DAY_MS, people: 9 - back, lengths,
    counts: [{ kind: "session", word: "browser", count: 98, minutes: 3920 }, { kind: "feature", word: "click", count: 31 - back, minutes: 0 }, { kind: "feature", word: "file", count: 4, minutes: 0 }],
  }))),
};

export const CHAT_SHOTS = [
  shot("chats-carried", (page) => page.getByText("A file that was deleted.").waitFor()),
  shot("chats-player", async (page) => {
    await press(page, `Listen to ${TAKE.name}`);
    await page.getByText("Click to move").waitFor();
    await page.locator(".message-player").scrollIntoViewIfNeeded();
    await page.waitForTimeout(400);
  }),
  shot("chats-attach", async (page) => {
    await press(page, "Attach");
    await press(page, "Choose among your files");
    await press(page, `Attach ${TAKE.name}`);
    await page.getByText("Attached, FLAC").waitFor();
  }),
  shot("chats-gif-consent", async (page) => {
    await press(page, "GIF");
    await page.getByText("GIPHY then sees").waitFor();
  }),
  shot("chats-gif-found", async (page) => {
    await press(page, "GIF");
    await page.getByText("7 GIFs.").waitFor();
    await page.waitForTimeout(400);
  }, AGREED),
  shot("chats-gif-shown", async (page) => {
    await page.locator(".gif figcaption").waitFor();
    await page.locator(".gif figcaption").scrollIntoViewIfNeeded();
    await page.waitForTimeout(400);
  }, AGREED),
  shot("chats-mention", async (page) => {
    await page.getByLabel("Message", { exact: true }).fill("Shall we, @");
    await page.getByRole("button", { name: "@bo.lindqvist" }).waitFor();
  }),
  {
    ...shot("chats-recordings", async (page) => {
      await page.getByLabel("Recordings only").check();
      await press(page, "Search");
      await page.getByText("2 messages match.").waitFor();
    }),
    path: "/account/chats",
  },
  {
    ...shot("moderation-carried", async (page) => {
      await page.locator(".gif figcaption").waitFor();
      await press(page, `Listen to it: ${TAKE.name}`);
      await press(page, `Look at it: ${SCORE.name}`);
      await press(page, `Remove ${SCORE.name}`);
      await page.getByLabel("Why the file is removed").fill("It is a page of a score that is sold.");
      await page.waitForTimeout(400);
    }, REPORTED),
    path: "/account/moderation/r1", whole: true,
  },
  {
    ...shot("moderation-report", (page) => page.getByText("A GIF from GIPHY.").waitFor(), { ...REPORTED, "GET account/gifs": json(200, gifs(false)) }),
    path: "/account/moderation/r1", whole: true,
  },
  { ...shot("admin-usage", (page) => page.getByText("How long sessions took").waitFor(), USED), path: "/account/admin", whole: true },
];
