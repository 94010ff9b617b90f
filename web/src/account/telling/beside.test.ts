import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { initialState, type SessionState } from "../../session/state";
import type { LiveSocket } from "../chats/live";
import { accompany, usedIn } from "./beside";
import type { Feature, UsageEvent } from "./usage";

class Socket implements LiveSocket {
  onmessage: LiveSocket["onmessage"] = null;
  onclose: LiveSocket["onclose"] = null;
  closed = false;
  readonly sent: object[] = [];
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
  up() {
    for (const type of ["ready", "resumed"]) this.onmessage?.({ data: JSON.stringify({ type }) });
  }
}

function world(before: Feature[] = []) {
  const sockets: Socket[] = [];
  const state = signal<SessionState>({ ...initialState("attic"), phase: { name: "in" }, me: 1 });
  const played = vi.fn<(events: UsageEvent[]) => void>();
  const beReady = vi.fn();
  const openSocket = () => {
    sockets.push(new Socket());
    return sockets.at(-1) as Socket;
  };
  const isSignedIn = vi.fn(async () => true);
  const end = accompany({ state }, before, { openSocket, isSignedIn, played, beReady, now: () => Date.now() });
  const change = (part: Partial<SessionState>) => void (state.value = { ...state.value, ...part });
  return { sockets, state, change, played, beReady, isSignedIn, end };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const JAMMING = { type: "jamming", on: true, room: "attic" };

describe("beside a visit", () => {
  it("friends are told once the sound had its time, and again after a drop", async () => {
    const { sockets, beReady, end } = world();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sockets).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_500);
    sockets[0]?.up();
    expect([sockets[0]?.sent, beReady.mock.calls.length]).toEqual([[{ type: "resume", chats: {} }, JAMMING], 1]);
    sockets[0]?.onclose?.({ code: 1001 });
    await vi.advanceTimersByTimeAsync(1_000);
    sockets[1]?.up();
    expect(sockets[1]?.sent).toContainEqual(JAMMING);
    end();
    expect(sockets[1]?.closed).toBe(true);
  });

  it("a server that is gone for a while is tried again, and not by whoever is signed out", async () => {
    const { sockets, isSignedIn, end } = world();
    await vi.advanceTimersByTimeAsync(2_500);
    sockets[0]?.onclose?.({ code: 1006 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sockets).toHaveLength(2);
    isSignedIn.mockResolvedValue(false);
    sockets[1]?.onclose?.({ code: 1006 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(2);
    end();
  });

  it("what was used is counted once when the visit is over, with how long it took", async () => {
    const { change, played, end, sockets } = world(["soundcheck"]);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    change({ shared: { click: [{}] as never, mode: "aligned", takes: [] } });
    change({ shared: { click: [], mode: "tight", takes: [] } });
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    change({ phase: { name: "closed", problem: null } });
    await vi.advanceTimersByTimeAsync(0);
    end();
    expect(played.mock.calls).toEqual([[[
      { kind: "session", with: "browser", minutes: 12 },
      { kind: "feature", feature: "soundcheck" },
      { kind: "feature", feature: "click" },
      { kind: "feature", feature: "playing_mode" },
    ]]]);
    expect(sockets[0]?.closed).toBe(true);
  });

  it("nothing is opened in a visit that is over in a moment", async () => {
    const { end, sockets, played } = world();
    end();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toEqual([]);
    expect(played.mock.calls).toEqual([[[{ kind: "session", with: "browser", minutes: 0 }]]]);
  });

  it("a visit of days is as long as the server takes", async () => {
    const { end, played } = world();
    vi.setSystemTime(Date.now() + 5 * 86_400_000);
    end();
    expect(played.mock.calls[0]?.[0][0]).toMatchObject({ minutes: 1440 });
  });
});

describe("what is in use", () => {
  const state = { ...initialState("attic"), me: 1 };
  const said = (participant: number) => [{ kind: "said", key: "1", message: { participant } }] as never;
  it.each([
    ["nothing", {}, []],
    ["a take that runs", { shared: { ...state.shared, takes: [{ id: "t" }] as never } }, ["take"]],
    ["no take that is over", { shared: { ...state.shared, takes: [{ id: "t", stop_us: 1 }] as never } }, []],
    ["a mode of one's own", { mode: "beat" as const }, ["playing_mode"]],
    ["what one said", { entries: said(1) }, ["chat"]],
    ["not what others said", { entries: said(2) }, []],
  ])("%s", (_, part, found) => {
    expect(usedIn({ ...state, ...part })).toEqual(found);
  });
});
