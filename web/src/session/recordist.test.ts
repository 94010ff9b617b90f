import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { RoomState, Take } from "../protocol";
import { World } from "./test_world";

const TAKE: Take = { id: "a".repeat(32), key: "k", title: "Blue", started_by: "Bo", start_us: 5 };
const NOW_US = 1_790_000_000_000_000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

async function entered(part: "musician" | "listener" = "musician"): Promise<World> {
  const world = new World(part);
  await world.enter();
  vi.spyOn(world.session, "roomNowUs").mockImplementation(() => NOW_US);
  world.stems.calls.length = 0;
  return world;
}

function shares(world: World, takes: Take[]): void {
  const state: RoomState = { click: [], mode: "tight", takes };
  world.socket.receive({ type: "room", state });
}

it("records while a take runs, and half a second more", async () => {
  const world = await entered();
  shares(world, [TAKE]);
  shares(world, [TAKE]);
  expect(world.stems.calls).toEqual([`begin ${TAKE.id} duo Ana mic`, "open 1"]);
  shares(world, [{ ...TAKE, stop_us: NOW_US + 200_000 }]);
  await vi.advanceTimersByTimeAsync(600);
  expect(world.stems.calls).not.toContain("end");
  await vi.advanceTimersByTimeAsync(200);
  expect(world.stems.calls.slice(2)).toEqual([`over ${TAKE.id}`, "end"]);
  expect(world.audio.calls.at(-1)).toBe("record no more");
});

it("a take that follows at once is another recording", async () => {
  const world = await entered();
  shares(world, [TAKE]);
  const next = { ...TAKE, id: "b".repeat(32) };
  shares(world, [{ ...TAKE, stop_us: NOW_US + 400_000 }, next]);
  expect(world.stems.calls.filter((call) => !call.startsWith("open"))).toEqual([
    `begin ${TAKE.id} duo Ana mic`,
    `over ${TAKE.id}`,
    "end",
    `begin ${next.id} duo Ana mic`,
  ]);
});

it("nobody is recorded who does not want it, or only listens", async () => {
  const world = await entered();
  world.session.setRecordMe(false);
  shares(world, [TAKE]);
  expect(world.stems.calls).toEqual([]);
  world.session.setRecordMe(true);
  expect(world.stems.calls).toEqual([`begin ${TAKE.id} duo Ana mic`, "open 1"]);
  world.session.setRecordMe(false);
  expect(world.stems.calls.at(-1)).toBe("end");
  const listener = await entered("listener");
  shares(listener, [TAKE]);
  expect(listener.stems.calls).toEqual([]);
});

it("goes on with a sound that is opened anew, and ends with one that cannot record", async () => {
  const world = await entered();
  shares(world, [TAKE]);
  world.socket.close();
  await world.settle();
  await world.enter(true);
  expect(world.stems.calls).toEqual([`begin ${TAKE.id} duo Ana mic`, "open 1"]);
  world.audio.onfailed?.("stopped");
  await world.settle();
  expect(world.audio.engine.mode).toBe("standard");
  expect(world.stems.calls.at(-1)).toBe("end");
});

it("a page that is loaded anew does not end what the next one goes on with", async () => {
  const world = await entered();
  shares(world, [TAKE]);
  world.session.leave("goes");
  expect(world.stems.calls).not.toContain("end");
});

it("whoever leaves has recorded until then", async () => {
  const world = await entered();
  shares(world, [TAKE]);
  world.session.leave();
  expect(world.stems.calls.slice(2)).toEqual(["end", "silent"]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(world.stems.calls).toHaveLength(4);
});
