import { describe, expect, it } from "vitest";

import { inviteOf, parseRoom, randomRoom, roomOfPath, roomPath } from "./link";

const HERE = "https://jam.example";

describe("what people type or paste", () => {
  it.each([
    ["blue-note", "blue-note"],
    ["  Blue Note ", "blue-note"],
    ["https://jam.example/r/blue-note", "blue-note"],
    ["https://jam.example/r/Blue-Note/", "blue-note"],
    ["https://jam.example/r/blue-note?engine=standard#x", "blue-note"],
    ["jam.example/r/blue_7", "blue_7"],
    ["/r/blue-note", "blue-note"],
  ])("%j is the room %s", (text, room) => {
    expect(parseRoom(text, HERE)).toEqual({ kind: "room", room });
  });

  it("leads to another server where the link does", () => {
    expect(parseRoom("http://127.0.0.1:7880/r/duo", HERE)).toEqual({
      kind: "elsewhere",
      href: "http://127.0.0.1:7880/r/duo",
      host: "127.0.0.1:7880",
    });
  });

  it("keeps the invite of a link, here and elsewhere", () => {
    const link = "/r/duo#invite=aB3-_z";
    expect(parseRoom(`${HERE}${link}`, HERE)).toEqual({ kind: "room", room: "duo", invite: "aB3-_z" });
    expect(parseRoom(`https://other.example${link}`, HERE)).toMatchObject({ href: `https://other.example${link}` });
  });

  it.each([
    ["", "Enter"],
    ["h\u00e9llo", "“\u00e9”"],
    ["x".repeat(65), "at most 64"],
    ["https://jam.example/about", "/r/"],
    ["https://jam.example/r/a%2Fb", "/r/"],
    ["javascript:alert(1)//r/x", "not a link"],
    ["ftp://jam.example/r/x", "not a link"],
  ])("%j is refused in words", (text, words) => {
    const target = parseRoom(text, HERE);
    expect(target.kind).toBe("invalid");
    if (target.kind === "invalid") expect(target.problem).toContain(words);
  });
});

describe("paths", () => {
  it.each([
    ["/r/duo", "duo"],
    ["/r/DUO/", "duo"],
    ["/", null],
    ["/r/", null],
    ["/r/a/b", null],
    ["/r/%ff", null],
    ["/r/a%20b", "a-b"],
  ])("%s", (path, room) => {
    expect(roomOfPath(path)).toBe(room);
  });
});

describe("invites", () => {
  it.each([
    ["#invite=abc", "abc"],
    ["#invite=", null],
    ["#invite=a b", null],
    [`#invite=${"x".repeat(129)}`, null],
    ["#elsewhere", null],
    ["", null],
  ])("%j", (hash, invite) => {
    expect(inviteOf(hash)).toBe(invite);
  });

  it("are in the link that leads with them to the room", () => {
    expect([roomPath("duo"), roomPath("duo", "abc")]).toEqual(["/r/duo", "/r/duo#invite=abc"]);
  });
});

describe("random rooms", () => {
  it("have names that the protocol takes, whatever the dice say", () => {
    for (const pick of [() => 0, (below: number) => below - 1, (below: number) => below >> 1]) {
      const room = randomRoom(pick);
      expect(room).toMatch(/^[a-z]+-[a-z]+-[1-9][0-9]{2}$/);
      expect(parseRoom(room, HERE)).toEqual({ kind: "room", room });
    }
  });
});
