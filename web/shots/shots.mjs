// Takes a picture of every page in every state, for a phone and a desk, light and dark, and lets
// axe look for what a screen reader or a keyboard would stumble over. Any violation fails.
//
//   npm run shots [-- FOLDER]
//
// The pages are the real ones; signalling is played by double.mjs, the sound by
// silent_audio.ts. `tests/` has the runs against a real server.

import { createReadStream } from "node:fs";
import { mkdir, readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";

import { chromium } from "playwright-core";

import { ACCOUNT_SHOTS, answerAccounts } from "./account.mjs";
import { CHAT_SHOTS } from "./chats.mjs";
import { ROOM_SHOTS } from "./rooms.mjs";
import { BAND, CHAT, Double, quarters, statusOf, stem, takeOf } from "./double.mjs";

const FOLDER = process.argv[2] ?? "/tmp/shots";
const APP = join(import.meta.dirname, "../node_modules/.shots");
const AXE = await readFile(
  join(import.meta.dirname, "../node_modules/axe-core/axe.min.js"),
  "utf8",
);

const HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Content-Security-Policy":
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data:; " +
    "media-src 'self' blob: mediastream:; worker-src 'self'; object-src 'none'; base-uri 'none'; " +
    "frame-ancestors 'none'",
};
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm" };

async function serve() {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    let file = join(APP, path);
    const found = await stat(file).catch(() => null);
    if (found === null || !found.isFile()) file = join(APP, "index.html");
    response.writeHead(200, { ...HEADERS, "Content-Type": TYPES[extname(file)] ?? "text/plain" });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

const openPanel = (page, name) => page.getByRole("button", { name: new RegExp(`^${name}`) }).and(page.locator(".together-switch")).click();

const joinRoom = async (page) => {
  await page.getByLabel("Your name").fill("Ana");
  await page.getByRole("button", { name: "Join", exact: true }).click();
  await page.locator(".state.good").waitFor();
};

/** Presses Tab until that control has the focus. */
async function tabTo(page, name) {
  for (let presses = 0; presses < 30; presses += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      const label = element?.getAttribute("aria-label") ?? element?.labels?.[0]?.textContent;
      return (label ?? element?.textContent ?? "").trim();
    });
    if (focused === name) return;
  }
  throw new Error(`Tab never reaches “${name}”`);
}

/** Who is seen from outside. */
const SEEN = [
  { name: "Bo Lindqvist", engine: "native", presence: "online", around_us: 26_000 },
  { name: "Chiara, guitar", engine: "browser", presence: "online" },
];

/** Every picture: where, with which signalling, and what is done before it is taken. */
const SHOTS = [
  { name: "home", path: "/" },
  {
    name: "home-refused", path: "/",
    async act(page) {
      await page.getByLabel("Have a link").fill("no spaces? or/slashes");
      await page.getByRole("button", { name: "Go to the room" }).click();
    },
  },
  { name: "nowhere", path: "/nowhere" },
  { name: "join", path: "/r/blue-note" },
  {
    name: "join-checked", path: "/r/blue-note", permissions: ["microphone"],
    async act(page) {
      await page.getByLabel("Your name").fill("Ana");
      await page.getByText("Too loud").waitFor();
    },
  },
  {
    name: "join-soundcheck", path: "/r/blue-note", permissions: ["microphone"],
    double: () => new Double({ others: BAND.slice(0, 1), seen: SEEN }),
    async act(page) {
      await page.getByText("Too loud").waitFor();
      await page.getByRole("button", { name: "Start the sound check" }).click();
      await page.getByText("You and Bo Lindqvist").waitFor();
      await page.locator(".soundcheck").scrollIntoViewIfNeeded();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (0 < wide) throw new Error(`the sound check makes the page ${wide} pixels too wide`);
    },
  },
  {
    name: "join-nameless", path: "/r/blue-note?engine=standard",
    act: (page) => page.getByRole("button", { name: "Join", exact: true }).click(),
  },
  {
    name: "join-denied", path: "/r/blue-note", deny: true,
    act: async (page) => {
      await page.getByRole("button", { name: "Check my" }).click();
      await page.getByRole("alert").filter({ hasText: "may not use" }).waitFor();
    },
  },
  {
    name: "join-full", path: "/r/blue-note",
    double: () => new Double({ refuse: { code: "room_full", text: "32 of 32" } }),
    async act(page) {
      await page.getByLabel("Your name").fill("Ana");
      await page.getByRole("button", { name: "Join", exact: true }).click();
      await page.getByText("The room is full.").waitFor();
    },
  },
  { name: "room-alone", path: "/r/blue-note", double: () => new Double({}), act: joinRoom },
  {
    name: "room-band", path: "/r/blue-note",
    double: () => new Double({ others: BAND, chat: CHAT }),
    async act(page, double) {
      await joinRoom(page);
      double.send({ type: "participant", participant: { ...BAND[3], presence: "online" } });
      double.send({ type: "participant", participant: BAND[3] });
      await page.getByLabel("Gain of Bo Lindqvist").fill("-6");
      await page.getByRole("button", { name: "Mute Chiara, guitar for me" }).click();
      await page.locator("main").evaluate((main) => main.scrollTo(0, 0));
      await page.waitForTimeout(1200);
    },
  },
  {
    name: "room-too-slow", path: "/r/blue-note?slow",
    double: () => new Double({ others: BAND.slice(0, 2) }),
    async act(page) {
      await joinRoom(page);
      await page.getByText("Left out:").first().waitFor();
    },
  },
  {
    name: "room-delay", path: "/r/blue-note",
    double: () => new Double({ others: BAND.slice(0, 2), chat: CHAT }),
    async act(page) {
      await joinRoom(page);
      await page.getByLabel("Delay of others").selectOption("safer");
      await page.locator("[data-track='2'] .playout summary").click();
      await page.locator("[data-track='3'] .playout summary").click();
      await page.locator("[data-track='3'] .playout select").selectOption("fixed");
      await page.locator("[data-track='3'] .playout input").fill("12");
      await page.locator("[data-track='3'] .playout input").press("Enter");
      await page.locator("[data-track='3'] .playout summary", { hasText: "fixed at 12 ms" }).waitFor();
      await page.locator("[data-track='2']").scrollIntoViewIfNeeded();
      await page.waitForTimeout(1200);
    },
  },
  {
    name: "room-delays", path: "/r/blue-note",
    double: () => new Double({ others: BAND.slice(0, 3), chat: CHAT }),
    async act(page, double) {
      await joinRoom(page);
      const hears = (listener, delays) => {
        const tracks = delays.map(([track, ms, concealed_permille = 0]) => ({
          track, ...(ms === null ? {} : { delay_us: 1000 * ms }), lost_permille: 3, concealed_permille,
        }));
        double.send({ type: "hearing", listener, tracks });
      };
      hears(1, [[2, 23.4], [3, 31.2], [5, 68.9, 24]]);
      hears(2, [[1, 22.8], [3, 28.1], [5, null]]);
      hears(3, [[1, 30.5], [2, 27.7], [5, 71.3]]);
      await page.locator(".delays > summary").click();
      await page.locator(".delays td.late").first().scrollIntoViewIfNeeded();
      const wide = await page.locator("main").evaluate((main) => main.scrollWidth - main.clientWidth);
      if (0 < wide) throw new Error(`the table makes the page ${wide} pixels too wide`);
      await page.waitForTimeout(600);
    },
  },
  ...[false, true].map((open) => ({
    name: open ? "room-findings-open" : "room-findings", path: "/r/blue-note",
    double: () => new Double({ others: BAND.slice(0, 3), chat: CHAT }),
    async act(page, double) {
      await joinRoom(page);
      double.send({
        type: "findings",
        findings: [
          { code: "slow_device", about: 1, severity: "serious", text: "Ana's headphones or loudspeakers hold sound for 187 ms, as Bluetooth does: connect them by cable." },
          { code: "ordinary_player", about: 4, severity: "serious", text: "Dmitri (drums, basement… plays through the browser's own player, about 50 ms late: open the page in a current Chrome, Edge or Firefox." },
          { code: "large_period", about: 2, severity: "serious", text: "Bo Lindqvist's sound card works in periods of 21.3 ms, which costs 43 ms in and out: set it to 128 frames (`--period 128`, or `jackd -p 128`)." },
          { code: "shaky_network", about: 3, severity: "slight", text: "Chiara's connection shakes by 14 ms, as Wi-Fi does: use a network cable, and stop what else fills the line." },
          { code: "far_away", about: 2, severity: "slight", text: "Bo Lindqvist is 62 ms from the server and back, which is distance and nobody's fault: a server in the middle helps." },
        ],
      });
      await page.locator(".findings").waitFor();
      if (!open) return;
      await page.locator(".findings summary").click();
      await page.waitForTimeout(600);
    },
  })),
  {
    name: "room-click", path: "/r/blue-note",
    double: () => new Double({ others: BAND.slice(0, 2) }),
    async act(page) {
      await joinRoom(page);
      await openPanel(page, "Click");
      await page.getByRole("button", { name: "Start the click" }).waitFor();
    },
  },
  {
    name: "room-click-runs", path: "/r/blue-note",
    double: () => new Double({ others: BAND.slice(0, 2), chat: CHAT, room: { leader: 1, click: [quarters(97.5, { unit: 8, beats: ["accent", "normal", "silent", "accent", "normal", "silent", "normal"] })] } }),
    async act(page) {
      await joinRoom(page);
      await openPanel(page, "Click");
      await page.getByText("You lead").waitFor();
      await page.locator(".beat-now", { hasText: /\d\.\d/ }).waitFor();
    },
  },
  {
    name: "room-click-sixteen", path: "/r/blue-note", phoneOnly: true,
    double: () => new Double({ others: BAND.slice(0, 2), room: { click: [quarters(200, { unit: 16, beats: Array(16).fill("normal") })] } }),
    async act(page) {
      await joinRoom(page);
      await openPanel(page, "Click");
      await page.getByText("Nobody leads").waitFor();
    },
  },
  {
    name: "room-click-led", path: "/r/blue-note",
    double: () => new Double({ others: BAND.slice(0, 2), room: { leader: 2, click: [quarters(120)] } }),
    async act(page) {
      await joinRoom(page);
      await page.locator(".together-switch", { hasText: /\d\.\d/ }).waitFor();
      await openPanel(page, "Click");
      await page.getByText("Bo Lindqvist leads, and").waitFor();
    },
  },
  {
    name: "room-click-standard", path: "/r/blue-note?standard",
    double: () => new Double({ others: BAND.slice(0, 2), room: { click: [quarters(120)] } }),
    async act(page) {
      await joinRoom(page);
      await openPanel(page, "Click");
      await page.getByText("plays without it").waitFor();
    },
  },
  {
    name: "room-mode", path: "/r/blue-note",
    double: () => new Double({ others: BAND.slice(0, 2), room: { mode: "aligned" } }),
    async act(page) {
      await joinRoom(page);
      await openPanel(page, "Mode");
      await page.getByLabel("For me", { exact: true }).selectOption("beat");
      await page.getByText("There is no click").waitFor();
    },
  },
  {
    name: "room-record", path: "/r/blue-note",
    double: () => new Double({ others: BAND.slice(0, 2) }),
    async act(page) {
      await joinRoom(page);
      await openPanel(page, "Record");
      await page.getByText("No takes yet").waitFor();
    },
  },
  {
    name: "room-recording", path: "/r/blue-note",
    double: () => new Double({ others: BAND.slice(0, 2), chat: CHAT, room: { click: [quarters(120)], takes: [takeOf("a", "Blue in green, with a title that is longer than it should be", null)] } }),
    async act(page) {
      await joinRoom(page);
      await page.getByText("12:3").first().waitFor();
    },
  },
  {
    name: "room-recorded", path: "/r/blue-note",
    double: () => new Double({ others: BAND.slice(0, 2), room: { takes: [takeOf("a", "Take 1", 31), takeOf("b", "Blue in green", null)] }, statuses: { a: statusOf([stem("Ana", "complete")], { export: { state: "ready", bytes: 9_500_000, newest: true } }), b: statusOf([stem("Ana", "arriving")], { running: true }) } }),
    async act(page) {
      await joinRoom(page);
      await openPanel(page, "Record");
      await page.getByText("Your recording of Blue in green").waitFor();
      await page.getByText("9.5 MB").waitFor();
    },
  },
  {
    name: "room-takes", path: "/r/blue-note",
    double: () => new Double({
      others: BAND.slice(0, 2),
      room: { takes: [takeOf("a", "Take 1", 31), takeOf("b", "Warm-up", 184), takeOf("c", "Blue in green", 412), takeOf("d", "Encore", 9, { started_by: "Ana" }), takeOf("e", "Old one", 61)] },
      statuses: {
        a: statusOf([stem("Ana", "complete"), stem("Bo Lindqvist", "complete")], { export: { state: "ready", bytes: 34_500_000, newest: true } }),
        b: statusOf([stem("Ana", "complete"), stem("Bo Lindqvist", "missing")], { problems: ["Bo Lindqvist (mic) has stopped coming: their app goes on once it runs again and is online; what came is good, and so is the rest of the take"] }),
        c: statusOf([stem("Ana", "complete"), stem("Chiara", "complete")], { export: { state: "preparing", percent: 40 } }),
        d: statusOf([stem("Ana", "arriving")]),
        e: statusOf([]),
      },
    }),
    async act(page) {
      await joinRoom(page);
      await openPanel(page, "Record");
      await page.getByText("Preparing the download").waitFor();
      await page.getByText("No stem has come yet").waitFor();
    },
  },
  {
    name: "room-chat", path: "/r/blue-note", phoneOnly: true,
    double: () => new Double({ others: BAND, chat: CHAT }),
    async act(page) {
      await joinRoom(page);
      await page.getByRole("button", { name: /^Chat/ }).click();
      await page.mouse.move(0, 0);
    },
  },
  {
    name: "room-keyboard", path: "/",
    double: () => new Double({ others: BAND.slice(0, 1) }),
    // Not one click from the first page to a mix.
    async act(page) {
      await tabTo(page, "Start a room");
      await page.keyboard.press("Enter");
      await tabTo(page, "Your name");
      await page.keyboard.type("Ana");
      await page.keyboard.press("Enter");
      await page.locator(".state.good").waitFor();
      await tabTo(page, "Gain of Bo Lindqvist");
      await page.keyboard.press("ArrowLeft");
      await page.getByText("−1 dB").waitFor();
      await tabTo(page, "Mute Bo Lindqvist for me");
      await page.keyboard.press("Space");
      await page.locator("[data-track] .mute[aria-pressed=true]").waitFor();
    },
  },
  {
    name: "room-solo-muted", path: "/r/blue-note",
    double: () => new Double({ others: BAND.slice(0, 1) }),
    async act(page) {
      await joinRoom(page);
      await page.getByRole("button", { name: "Solo Bo Lindqvist" }).click();
      await page.getByRole("button", { name: "Mute me" }).click();
      await page.waitForTimeout(600);
    },
  },
  {
    name: "room-away", path: "/r/blue-note",
    double: () => new Double({ others: BAND, chat: CHAT }),
    async act(page, double) {
      await joinRoom(page);
      double.answering = false;
      await double.socket.close();
      await page.getByText("Connection lost.").waitFor();
      await page.getByText("attempt 2").waitFor();
    },
  },
  {
    name: "room-closing", path: "/r/blue-note",
    double: () => new Double({ others: BAND.slice(0, 2), chat: CHAT }),
    async act(page, double) {
      await joinRoom(page);
      double.answering = false;
      double.send({ type: "bye", reason: "server_closing", text: "the server stops" });
      await double.socket.close();
      await page.getByText("The server stopped.").waitFor();
    },
  },
  {
    name: "room-held", path: "/r/blue-note?held",
    double: () => new Double({ others: BAND.slice(0, 1) }),
    async act(page) {
      await joinRoom(page);
      await page.getByText("holds the sound back").waitFor();
    },
  },
  {
    name: "room-notice", path: "/r/blue-note",
    double: () => new Double({ others: BAND.slice(0, 1), chat: CHAT }),
    async act(page, double) {
      await joinRoom(page);
      double.send({ type: "error", code: "too_fast", text: "wait" });
      await page.getByText("too much at once").waitFor();
    },
  },
  {
    name: "ended", path: "/r/blue-note", double: () => new Double({}),
    async act(page, double) {
      await joinRoom(page);
      double.send({ type: "bye", reason: "replaced", text: "" });
      await page.getByText("another tab or device").waitFor();
    },
  },
  {
    name: "left", path: "/r/blue-note", double: () => new Double({}),
    async act(page) {
      await joinRoom(page);
      await page.getByRole("button", { name: "Leave" }).click();
      await page.getByText("You left").waitFor();
    },
  },
  ...ACCOUNT_SHOTS,
  ...ROOM_SHOTS,
  ...CHAT_SHOTS,
];

const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1280, height: 800 } };
const SCHEMES = ["light", "dark"];

async function audit(page) {
  // The page's policy forbids injected scripts, as it should; evaluate is the debugger's way in.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  return violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map((n) => n.target.join(" ")).join(", ")})`);
}

async function shoot(browser, origin, shot, size, scheme) {
  const context = await browser.newContext({
    viewport: SIZES[size], colorScheme: scheme, deviceScaleFactor: size === "phone" ? 2 : 1,
    permissions: shot.permissions ?? [],
  });
  const problems = [];
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on("pageerror", (error) => problems.push(`page error: ${error.message}`));
    page.on("console", (message) => {
      const expected = shot.expected?.some((pattern) => pattern.test(message.text())) ?? false;
      if (message.type() === "error" && !expected) problems.push(`console: ${message.text()}`);
    });
    if (shot.deny) {
      // The fake permission dialog always says yes; a musician does not.
      await page.addInitScript(() => {
        navigator.mediaDevices.getUserMedia = () =>
          Promise.reject(new DOMException("Permission denied", "NotAllowedError"));
      });
    }
    if (shot.script !== undefined) await page.addInitScript(shot.script);
    await answerAccounts(page, shot.answers);
    await shot.around?.(page);
    const double = shot.double?.() ?? new Double({});
    await page.routeWebSocket(/\/api\/v1\/ws$/, (socket) => double.attach(socket));
    await page.route(/\/api\/v1\/takes\//, (route) => {
      const status = double.status(new URL(route.request().url()).pathname);
      if (route.request().method() === "HEAD") return route.fulfill({ headers: { "Upload-Offset": "0", "Upload-Complete": "?0" } });
      if (route.request().method() === "PATCH") return route.fulfill({ status: 204, headers: { "Upload-Offset": "90" } });
      return status === null ? route.abort() : route.fulfill({ json: status });
    });
    await page.goto(origin + shot.path);
    await page.locator("h1").waitFor();
    await shot.act?.(page, double);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (0 < overflow) problems.push(`${overflow} px wider than the window`);
    problems.push(...(await audit(page)));
    await page.screenshot({ path: join(FOLDER, `${shot.name}-${size}-${scheme}.png`), fullPage: shot.whole ?? false });
  } catch (error) {
    problems.push(String(error));
    const pages = context.pages();
    await pages[0]?.screenshot({ path: join(FOLDER, `${shot.name}-${size}-${scheme}.png`) });
  }
  await context.close();
  return problems;
}

await mkdir(FOLDER, { recursive: true });
const { server, origin } = await serve();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"],
});
let [passed, failed] = [0, 0];
for (const shot of SHOTS.filter(({ name }) => name.startsWith(process.argv[3] ?? ""))) {
  for (const size of shot.phoneOnly ? ["phone"] : Object.keys(SIZES)) {
    for (const scheme of SCHEMES) {
      const problems = await shoot(browser, origin, shot, size, scheme);
      if (problems.length === 0) passed += 1;
      else failed += 1;
      for (const problem of problems) console.error(`${shot.name} ${size} ${scheme}: ${problem}`);
    }
  }
}
await browser.close();
server.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
