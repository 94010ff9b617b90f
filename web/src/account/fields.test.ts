import { describe, expect, it } from "vitest";

import {
  birthDateProblem,
  codeProblem,
  deviceName,
  emailProblem,
  isoDate,
  newPasswordProblem,
  nextPath,
  usernameProblem,
} from "./fields";

describe("a date of birth", () => {
  const date = (day: string, month: string, year: string) => ({ day, month, year });

  it("is one that was in the calendar", () => {
    expect(isoDate(date("17", "5", "1990"))).toBe("1990-05-17");
    expect(isoDate(date("29", "2", "2012"))).toBe("2012-02-29");
    for (const wrong of [
      date("29", "2", "2013"),
      date("31", "4", "1990"),
      date("0", "4", "1990"),
      date("1", "13", "1990"),
      date("1", "1", "90"),
      date("1.5", "1", "1990"),
      date("-1", "1", "1990"),
      date("1", "1", "0050"),
    ]) {
      expect(isoDate(wrong), JSON.stringify(wrong)).toBeNull();
      expect(birthDateProblem(wrong)).toContain("no such day");
    }
  });

  it("has three parts, and the problem with one never says what would be accepted", () => {
    expect(birthDateProblem(date("17", "", "1990"))).toBe("Enter the day, the month and the year.");
    expect(birthDateProblem(date("17", "5", "1990"))).toBe("");
    // The server decides; a child's date is as good as any other here.
    expect(birthDateProblem(date("17", "5", "2025"))).toBe("");
  });
});

describe("what is typed", () => {
  it("is judged as the server does", () => {
    const good = { username: ["ada", "Ada_L-1.x", "a".repeat(24)], email: [" ada@example.org ", "a@b"] };
    const bad = { username: ["", "ab", ".ada", "-ada", "ada b", "ädä", "a".repeat(25)], email: ["", "ada", "@b", "a@", "a b@c", `${"a".repeat(250)}@b.de`] };
    for (const name of good.username) expect(usernameProblem(name), name).toBe("");
    for (const name of bad.username) expect(usernameProblem(name), name).not.toBe("");
    for (const email of good.email) expect(emailProblem(email), email).toBe("");
    for (const email of bad.email) expect(emailProblem(email), email).not.toBe("");
  });

  it("is no password beyond 72 bytes, however few letters they are", () => {
    expect(newPasswordProblem("a".repeat(72))).toBe("");
    expect(newPasswordProblem("a".repeat(73))).toContain("73 bytes");
    expect(newPasswordProblem("ä".repeat(37))).toContain("74 bytes");
    expect(newPasswordProblem("1234567")).toContain("8 characters");
    // Four characters that have eight units.
    expect(newPasswordProblem("🎷🎷🎷🎷")).toContain("8 characters");
  });

  it("is a code with or without spaces", () => {
    expect(["12345678", "1234 5678", " 1234-5678 "].map(codeProblem)).toEqual(["", "", ""]);
    for (const wrong of ["", "1234567", "123456789", "1234567a"]) expect(codeProblem(wrong), wrong).not.toBe("");
  });
});

describe("where to go on", () => {
  it("is a path of our own and nowhere else", () => {
    expect(nextPath("?next=/r/blue-note")).toBe("/r/blue-note");
    expect(nextPath("?next=/account")).toBe("/account");
    for (const wrong of ["", "?next=", "?next=//evil.example", "?next=/\\evil.example", "?next=https://evil.example", "?next=javascript:alert(1)", "?next=/r/a?x=1", "?next=r/a"]) {
      expect(nextPath(wrong), wrong).toBeNull();
    }
  });
});

describe("a device", () => {
  it.each([
    ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"],
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0", "Edge on Windows"],
    ["Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36", "Chrome on Android"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1", "Safari on iPhone"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15", "Safari on Mac"],
    ["something else", "A browser"],
  ])("is called what its owner calls it: %s", (agent, name) => {
    expect(deviceName(agent)).toBe(name);
  });
});
