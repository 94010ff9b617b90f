import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { World, joined } from "./test_world";
import type { Coming, PassAnswer } from "./visit";
import { PRIVATE, UNREACHABLE } from "./words";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Somebody who has something to get a pass with; the answers come one after the other. */
function holder(...answers: PassAnswer[]) {
  const askPass = vi.fn(async (_coming: Coming) => answers.shift() ?? { pass: "another pass" });
  return { askPass, world: new World("musician", undefined, askPass) };
}

const joins = (world: World) => world.socket.sent.filter(({ type }) => type === "join");

describe("who has nothing to get a pass with", () => {
  it("asks to be let in the moment the socket is open", async () => {
    const world = new World();
    await world.session.start();
    world.socket.onopen?.();
    // Not a turn of the loop later.
    expect(joins(world)).toHaveLength(1);
    expect(joins(world)[0]).not.toHaveProperty("pass");
  });

  it("is told in words that the room is private, with the sound closed", async () => {
    const world = new World();
    await world.session.start();
    await world.open();
    await world.answer("join", { type: "error", code: "pass_wanted", text: "private" });
    expect(world.phase).toMatchObject({ name: "closed", problem: { code: "room_private" } });
    expect(world.audio.calls).toEqual(["close"]);
  });
});

describe("who has a password, an invite or an account", () => {
  it("gets a pass while the socket is being opened, and shows it", async () => {
    const { world, askPass } = holder({ pass: "a pass" });
    await world.session.start();
    expect(askPass).toHaveBeenCalledTimes(1);
    await world.open();
    expect(joins(world)).toMatchObject([{ room: "duo", pass: "a pass" }]);
    expect(askPass).toHaveBeenCalledTimes(1);
  });

  it("joins without one where nobody owns the room", async () => {
    const { world } = holder({ pass: null });
    await world.session.start();
    await world.open();
    expect(joins(world)).toHaveLength(1);
    expect(joins(world)[0]).not.toHaveProperty("pass");
  });

  it("never joins where the pass is refused", async () => {
    const { world } = holder({ problem: PRIVATE });
    await world.session.start();
    await world.open();
    expect(world.types).toEqual([]);
    expect(world.phase).toEqual({ name: "closed", problem: PRIVATE });
  });

  it("who left meanwhile is not joined by a pass that comes late", async () => {
    let come = (_answer: PassAnswer) => {};
    const world = new World("musician", undefined, () => new Promise((resolve) => (come = resolve)));
    await world.session.start();
    await world.open();
    world.session.leave();
    come({ pass: "late" });
    await world.settle();
    expect(joins(world)).toEqual([]);
  });
});

describe("who comes back", () => {
  it("needs none for the seat, and another one where the seat is gone", async () => {
    const { world, askPass } = holder({ pass: "first" }, { pass: "second" });
    await world.enter();
    world.socket.close();
    await world.settle();
    await world.open();
    expect(joins(world)).toMatchObject([{ seat: "first seat" }]);
    expect(joins(world)[0]).not.toHaveProperty("pass");
    expect(askPass).toHaveBeenCalledTimes(1);
    await world.answer("join", { type: "error", code: "seat_gone", text: "" });
    expect(joins(world).at(-1)).toMatchObject({ pass: "second" });
    expect(joins(world).at(-1)).not.toHaveProperty("seat");
    await world.answer("join", joined(false));
    expect(world.phase.name).toBe("in");
  });

  it("says so when it asks for another pass", async () => {
    const { world, askPass } = holder({ pass: "first" }, { problem: UNREACHABLE }, { pass: "third" });
    await world.enter();
    expect(askPass).toHaveBeenLastCalledWith("first");
    world.socket.close();
    await world.settle();
    await world.open();
    await world.answer("join", { type: "error", code: "seat_gone", text: "" });
    expect(askPass).toHaveBeenLastCalledWith("back");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(askPass).toHaveBeenCalledTimes(3);
    expect(askPass).toHaveBeenLastCalledWith("back");
  });

  it("tries again where the server of passes does not answer", async () => {
    const { world } = holder({ pass: "first" }, { problem: UNREACHABLE }, { pass: "third" });
    await world.enter();
    world.socket.close();
    await world.settle();
    await world.open();
    await world.answer("join", { type: "error", code: "seat_gone", text: "" });
    expect(world.phase.name).toBe("away");
    await vi.advanceTimersByTimeAsync(1_000);
    await world.open();
    expect(joins(world)).toMatchObject([{ pass: "third" }]);
  });

  it("stays away once taken out", async () => {
    const world = new World();
    await world.enter();
    world.socket.receive({ type: "bye", reason: "removed", text: "Bo took you out" });
    world.socket.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.sockets).toHaveLength(1);
    expect(world.phase).toMatchObject({ name: "closed", problem: { code: "removed" } });
    expect(world.audio.calls.at(-1)).toBe("close");
  });

  it("stays away where the word of it got lost", async () => {
    const world = new World();
    await world.enter();
    world.socket.close();
    await world.settle();
    await world.open();
    await world.answer("join", { type: "error", code: "removed", text: "ten minutes" });
    expect(world.phase).toMatchObject({ name: "closed", problem: { code: "removed" } });
  });
});
