// Accounts as the tests make and use them, through the pages alone.

import { eventually } from "./harness.js";

export const PHONE = { width: 390, height: 844 };
export const PASSWORD = "between the bars";
/** A browser notes each answer that is a refusal, which some steps are about. */
export const refusals = (...statuses) => statuses.map((status) => new RegExp(`the server responded with a status of ${status}`));

export const button = (page, name) => page.getByRole("button", { name, exact: true });
export const link = (page, name) => page.getByRole("link", { name });
export const heading = (page, name) => page.getByRole("heading", { name, exact: true }).waitFor();

/** Does it, and gives the code of the mail that the server writes because of it. */
export async function codeOf(server, action) {
  const before = server.log().length;
  await action();
  return eventually("a code is mailed", () => /\b\d{4} \d{4}\b/.exec(server.log().slice(before))?.[0]);
}

export async function born(page, day, month, year) {
  await page.getByLabel("Day").fill(day);
  await page.getByLabel("Month").selectOption(month);
  await page.getByLabel("Year").fill(year);
  await button(page, "Continue").click();
}

/** Fills everything in, from the birth date to the code of the mail, which is given. */
export async function signUp(server, page, username) {
  await heading(page, "Make an account");
  await born(page, "17", "May", "1990");
  await heading(page, "Your new account");
  await page.getByLabel("E-mail address").fill(`${username}@example.org`);
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("European Union").check();
  const code = await codeOf(server, () => button(page, "Send me a code").click());
  await page.getByLabel("Code").fill(code);
  return code;
}

export async function signIn(page, login, password) {
  await page.getByLabel("E-mail address or username").fill(login);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await button(page, "Sign in").click();
}
