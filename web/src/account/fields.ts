// What can be said of a field before the server is asked. It judges everything itself; but it counts
// attempts, and a slip should cost none.

import {
  EMAIL_BYTES_MAX,
  PASSWORD_BYTES_MAX,
  PASSWORD_CHARS_MIN,
  USERNAME_CHARS_MAX,
  USERNAME_CHARS_MIN,
} from "../protocol/social";

export interface BirthDate {
  day: string;
  month: string;
  year: string;
}

/** What is wrong with a date, or an empty text; each of these does the same for its field. */
export function birthDateProblem(date: BirthDate): string {
  if (Object.values(date).some((part: string) => part.trim() === "")) return "Enter the day, the month and the year.";
  return isoDate(date) === null ? "There is no such day. Look at the date again." : "";
}

/** The date as the server takes it, or null where there is no such day. */
export function isoDate({ day, month, year }: BirthDate): string | null {
  if (![day, month, year].every((part) => /^\d+$/.test(part.trim())) || year.trim().length !== 4) return null;
  const [d, m, y] = [Number(day), Number(month), Number(year)];
  const date = new Date(Date.UTC(y, m - 1, d));
  // The 31st of a shorter month becomes a day of the next one.
  if (date.getUTCFullYear() !== y || date.getUTCMonth() !== m - 1 || date.getUTCDate() !== d) return null;
  return date.toISOString().slice(0, 10);
}

export function emailProblem(text: string): string {
  const email = text.trim();
  if (email === "") return "Enter your e-mail address.";
  if (EMAIL_BYTES_MAX < bytes(email)) return "An e-mail address is not that long.";
  return /^[^\s@]+@[^\s@]+$/.test(email) ? "" : "That is not an e-mail address: it looks like ana@example.org.";
}

export function usernameProblem(name: string): string {
  if (name === "") return "Choose a username.";
  const length = USERNAME_CHARS_MIN <= name.length && name.length <= USERNAME_CHARS_MAX;
  return length && /^[a-z0-9][a-z0-9._-]*$/i.test(name) ? "" : USERNAME_RULE;
}

export function newPasswordProblem(password: string): string {
  if (password === "") return "Choose a password.";
  if ([...password].length < PASSWORD_CHARS_MIN) return PASSWORD_RULE;
  const count = bytes(password);
  if (count <= PASSWORD_BYTES_MAX) return "";
  return `This password has ${count} bytes, and ${PASSWORD_BYTES_MAX} are the most: a letter with an accent has 2, an emoji 4.`;
}

export function codeProblem(code: string): string {
  const digits = code.replace(/[\s-]/g, "");
  return /^\d{8}$/.test(digits) ? "" : "The code has eight digits.";
}

export const USERNAME_RULE =
  `${USERNAME_CHARS_MIN} to ${USERNAME_CHARS_MAX} characters: letters a to z, digits, and . _ - after the first.`;

export const PASSWORD_RULE = `${PASSWORD_CHARS_MIN} characters or more.`;

/** What to call this device in the list of those that are signed in. */
export function deviceName(agent: string): string {
  // Each browser names those before it, too, to be let in everywhere: the most particular first.
  const browser = BROWSERS.find(([mark]) => agent.includes(mark))?.[1] ?? "A browser";
  const system = SYSTEMS.find(([mark]) => agent.includes(mark))?.[1];
  return system === undefined ? browser : `${browser} on ${system}`;
}

/** Where to go afterwards: a path of our own, never another site. */
export function nextPath(query: string): string | null {
  const next = new URLSearchParams(query).get("next");
  return next !== null && /^\/(?![/\\])[\w/.-]*$/.test(next) ? next : null;
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

const BROWSERS = [
  ["Edg", "Edge"],
  ["OPR/", "Opera"],
  ["SamsungBrowser", "Samsung Internet"],
  ["FxiOS", "Firefox"],
  ["Firefox/", "Firefox"],
  ["CriOS", "Chrome"],
  ["Chrome/", "Chrome"],
  ["Safari/", "Safari"],
] as const;

const SYSTEMS = [
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Android", "Android"],
  ["Windows", "Windows"],
  ["Mac OS X", "Mac"],
  ["CrOS", "ChromeOS"],
  ["Linux", "Linux"],
] as const;
