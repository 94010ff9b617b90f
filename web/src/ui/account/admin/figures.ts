// What is shown of how the app is used: a row for each day, and the sums of all of them.

import type { UsageDay } from "../../../protocol/social";
import type { Row } from "./chart";

export const DAY_MS = 86_400_000;

/** The first moment, in UTC, of the first of so many days of which the present one is the last. */
export function firstOf(days: number, now: number): number {
  return (Math.floor(now / DAY_MS) - days + 1) * DAY_MS;
}

/** Every day from the first on, also those of which nothing is known; the earliest first. */
export function everyDay(known: readonly UsageDay[], days: number, now: number): UsageDay[] {
  const byDay = new Map(known.map((day) => [day.day, day]));
  const first = firstOf(days, now);
  return Array.from({ length: days }, (_, i) => {
    const day = first + i * DAY_MS;
    return byDay.get(day) ?? { day, people: 0, counts: [], lengths: [] };
  });
}

export function peopleRows(days: readonly UsageDay[]): Row[] {
  return days.map(({ day, people }) => ({ name: dayName(day), value: people, text: String(people) }));
}

/** How many sessions took how long, on all days together: an average hides that most were short. */
export function lengthRows(days: readonly UsageDay[]): Row[] {
  const sums = new Map<number, number>();
  for (const { from_minutes, count } of days.flatMap(({ lengths }) => lengths)) {
    sums.set(from_minutes, (sums.get(from_minutes) ?? 0) + count);
  }
  const froms = [...sums.keys()].sort((a, b) => a - b);
  return froms.map((from, i) => {
    const value = sums.get(from) ?? 0;
    return { name: lengthName(from, froms[i + 1]), value, text: String(value) };
  });
}

function lengthName(from: number, to: number | undefined): string {
  if (to === undefined) return `${minutesText(from)} or longer`;
  if (from === 0) return `under ${minutesText(to)}`;
  return to < 60 ? `${from} to ${minutesText(to)}` : `${minutesText(from)} to ${minutesText(to)}`;
}

const minutesText = (minutes: number) => (minutes < 60 ? `${minutes} min` : `${minutes / 60} h`);

export function featureRows(days: readonly UsageDay[]): Row[] {
  const sums = new Map<string, number>();
  for (const { kind, word, count } of days.flatMap(({ counts }) => counts)) {
    if (kind === "feature") sums.set(word, (sums.get(word) ?? 0) + count);
  }
  const rows = [...sums].map(([word, value]) => ({ name: FEATURES[word] ?? word, value, text: String(value) }));
  return rows.sort((a, b) => b.value - a.value);
}

export function sessionsOf(days: readonly UsageDay[]): { count: number; minutes: number } {
  const sessions = days.flatMap(({ counts }) => counts).filter(({ kind }) => kind === "session");
  const sum = (what: "count" | "minutes") => sessions.reduce((all, each) => all + each[what], 0);
  return { count: sum("count"), minutes: sum("minutes") };
}

// Days are those of UTC, wherever whoever looks is.
const dayName = (day: number) => new Date(day).toLocaleDateString(undefined, { day: "numeric", month: "short", timeZone: "UTC" });

const FEATURES: Record<string, string> = {
  click: "Click",
  take: "Takes",
  playing_mode: "Playing modes",
  soundcheck: "Sound check",
  chat: "Chat",
  file: "Files",
};
