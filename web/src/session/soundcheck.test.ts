import { describe, expect, it, vi } from "vitest";

import type { SeenParticipant } from "../protocol";
import { type NetworkFigures, judgeFeedback, judgeNetwork, look, verdict } from "./soundcheck";
import type { SocketLike } from "./signalling";
import { playable } from "./tempo";

const GOOD: NetworkFigures = {
  roundTripMs: 18.24,
  upLostPermille: 0.3,
  downLostPermille: 0,
  upJitterMs: 1.5,
  aroundMs: 20,
};

const ana = (around_us?: number): SeenParticipant => ({
  name: "Ana",
  engine: "native",
  presence: "online",
  ...(around_us === undefined ? {} : { around_us }),
});

describe("the tempo", () => {
  it("is the one at which the delay is a sixteenth of a beat, up to 30 ms", () => {
    expect(playable(15)).toBe("comfortable at any tempo");
    expect(playable(23)).toBe("comfortable up to 160 bpm");
    expect(playable(30)).toBe("comfortable up to 125 bpm");
    expect(playable(40)).toBe("up to 90 bpm if one keeps time and the other follows");
    expect(playable(63)).toBe("too late to play in time");
  });
});

describe("the network", () => {
  it("is fine, or says what to do", () => {
    expect(judgeNetwork(GOOD)).toEqual({
      found: "18.2 ms to the server and back; 0.0 % lost on the way there and 0.0 % back.",
      todo: [],
    });
    expect(judgeNetwork({ ...GOOD, downLostPermille: 12 }).todo.join()).toContain("Packets get lost");
    expect(judgeNetwork({ ...GOOD, upJitterMs: 30 }).todo.join()).toContain("unevenly");
    expect(judgeNetwork({ ...GOOD, roundTripMs: null }).found).toMatch(/^0\.0 % lost/);
  });
});

describe("the loudspeaker", () => {
  it("is fine where hardly anything comes back", () => {
    expect(judgeFeedback(null).todo).toEqual([]);
    expect(judgeFeedback(-52).todo).toEqual([]);
    expect(judgeFeedback(-20).todo.join()).toContain("headphones");
  });
});

describe("the verdict", () => {
  it("is half of what one's own sound takes around, and half of theirs", () => {
    expect(verdict(20, [ana(26_000)])).toEqual(["You and Ana: 23 ms, comfortable up to 160 bpm."]);
    expect(verdict(20, [])).toEqual([
      "You and somebody as near to the server as you: 20 ms, comfortable up to 185 bpm.",
    ]);
    expect(verdict(20, [{ ...ana(1), presence: "away" }]).join()).toContain("as near to the server");
  });

  it("does not guess", () => {
    const unknown = ["Ana is there. How late you hear each other shows when you play."];
    expect(verdict(20, [ana()])).toEqual(unknown);
    expect(verdict(null, [ana(9)])).toEqual(unknown);
  });
});

describe("a look", () => {
  /** A server that answers with this, or ends it. */
  function server(answer: object | null): { socket: SocketLike; asked: string[]; closed: () => boolean } {
    let closed = false;
    const asked: string[] = [];
    const socket: SocketLike = {
      onopen: null,
      onmessage: null,
      onclose: null,
      send: (text) => {
        asked.push(text);
        const { request } = JSON.parse(text) as { request: number };
        if (answer === null) socket.onclose?.();
        else socket.onmessage?.({ data: JSON.stringify({ request, ...answer }) });
      },
      close: () => {
        closed = true;
      },
    };
    queueMicrotask(() => socket.onopen?.());
    return { socket, asked, closed: () => closed };
  }

  it("asks without joining, and hangs up", async () => {
    const { socket, asked, closed } = server({ type: "seen", room: "duo", participants: [ana(9)] });
    expect(await look(() => socket, "duo")).toEqual([ana(9)]);
    expect(asked.map((text) => JSON.parse(text))).toEqual([{ request: 1, type: "look", room: "duo" }]);
    await vi.waitFor(() => expect(closed()).toBe(true));
  });

  it("fails where the server refuses or goes", async () => {
    const refusal = { type: "error", code: "too_fast", text: "later" };
    await expect(look(() => server(refusal).socket, "duo")).rejects.toThrow("later");
    await expect(look(() => server(null).socket, "duo")).rejects.toThrow();
  });
});
