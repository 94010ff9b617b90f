import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Live, type LinkState, type LiveEvent, type LiveSocket } from "./live";

class Socket implements LiveSocket {
  onmessage: LiveSocket["onmessage"] = null;
  onclose: LiveSocket["onclose"] = null;
  closed = false;
  readonly sent: unknown[] = [];
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
  says(event: object) {
    this.onmessage?.({ data: JSON.stringify(event) });
  }
}

function world(known: Record<string, number> = {}) {
  const sockets: Socket[] = [];
  const states: LinkState[] = [];
  const events: LiveEvent[] = [];
  const doubted = vi.fn();
  const owner = { state: (state: LinkState) => void states.push(state), event: (event: LiveEvent) => void events.push(event), known: () => known, doubted };
  const open = () => {
    sockets.push(new Socket());
    return last();
  };
  const last = () => sockets.at(-1) as Socket;
  const live = new Live(owner, open, () => 1);
  const up = () => {
    last().says({ type: "ready" });
    last().says({ type: "resumed" });
  };
  return { live, sockets, states, events, doubted, last, up };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the live connection", () => {
  it("resumes once it is ready, and is live once that is done", () => {
    const { live, states, last } = world({ c: 7 });
    live.dial();
    expect(last().sent).toEqual([]);
    last().says({ type: "ready" });
    expect([last().sent, states]).toEqual([[{ type: "resume", chats: { c: 7 } }], ["connecting"]]);
    last().says({ type: "resumed" });
    expect(states).toEqual(["connecting", "live"]);
  });

  it("says resume also where it knows of nothing, and in parts where it knows of much", () => {
    const none = world();
    none.live.dial();
    none.last().says({ type: "ready" });
    expect(none.last().sent).toEqual([{ type: "resume", chats: {} }]);
    const much = world(Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`c${i}`, i])));
    much.live.dial();
    much.last().says({ type: "ready" });
    expect(much.last().sent.map((each) => Object.keys((each as { chats: object }).chats).length)).toEqual([500, 500, 1]);
  });

  it("comes again after a drop, later each time, and soon again once it was live", () => {
    const { live, sockets, states, last, up } = world();
    live.dial();
    for (const waitMs of [500, 1000, 2000, 4000, 8000, 15_000, 15_000]) {
      const count = sockets.length;
      last().onclose?.({ code: 1006 });
      expect(states.at(-1)).toBe("waiting");
      vi.advanceTimersByTime(waitMs - 1);
      expect(sockets).toHaveLength(count);
      vi.advanceTimersByTime(1);
      expect([sockets.length, states.at(-1)]).toEqual([count + 1, "connecting"]);
    }
    up();
    last().onclose?.({ code: 1001 });
    vi.advanceTimersByTime(500);
    expect(sockets).toHaveLength(9);
  });

  it("ends where the session has, and where the server cannot read it", () => {
    for (const [code, state] of [[4401, "signed_out"], [4400, "ended"]] as const) {
      const { live, sockets, states, last, up } = world();
      live.dial();
      up();
      last().onclose?.({ code });
      vi.advanceTimersByTime(60_000);
      live.dial();
      expect([sockets.length, states.at(-1)]).toEqual([1, state]);
    }
  });

  it("waits longer where it said too much", () => {
    const { live, sockets, last, up } = world();
    live.dial();
    up();
    last().onclose?.({ code: 4429 });
    vi.advanceTimersByTime(9_999);
    expect(sockets).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(sockets).toHaveLength(2);
  });

  it("gives up one that says nothing, and hears nothing of it any more", () => {
    const { live, sockets, events, states } = world();
    live.dial();
    vi.advanceTimersByTime(15_000);
    expect([sockets[0]?.closed, states.at(-1)]).toEqual([true, "waiting"]);
    sockets[0]?.says({ type: "ready" });
    expect(events).toEqual([]);
  });

  it("asks who is signed in where it could not be opened, not where it was", () => {
    const { live, doubted, last, up } = world();
    live.dial();
    last().onclose?.({ code: 1006 });
    expect(doubted).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(500);
    up();
    last().onclose?.({ code: 1006 });
    expect(doubted).toHaveBeenCalledTimes(1);
  });

  it("ignores what it does not know", () => {
    const { live, events, last } = world();
    live.dial();
    last().says({ type: "news" });
    last().onmessage?.({ data: "no json" });
    last().onmessage?.({ data: "null" });
    expect(events).toEqual([]);
  });

  it("says after a drop again that nobody looks", () => {
    const { live, last, up } = world();
    live.say({ type: "presence", state: "away" });
    live.dial();
    up();
    expect(last().sent.at(-1)).toEqual({ type: "presence", state: "away" });
  });
});
