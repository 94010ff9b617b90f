import { describe, expect, it, vi } from "vitest";

import type { Participant, RoomRole } from "../protocol";
import { Moderation, mayModerate } from "./moderation";

const somebody = (id: number, role?: RoomRole): Participant => ({
  id, name: `P${id}`, engine: "browser", presence: "online", tracks: [], ...(role === undefined ? {} : { role }),
});

describe("who may silence and remove", () => {
  it.each<[RoomRole | undefined, RoomRole | undefined, boolean]>([
    ["owner", "moderator", true],
    ["owner", "guest", true],
    ["owner", "owner", false],
    ["moderator", "guest", true],
    ["moderator", "moderator", false],
    ["moderator", "owner", false],
    ["guest", "guest", false],
    [undefined, undefined, false],
    ["moderator", undefined, false],
  ])("%s over %s: %s", (mine, theirs, may) => {
    expect(mayModerate(somebody(1, mine), somebody(2, theirs))).toBe(may);
  });

  it("is nobody over themselves, and nobody before they are in", () => {
    expect(mayModerate(somebody(1, "owner"), somebody(1, "guest"))).toBe(false);
    expect(mayModerate(undefined, somebody(2, "guest"))).toBe(false);
  });
});

it("asks for what is wanted, and tells whether it was done", async () => {
  const ask = vi.fn(async () => false);
  const moderation = new Moderation(ask);
  expect(await moderation.silence(2, true)).toBe(false);
  await moderation.remove(2);
  expect(ask.mock.calls).toEqual([[{ type: "silence", participant: 2, on: true }], [{ type: "remove", participant: 2 }]]);
});
