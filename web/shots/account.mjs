// The pages of accounts, with the server's routes as far as a picture needs them.

const ACCOUNT = {
  id: "0199f0c0-0000-7000-8000-000000000001", region: "eu", email: "ada.lovelace@example.org", username: "ada",
  role: "user", language: "en", created_at: Date.UTC(2026, 5, 12, 18, 4),
};
const HOUR_MS = 3_600_000;
const session = (n, device_name, hours, current = false) => ({
  id: `0199f0c0-0000-7000-8000-00000000001${n}`, device_name, created_at: ACCOUNT.created_at, current,
  last_used_at: Date.now() - hours * HOUR_MS, expires_at: Date.now() + 90 * 24 * HOUR_MS,
});
const SESSIONS = [
  session(1, "Firefox on Android", 30),
  session(2, "Chrome on Linux", 0, true),
  session(3, "A laptop with a name that is about as long as the server lets it be", 5),
];

export const problem = (status, code, detail, field) => ({
  status, contentType: "application/problem+json",
  body: JSON.stringify({ type: `urn:vjam:problem:${code}`, title: TITLES[code] ?? "A problem", status, detail, code, ...(field === undefined ? {} : { field }) }),
});
const TITLES = { unavailable: "There are no accounts on this server" };
export const json = (status, body) => ({ status, contentType: "application/json", body: JSON.stringify(body) });
const begun = (id) => ({ [id]: ACCOUNT.id, code_expires_at: Date.UTC(2026, 5, 12, 18, 19) + 10 * 365 * 24 * HOUR_MS });

/** The answers of a server where everything goes well. */
const GOOD = {
  "POST age": json(200, { age_token: "00", expires_at: 0 }),
  "POST sign-ups": json(202, begun("sign_up")),
  "POST password-resets": json(202, begun("reset")),
  "GET account": json(200, ACCOUNT),
  "GET sessions": json(200, SESSIONS),
  "GET identity/providers": json(200, [{ id: "club", name: "Our club" }]),
  "GET account/identities": json(200, {
    has_password: true,
    identities: [{
      id: SESSIONS[1].id, name: "Our club", provider: "club", linked_at: ACCOUNT.created_at, can_be_told: true, mail_stopped: true,
    }],
  }),
  "GET account/push": json(200, {
    key: "BNNL5ZaTfK81qhXOx23-wewhigUeFb632jN6LvRWCFH1ubQr77FE_9qV1FuojuRmHP42zmf34rXgW80OvUVDgTk",
    browsers: [
      { id: SESSIONS[0].id, device_name: SESSIONS[0].device_name, host: "updates.push.services.mozilla.com", created_at: ACCOUNT.created_at, current: false },
      { id: SESSIONS[2].id, device_name: SESSIONS[2].device_name, host: "fcm.googleapis.com", created_at: ACCOUNT.created_at, current: false },
    ],
  }),
  "PUT account/username": { status: 204 },
  "PUT account/language": { status: 204 },
  "POST account/email": json(202, begun("change")),
  "GET public-rooms": json(200, { rooms: [] }),
};

/** Answers the routes of accounts in a page. */
export async function answerAccounts(page, answers = {}) {
  const all = { ...GOOD, ...answers };
  await page.route(/\/api\/v1\/social\//, (route) => {
    const path = new URL(route.request().url()).pathname.replace("/api/v1/social/", "");
    return route.fulfill(all[`${route.request().method()} ${path}`] ?? problem(404, "not_found", "there is no such route"));
  });
}

const born = async (page) => {
  await page.getByLabel("Day").fill("17");
  await page.getByLabel("Month").selectOption("May");
  await page.getByLabel("Year").fill("1990");
  await page.getByRole("button", { name: "Continue" }).click();
};
const details = async (page) => {
  await born(page);
  await page.getByRole("heading", { name: "Your new account" }).waitFor();
  await page.getByLabel("E-mail address").fill("ada.lovelace@example.org");
  await page.getByLabel("Username").fill("ada");
  await page.getByLabel("Password", { exact: true }).fill("between the bars");
  await page.getByLabel("European Union").check();
};
const send = (page) => page.getByRole("button", { name: "Send me a code" }).click();
export const signedIn = () => localStorage.setItem("vjam.who", "ada");
/** A refusal is what the picture is about: the browser notes it in its console. */
export const refusal = [/Failed to load resource/];

export const ACCOUNT_SHOTS = [
  { name: "account-born", path: "/account/sign-up" },
  {
    name: "account-born-wrong", path: "/account/sign-up",
    async act(page) {
      await page.getByLabel("Day").fill("31");
      await page.getByLabel("Month").selectOption("April");
      await page.getByLabel("Year").fill("1990");
      await page.getByRole("button", { name: "Continue" }).click();
      await page.getByText("There is no such day").waitFor();
    },
  },
  {
    name: "account-refused", path: "/account/sign-up", expected: refusal,
    answers: { "POST age": problem(403, "sign_up_refused", "an account cannot be made on this device; rooms can be joined by their links") },
    async act(page) {
      await born(page);
      await page.getByRole("heading", { name: "No account here" }).waitFor();
    },
  },
  {
    name: "account-details", path: "/account/sign-up",
    async act(page) {
      await details(page);
      await page.getByRole("button", { name: "Show" }).click();
    },
  },
  {
    name: "account-details-empty", path: "/account/sign-up",
    async act(page) {
      await born(page);
      await send(page);
      await page.getByText("Choose where your account is kept.").waitFor();
    },
  },
  {
    name: "account-details-taken", path: "/account/sign-up", expected: refusal,
    answers: { "POST sign-ups": problem(409, "username_taken", "somebody has this username; take another") },
    async act(page) {
      await details(page);
      await send(page);
      await page.getByText("Somebody has this username").waitFor();
    },
  },
  {
    name: "account-code", path: "/account/sign-up",
    async act(page) {
      await details(page);
      await send(page);
      await page.getByLabel("Code").fill("1234");
      await page.getByRole("button", { name: "Finish signing up" }).click();
      await page.getByText("The code has eight digits.").waitFor();
    },
  },
  { name: "account-sign-in", path: "/account/sign-in" },
  {
    name: "account-sign-in-wrong", path: "/account/sign-in", expected: refusal,
    answers: { "POST sessions": problem(401, "wrong_credentials", "there is no account of this name with this password") },
    async act(page) {
      await page.getByLabel("E-mail address or username").fill("ada");
      await page.getByLabel("Password", { exact: true }).fill("no");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByText("There is no account of this name").waitFor();
    },
  },
  { name: "account-forgot", path: "/account/forgot" },
  {
    name: "account-reset", path: "/account/forgot",
    async act(page) {
      await page.getByLabel("E-mail address").fill("ada.lovelace@example.org");
      await send(page);
      await page.getByRole("heading", { name: "Choose another password" }).waitFor();
    },
  },
  {
    name: "account-settings", path: "/account", script: signedIn, whole: true,
    async act(page) {
      await page.getByText("This device").waitFor();
      await page.getByRole("button", { name: "Change the language" }).click();
      await page.getByText("Mails come in English.").waitFor();
    },
  },
  {
    name: "account-settings-email", path: "/account", script: signedIn, whole: true,
    async act(page) {
      await page.getByLabel("New address").fill("countess@example.org");
      await page.getByLabel("Your password").first().fill("between the bars");
      await page.getByRole("button", { name: "Send a code there" }).click();
      await page.getByRole("button", { name: "Change the address" }).first().waitFor();
    },
  },
  {
    name: "account-none", path: "/account", expected: refusal,
    answers: { "GET account": problem(503, "unavailable", "whoever runs it has turned them off") },
    act: (page) => page.getByRole("alert").waitFor(),
  },
  { name: "account-nowhere", path: "/account/nothing" },
  { name: "account-home", path: "/", script: signedIn, act: (page) => page.getByRole("link", { name: "Signed in as ada" }).waitFor() },
  { name: "account-join", path: "/r/blue-note", script: signedIn, act: (page) => page.getByRole("link", { name: "Signed in as ada" }).waitFor() },
  {
    // Nobody owns the room, so there is no pass.
    name: "account-room", path: "/r/blue-note?name=Ada&autojoin=1", script: signedIn, expected: refusal,
    act: (page) => page.locator(".state.good").waitFor(),
  },
];
