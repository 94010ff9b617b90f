import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { ClickSegment, ClientMessage, RoomState, Take } from "../protocol";
import { FIRST_SETTINGS } from "./click";
import { Conductor, mayLead } from "./conductor";

const NOW_US = 1_790_000_000_000_000;

/** A room that does what it is asked, by a clock that the test sets. */
function room(shared: Partial<RoomState> = {}) {
  const state: RoomState = { click: [], mode: "tight", takes: [], ...shared };
  const asked: ClientMessage[] = [];
  const world = { state, asked, nowUs: NOW_US as number | null, refuse: "" };
  const conductor = new Conductor({
    shared: () => world.state,
    nowUs: () => world.nowUs,
    ask: async (message) => {
      asked.push(message);
      if (message.type === world.refuse) return false;
      if (message.type === "click") world.state = { ...world.state, click: message.segments };
      return true;
    },
  });
  return { world, conductor };
}

const click = (start_us: number): ClickSegment[] => [{ ...FIRST_SETTINGS, start_us, bar: 1 }];
const take: Take = { id: "a", key: "b", title: "Take 1", started_by: "Bo", start_us: NOW_US };

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a conductor", () => {
  it("begins and ends a click", async () => {
    const { world, conductor } = room();
    await conductor.startClick(FIRST_SETTINGS, 2);
    await conductor.stopClick();
    expect(world.asked).toEqual([
      { type: "click", segments: [{ ...FIRST_SETTINGS, start_us: NOW_US + 500_000, bar: -1 }] },
      { type: "click", segments: [] },
    ]);
  });

  it("names no moment before the room's clock is known", async () => {
    const { world, conductor } = room({ takes: [take] });
    world.nowUs = null;
    expect(conductor.ready).toBe(false);
    await conductor.startClick(FIRST_SETTINGS, 0);
    await conductor.startTake("", null);
    await conductor.stopTake();
    await conductor.markTake("here");
    expect(world.asked).toEqual([]);
    // Neither needs one.
    await conductor.lead(true);
    await conductor.setMode("beat");
    expect(world.asked).toEqual([{ type: "lead", leading: true }, { type: "mode", mode: "beat" }]);
  });

  it("asks for the last of many small changes only", async () => {
    const { world, conductor } = room({ click: click(NOW_US - 100_000) });
    for (const tempo_millibpm of [121_000, 122_000, 123_000]) {
      conductor.changeClick({ ...FIRST_SETTINGS, tempo_millibpm });
      await vi.advanceTimersByTimeAsync(100);
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(world.asked).toHaveLength(1);
    expect(world.state.click.map((s) => s.tempo_millibpm)).toEqual([120_000, 123_000]);
    // Of a click that was ended nothing goes on.
    conductor.changeClick(FIRST_SETTINGS);
    await conductor.stopClick();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(world.state.click).toEqual([]);
    conductor.changeClick(FIRST_SETTINGS);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(world.asked).toHaveLength(2);
  });

  it("begins a take in a moment, or with the next bar of the click", async () => {
    const { world, conductor } = room();
    await conductor.startTake(`  ${"é".repeat(70)} `, null);
    expect(world.asked[0]).toEqual({ type: "start_take", title: "é".repeat(64), start_us: NOW_US + 500_000 });
    // Bars of two seconds, the first a second ago.
    world.state = { ...world.state, click: click(NOW_US - 1_000_000) };
    await conductor.startTake("", { settings: FIRST_SETTINGS, bars: 1 });
    expect(world.asked.slice(1)).toEqual([{ type: "start_take", title: "", start_us: NOW_US + 1_000_000 }]);
  });

  it("begins a take with a click that is counted in, and not without that click", async () => {
    const { world, conductor } = room();
    const countIn = { settings: FIRST_SETTINGS, bars: 1 };
    await conductor.startTake("", countIn);
    expect(world.asked.map(({ type }) => type)).toEqual(["click", "start_take"]);
    expect(world.state.click[0]).toMatchObject({ bar: 0, start_us: NOW_US + 500_000 });
    expect(world.asked[1]).toMatchObject({ start_us: NOW_US + 500_000 });
    const refused = room();
    refused.world.refuse = "click";
    expect(await refused.conductor.startTake("", countIn)).toBe(false);
    expect(refused.world.asked).toHaveLength(1);
  });

  it("ends a take no sooner than it begins", async () => {
    const { world, conductor } = room();
    expect(await conductor.stopTake()).toBe(false);
    world.state = { ...world.state, takes: [{ ...take, stop_us: NOW_US }, { ...take, start_us: NOW_US + 9 }] };
    await conductor.stopTake();
    world.nowUs = NOW_US + 20;
    await conductor.stopTake();
    expect(world.asked).toEqual([
      { type: "stop_take", stop_us: NOW_US + 9 },
      { type: "stop_take", stop_us: NOW_US + 20 },
    ]);
  });
});

it("who may set click and mode is whoever leads, or everybody", () => {
  const state: RoomState = { click: [], mode: "tight", takes: [] };
  expect([mayLead(state, 1), mayLead({ ...state, leader: 1 }, 1)]).toEqual([true, true]);
  expect(mayLead({ ...state, leader: 2 }, 1)).toBe(false);
});
