import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Usage, type UsageEvent, type UsageWorld } from "./usage";

const click: UsageEvent = { kind: "feature", feature: "click" };
const session: UsageEvent = { kind: "session", with: "browser", minutes: 5 };

function world(allowed = true) {
  const ask = vi.fn<UsageWorld["ask"]>(async () => ({ allowed, crash_key: null }));
  const send = vi.fn<UsageWorld["send"]>(async () => true);
  return { usage: new Usage({ ask, send }), ask, send };
}

const later = () => vi.advanceTimersByTimeAsync(60_000);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("usage", () => {
  it("is told together, after the server was asked once", async () => {
    const { usage, ask, send } = world();
    usage.note(click);
    usage.note(session);
    expect(send).not.toHaveBeenCalled();
    await later();
    expect(send.mock.calls).toEqual([[[click, session]]]);
    usage.note(click);
    await later();
    expect([ask.mock.calls.length, send.mock.calls.length]).toEqual([1, 2]);
  });

  it("of whoever objected does not leave the page, nor is it kept there", async () => {
    const { usage, ask, send } = world(false);
    usage.note(click);
    await later();
    usage.note(session);
    await usage.flush();
    usage.decide(true);
    await usage.flush();
    expect([ask.mock.calls.length, send.mock.calls.length]).toEqual([1, 0]);
    usage.note(click);
    await usage.flush();
    expect(send.mock.calls).toEqual([[[click]]]);
  });

  it("is forgotten at once by whoever objects on this page", async () => {
    const { usage, send } = world();
    usage.note(click);
    await usage.know();
    usage.decide(false);
    await later();
    expect(send).not.toHaveBeenCalled();
  });

  it("is told at once where the page goes and it is known that it may, and else not", async () => {
    const { usage, send } = world();
    usage.note(click);
    await usage.flush();
    expect(send).not.toHaveBeenCalled();
    await usage.know();
    await usage.flush();
    expect(send).toHaveBeenCalledTimes(1);
  });

  it("is not told any more once the server refused it", async () => {
    const { usage, send } = world();
    send.mockResolvedValue(false);
    usage.note(click);
    await later();
    usage.note(click);
    await later();
    expect(send).toHaveBeenCalledTimes(1);
  });

  it("is lost where the server is gone, and asked for again where it did not answer", async () => {
    const { usage, ask, send } = world();
    ask.mockRejectedValueOnce(new Error("nobody"));
    usage.note(click);
    await later();
    expect(send).not.toHaveBeenCalled();
    send.mockRejectedValueOnce(new Error("gone"));
    usage.note(session);
    await later();
    expect(send.mock.calls).toEqual([[[click, session]]]);
    usage.note(click);
    await later();
    expect(send).toHaveBeenCalledTimes(2);
  });

  it("is as much as the server takes at once", async () => {
    const { usage, send } = world();
    for (let i = 0; i < 80; i += 1) usage.note(i < 30 ? session : click);
    await later();
    expect(send.mock.calls[0]?.[0]).toEqual(Array(50).fill(click));
  });
});
