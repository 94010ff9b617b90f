import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ProblemError } from "../client";
import { Outbox, type Pending, freshId } from "./outbox";

const gone = () => Promise.reject(new ProblemError("unreachable", "no server"));
const boxes: Outbox[] = [];

/** An outbox whose deliveries go one after the other as they are told; then all arrive. */
function world(...steps: (() => Promise<void>)[]) {
  const sent: Pending[] = [];
  let list: readonly Pending[] = [];
  const deliver = (pending: Pending) => {
    sent.push(pending);
    return steps.shift()?.() ?? Promise.resolve();
  };
  const box = new Outbox("ada", deliver, (now) => void (list = now));
  boxes.push(box);
  return { box, sent, list: () => list, bodies: () => sent.map(({ body }) => body) };
}

const kept = new Map<string, string>();
beforeEach(() => {
  vi.useFakeTimers();
  kept.clear();
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
});
afterEach(() => {
  for (const box of boxes.splice(0)) box.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the outbox", () => {
  it("sends again under the same name until it is answered", async () => {
    const { box, sent, list } = world(gone, gone, gone);
    box.add({ chat: "c", body: "hello", reply_to: null });
    await vi.advanceTimersByTimeAsync(500 + 1000 + 2000);
    expect(sent).toHaveLength(4);
    expect(new Set(sent.map(({ client_id }) => client_id)).size).toBe(1);
    expect(list()).toEqual([]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toHaveLength(4);
  });

  it("keeps the order of a chat, and does not hold up another one", async () => {
    const { box, bodies } = world(gone);
    box.add({ chat: "c", body: "1", reply_to: null });
    box.add({ chat: "c", body: "2", reply_to: null });
    box.add({ chat: "d", body: "other", reply_to: null });
    await vi.advanceTimersByTimeAsync(600);
    expect(bodies()).toEqual(["1", "other", "1", "2"]);
  });

  it("gives a request up that hangs, and names the same message again", async () => {
    const { box, sent, list } = world(() => new Promise(() => {}));
    box.add({ chat: "c", body: "hello", reply_to: null });
    await vi.advanceTimersByTimeAsync(20_000 + 500);
    expect([sent.length, sent[0]?.client_id === sent[1]?.client_id, list()]).toEqual([2, true, []]);
  });

  it("does not send again what the live connection brought back", async () => {
    const { box, sent, list } = world(gone);
    box.add({ chat: "c", body: "hello", reply_to: null });
    await vi.advanceTimersByTimeAsync(10);
    box.acknowledged(sent[0]?.client_id ?? "");
    await vi.advanceTimersByTimeAsync(60_000);
    expect([sent.length, list()]).toEqual([1, []]);
  });

  it("shows what was refused, goes on with the next, and sends it again when told to", async () => {
    const { box, sent, list, bodies } = world(() => Promise.reject(new ProblemError("invalid", "it is too long")));
    box.add({ chat: "c", body: "long", reply_to: null });
    box.add({ chat: "c", body: "next", reply_to: null });
    await vi.advanceTimersByTimeAsync(10);
    expect(list()).toMatchObject([{ body: "long", problem: "it is too long" }]);
    box.retry(sent[0]?.client_id ?? "");
    await vi.advanceTimersByTimeAsync(10);
    expect([bodies(), list()]).toEqual([["long", "next", "long"], []]);
    expect(sent[2]?.client_id).toBe(sent[0]?.client_id);
  });

  it("discards what was refused, never what may have arrived", async () => {
    const { box, sent, list } = world(gone);
    box.add({ chat: "c", body: "hello", reply_to: null });
    await vi.advanceTimersByTimeAsync(10);
    box.discard(sent[0]?.client_id ?? "");
    expect(list()).toHaveLength(1);
  });

  it("hurries when the server is there again", async () => {
    const { box, sent } = world(gone, gone, gone, gone, gone);
    box.add({ chat: "c", body: "hello", reply_to: null });
    await vi.advanceTimersByTimeAsync(7_500);
    expect(sent).toHaveLength(5);
    box.hurry();
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toHaveLength(6);
  });

  it("outlasts a reload, for the same account only", async () => {
    const first = world(gone);
    first.box.add({ chat: "c", body: "hello", reply_to: "m1" });
    await vi.advanceTimersByTimeAsync(10);
    first.box.stop();
    const second = world();
    await vi.advanceTimersByTimeAsync(10);
    expect(second.sent).toMatchObject([{ client_id: first.sent[0]?.client_id, body: "hello", reply_to: "m1" }]);

    kept.set("vjam.outbox", JSON.stringify({ account: "bob", list: [first.sent[0]] }));
    expect(world().sent).toEqual([]);
    expect(kept.size).toBe(0);
  });

  it("keeps what a message carries, and takes in what an earlier page kept without it", async () => {
    const first = world(gone);
    const gif = { provider: "giphy", id: "abc" };
    first.box.add({ chat: "c", body: "", reply_to: null, gif });
    await vi.advanceTimersByTimeAsync(10);
    first.box.stop();
    expect(world().sent).toMatchObject([{ body: "", files: [], gif }]);
    const { files: _, gif: __, ...older } = first.sent[0] ?? ({} as Pending);
    kept.set("vjam.outbox", JSON.stringify({ account: "ada", list: [older] }));
    expect(world().sent).toMatchObject([{ files: [], gif: null }]);
  });

  it("names messages by UUIDs", () => {
    expect(freshId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(freshId()).not.toBe(freshId());
  });
});
