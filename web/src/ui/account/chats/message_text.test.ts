import { describe, expect, it } from "vitest";

import { begunName, messageParts } from "./message_text";

const people = (...names: string[]) => names.map((username) => ({ account: username, username }));
const named = (body: string, ...names: string[]) =>
  messageParts(body, people(...names)).filter(({ account }) => account !== null).map(({ text }) => text);

describe("the names in a message", () => {
  it("are those of whom it names, whole, and no part of an address", () => {
    expect(named("@ana and @Ana-Maria, mail bob@ana.example", "ana", "ana-maria")).toEqual(["@ana", "@Ana-Maria"]);
    expect(named("(@ana) @anabel @ana.", "ana")).toEqual(["@ana", "@ana"]);
    expect(named("@a.b @axb", "a.b")).toEqual(["@a.b"]);
    expect(named("@bob")).toEqual([]);
  });

  it("leave every character of the text", () => {
    for (const body of ["@ana", "x @ana y", "", "@ana@ana", "é@ana\n@ana"]) {
      expect(messageParts(body, people("ana")).map(({ text }) => text).join("")).toBe(body);
    }
  });

  it("are offered from their first letter on", () => {
    expect(["hi @an", "@", "a@an", "hi @an d", "(@b.c-"].map(begunName)).toEqual(["an", "", null, null, "b.c-"]);
  });
});
