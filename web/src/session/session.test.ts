import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { ServerMessage } from "../protocol";
import { CONNECTED, STREAM, World, joined } from "./test_world";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("entering", () => {
  it("joins, opens the link with the ticket, and publishes", async () => {
    const world = new World();
    await world.enter();
    expect(world.types).toEqual(["join", "connect", "publish"]);
    expect(world.socket.sent[0]).toMatchObject({ room: "duo", name: "Ana", version: 1 });
    expect(world.socket.sent[0]).not.toHaveProperty("seat");
    expect(world.socket.sent[1]).toMatchObject({
      ticket: "first ticket",
      description: { kind: "sdp", sdp: "offer" },
    });
    expect(world.audio.calls).toEqual(["offer", "accept answer"]);
    expect(world.phase.name).toBe("in");
    expect(world.session.state.value.myTrack).toBe(1);
  });

  it("as a listener publishes nothing", async () => {
    const world = new World("listener");
    await world.enter();
    expect(world.types).toEqual(["join", "connect"]);
  });

  it("without a microphone never opens a connection", async () => {
    const world = new World("musician", () =>
      Promise.reject(new DOMException("no", "NotAllowedError")),
    );
    await world.session.start();
    expect(world.phase).toMatchObject({ name: "closed", problem: { code: "NotAllowedError" } });
    expect(world.sockets).toHaveLength(0);
  });

  it("of a full room ends in words, with the sound closed", async () => {
    const world = new World();
    await world.session.start();
    await world.open();
    await world.answer("join", { type: "error", code: "room_full", text: "32" });
    expect(world.phase).toMatchObject({ name: "closed", problem: { code: "room_full" } });
    expect(world.audio.calls).toEqual(["close"]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.sockets).toHaveLength(1);
  });

  it("of a server that does not answer ends in words", async () => {
    const world = new World();
    await world.session.start();
    world.socket.close();
    expect(world.phase).toMatchObject({ name: "closed", problem: { code: "unreachable" } });
  });
});

describe("in the room", () => {
  it("hands streams, encodings and reports to the sound", async () => {
    const world = new World();
    await world.enter();
    world.audio.calls.length = 0;
    world.socket.receive({ type: "streams", streams: [STREAM] });
    world.socket.receive({ type: "encodings_wanted", track: 1, codecs: ["opus-64", "opus"], redundant_frames: 1 });
    world.socket.receive({ type: "uplink", track: 1, codec: "opus-64", received_packets: 748, lost_packets: 2, jitter_us: 90 });
    await world.settle();
    expect(world.audio.calls).toEqual(["uplink opus-64 748 2", "streams 20", "mix 20: 0 dB", "encodings opus-64 opus with 1 repeated"]);
  });

  it("plays the room's click and mode, and what one chose for oneself", async () => {
    const world = new World();
    await world.enter();
    world.audio.calls.length = 0;
    const segment = { start_us: 9, bar: 1, tempo_millibpm: 90_000, unit: 4, beats: ["accent" as const] };
    const shared = { click: [segment], mode: "aligned" as const, takes: [] };
    world.socket.receive({ type: "room", state: shared });
    world.session.setOwnMode("beat");
    world.session.setClickGain(null);
    expect(world.audio.calls).toEqual(["click 90", "playing aligned", "playing beat", "click gain null"]);
    world.session.setOwnMode(null);
    expect(world.audio.calls.at(-1)).toBe("playing aligned");
    const heard = { track: 1, delay_us: 40_000, padding_us: 9_000, lost_permille: 0, concealed_permille: 0 };
    world.socket.receive({ type: "hearing", listener: 2, tracks: [heard] });
    expect(world.audio.calls.at(-1)).toBe("room least 31");
    // A sound that is opened anew is told all of it.
    world.audio.onfailed?.("stopped");
    await world.settle();
    expect(world.audios).toHaveLength(2);
    expect(world.audio.calls).toEqual(["click gain null", "click 90", "playing aligned", "room least 31"]);
  });

  it("forgets the click of a room that is gone", async () => {
    const world = new World();
    await world.enter();
    const segment = { start_us: 9, bar: 1, tempo_millibpm: 90_000, unit: 4, beats: ["accent" as const] };
    world.socket.receive({ type: "room", state: { click: [segment], mode: "tight", takes: [] } });
    world.socket.close();
    await world.settle();
    world.audio.calls.length = 0;
    await world.open();
    await world.answer("join", joined(false));
    world.socket.receive({ type: "room", state: { click: [], mode: "tight", takes: [] } });
    expect(world.session.state.value.shared.click).toEqual([]);
  });

  it("says where the room was not told", async () => {
    const world = new World();
    await world.enter();
    void world.session.conductor.lead(true);
    world.socket.close();
    await world.settle();
    expect(world.session.state.value.notice?.title).toBe("The room was not told.");
  });

  it("tells once a second which streams lose packets, and nothing while none does", async () => {
    const world = new World();
    await world.enter();
    const told = () => world.socket.sent.filter((message) => message.type === "reception");
    await vi.advanceTimersByTimeAsync(3_000);
    expect(told()).toEqual([]);
    world.audio.lossy = [{ ssrc: 1, expected_packets: 750, lost_packets: 9, gaps: 8 }];
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told()).toEqual([{ type: "reception", streams: world.audio.lossy }]);
    world.session.leave();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(told()).toHaveLength(1);
  });

  it("tells once a second how it hears the others", async () => {
    const world = new World();
    await world.enter();
    const told = () => world.socket.sent.filter((message) => message.type === "hearing");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(told()).toEqual([]);
    world.socket.receive({ type: "streams", streams: [STREAM] });
    world.audio.remotes = {
      20: {
        levelDb: -20,
        bufferMs: 2,
        delayMs: 9,
        mouthToEarMs: 23.4,
        paddingMs: 0,
        wantedMs: null,
        received: 10,
        lost: 0,
        late: 0,
        concealedMs: 0,
        leftOut: false,
        playout: null,
      },
    };
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told()).toEqual([
      {
        type: "hearing",
        tracks: [{ track: 20, delay_us: 23_400, lost_permille: 0, concealed_permille: 0 }],
        device: {},
      },
    ]);
  });

  it("offers again when slots run out, one negotiation after the other", async () => {
    const world = new World();
    await world.enter();
    world.audio.slotsNeedAnOffer = true;
    world.audio.calls.length = 0;
    world.socket.receive({ type: "slots_wanted", slots: 12 });
    world.socket.receive({ type: "slots_wanted", slots: 16 });
    await world.settle();
    expect(world.audio.calls).toEqual(["slots 12", "offer"]);
    await world.answer("connect", CONNECTED);
    expect(world.audio.calls).toEqual(["slots 12", "offer", "accept answer", "slots 16", "offer"]);
  });

  it("mutes the sound at once and tells the others", async () => {
    const world = new World();
    await world.enter();
    world.session.setMuted(true);
    expect(world.audio.calls.at(-1)).toBe("muted");
    expect(world.socket.sent.at(-1)).toMatchObject({ type: "mute", track: 1, muted: true });
  });

  it("steers playout for everybody and for one, in a sound that is opened anew as well", async () => {
    const world = new World();
    await world.enter();
    const bo = { id: 2, name: "Bo", engine: "native", presence: "online" } as const;
    const tracks = [{ id: 20, label: "mic", channels: 1, muted: false }];
    world.socket.receive({ type: "participant", participant: { ...bo, tracks } });
    world.socket.receive({ type: "streams", streams: [STREAM] });
    await world.settle();
    world.session.setDefaultPlayout("safer");
    world.session.setMix(20, { playout: 12 });
    expect(world.session.state.value.playout).toBe("safer");
    expect(world.audio.calls.slice(-2)).toEqual(["playout safer", "mix 20: 0 dB, playout 12"]);
    world.audio.onfailed?.("it stopped");
    await world.settle();
    expect(world.audios).toHaveLength(2);
    expect(world.audio.calls).toContain("playout safer");
  });

  it("publishes again when the sound moved to another source", async () => {
    const world = new World();
    await world.enter();
    world.audio.onpublication?.();
    await world.settle();
    expect(world.types).toEqual(["join", "connect", "publish", "publish"]);
  });

  it("keeps the input that works when a new one does not open", async () => {
    const world = new World();
    await world.enter();
    await world.session.setInputDevice("broken");
    expect(world.session.inputDeviceId).toBe("");
    expect(world.session.state.value.notice?.code).toBe("NotReadableError");
    await world.session.setInputDevice("usb");
    await world.session.setInputDevice("overtaken");
    expect(world.session.inputDeviceId).toBe("usb");
  });

  it("says when the input is gone, and what plays instead", async () => {
    const world = new World();
    await world.enter();
    await world.session.setInputDevice("usb");
    world.audio.oninputended?.(true);
    expect(world.session.state.value.notice?.code).toBe("input_replaced");
    expect(world.session.inputDeviceId).toBe("");
    world.audio.oninputended?.(false);
    expect(world.session.state.value.notice?.code).toBe("input_gone");
  });

  it("goes on with the browser's own sound when our engine is dead, and says so", async () => {
    const world = new World();
    await world.enter();
    const [old, dead] = [world.socket, world.audio];
    world.session.setMuted(true);
    dead.onfailed?.("it stopped again and again");
    await world.settle();
    expect(dead.calls.at(-1)).toBe("close");
    expect(world.audio.engine).toMatchObject({
      mode: "standard",
      failure: "it stopped again and again",
    });
    expect(world.audio.calls).toEqual(["muted"]);
    expect(world.session.state.value.notice?.code).toBe("engine_stopped");
    await world.enter(true);
    expect(world.socket.sent[0]).toMatchObject({
      type: "join",
      seat: "first seat",
      capabilities: { engine: "standard", decodes: ["opus"] },
    });
    expect(world.audio.calls).toEqual(["muted", "offer", "accept answer"]);
    expect(world.session.state.value.notice?.code).toBe("engine_stopped");
    // The server takes the place of the old socket away; nobody was ever gone.
    old.receive({ type: "bye", reason: "replaced", text: "" });
    old.close();
    expect(world.phase.name).toBe("in");
    expect(world.sockets).toHaveLength(2);
  });

  it("says nothing of an engine that ends after one left", async () => {
    const world = new World();
    await world.enter();
    const { onfailed } = world.audio;
    world.session.leave();
    onfailed?.("too late");
    await world.settle();
    expect(world.audios).toHaveLength(1);
  });

  it("leaves with a word and closes everything", async () => {
    const world = new World();
    await world.enter();
    world.session.leave();
    expect(world.types.at(-1)).toBe("leave");
    expect(world.audio.calls.at(-1)).toBe("close");
    expect(world.phase).toEqual({ name: "closed", problem: null });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.sockets).toHaveLength(1);
  });
});

describe("after a drop", () => {
  it("comes back into the seat with an ICE restart, the sound never closed", async () => {
    const world = new World();
    await world.enter();
    world.socket.close();
    expect(world.phase.name).toBe("away");
    await vi.advanceTimersByTimeAsync(0);
    expect(world.sockets).toHaveLength(2);
    await world.enter(true);
    expect(world.socket.sent[0]).toMatchObject({ type: "join", seat: "first seat" });
    expect(world.socket.sent[1]).toMatchObject({ type: "connect", ticket: "second ticket" });
    expect(world.audios).toHaveLength(1);
    expect(world.audio.calls).toEqual(["offer", "accept answer", "offer with ICE restart", "accept answer"]);
    expect(world.session.state.value.seat).toBe("second seat");
  });

  it("waits longer between attempts, up to four seconds", async () => {
    const world = new World();
    await world.enter();
    const at: number[] = [];
    const start = Date.now();
    while (at.length < 8) {
      const before = world.sockets.length;
      world.socket.close();
      while (world.sockets.length === before) await vi.advanceTimersByTimeAsync(50);
      at.push(Date.now() - start);
    }
    const waits = at.map((ms, i) => ms - (at[i - 1] ?? 0));
    expect(waits.slice(1)).toEqual([250, 500, 1000, 2000, 4000, 4000, 4000]);
  });

  it("joins anew on the same socket when the seat is gone, with a fresh link", async () => {
    const world = new World();
    await world.enter();
    world.socket.close();
    await world.settle();
    await world.open();
    await world.answer("join", { type: "error", code: "seat_gone", text: "too late" });
    expect(world.types).toEqual(["join", "join"]);
    expect(world.socket.sent[1]).not.toHaveProperty("seat");
    await world.answer("join", joined(false));
    expect(world.audios).toHaveLength(2);
    expect(world.audios[0]?.calls.at(-1)).toBe("close");
    expect(world.audio.calls).toEqual(["offer"]);
  });

  it.each([
    ["unmutes", true, false],
    ["mutes", false, true],
  ])("tells the server what it missed when one %s while away", async (_, before, after) => {
    const world = new World();
    await world.enter();
    world.session.setMuted(before);
    world.socket.close();
    world.session.setMuted(after);
    await world.enter(true, { muted: before });
    expect(world.socket.sent.at(-1)).toMatchObject({ type: "mute", track: 1, muted: after });
  });

  it("mutes again where the drop swallowed it, and not where it did not", async () => {
    for (const arrived of [false, true]) {
      const world = new World();
      await world.enter();
      world.session.setMuted(true);
      world.socket.close();
      await world.enter(true, { muted: arrived });
      expect(world.types.includes("mute"), `arrived: ${arrived}`).toBe(!arrived);
    }
  });

  it("drops the work that was waiting for the old seat", async () => {
    const world = new World();
    await world.enter();
    const old = world.audio;
    let release = () => {};
    old.held = new Promise((resolve) => {
      release = resolve;
    });
    old.slotsNeedAnOffer = true;
    world.socket.receive({ type: "slots_wanted", slots: 12 });
    world.socket.receive({ type: "slots_wanted", slots: 16 });
    await world.settle();
    world.socket.close();
    await world.settle();
    await world.open();
    await world.answer("join", joined(false));
    release();
    await world.settle();
    expect(old.calls).not.toContain("slots 16");
    expect(old.calls.at(-1)).toBe("close");
    expect(world.types).toEqual(["join", "connect"]);
  });

  it("goes on trying when the server restarts or is full for a while", async () => {
    const world = new World();
    await world.enter();
    world.socket.receive({ type: "bye", reason: "server_closing", text: "" });
    world.socket.close();
    await world.settle();
    await world.open();
    await world.answer("join", { type: "error", code: "server_full", text: "" });
    expect(world.phase).toMatchObject({ name: "away", why: "server_closing" });
    await vi.advanceTimersByTimeAsync(300);
    expect(world.sockets).toHaveLength(3);
    await world.open();
    await world.answer("join", joined(false));
    expect(world.phase.name).toBe("in");
  });

  it("tries at once when asked to", async () => {
    const world = new World();
    await world.enter();
    for (let drops = 0; drops < 6; drops += 1) {
      world.socket.close();
      await vi.advanceTimersByTimeAsync(4_000);
    }
    const before = world.sockets.length;
    world.socket.close();
    world.session.tryNow();
    expect(world.sockets).toHaveLength(before + 1);
  });

  it("notices a network that died without a word", async () => {
    const world = new World();
    await world.enter();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(world.phase.name).toBe("away");
  });

  it("does not take silence of the others for a dead network", async () => {
    const world = new World();
    await world.enter();
    for (let seconds = 0; seconds < 60; seconds += 2) {
      await vi.advanceTimersByTimeAsync(2_000);
      world.socket.receive({ type: "pong" });
    }
    expect(world.phase.name).toBe("in");
  });

  it("restarts ICE while only the sound is gone", async () => {
    const world = new World();
    await world.enter();
    world.audio.calls.length = 0;
    world.audio.onlink?.("down");
    await world.settle();
    expect(world.audio.calls).toEqual(["offer with ICE restart"]);
    await world.answer("connect", CONNECTED);
    await vi.advanceTimersByTimeAsync(2_000);
    world.socket.receive({ type: "pong" });
    expect(world.audio.calls.filter((call) => call.startsWith("offer"))).toHaveLength(2);
    await world.answer("connect", CONNECTED);
    world.audio.onlink?.("up");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(world.audio.calls.filter((call) => call.startsWith("offer"))).toHaveLength(2);
  });

  it("opens another link when the server has given the old one up", async () => {
    const world = new World();
    await world.enter();
    world.audio.onlink?.("down");
    await world.settle();
    await world.answer("connect", CONNECTED);
    world.socket.receive({ type: "error", code: "media_refused", text: "the link is closed" });
    await world.settle();
    expect(world.session.state.value.notice).toBeNull();
    expect(world.audios).toHaveLength(2);
    expect(world.audios[0]?.calls.at(-1)).toBe("close");
    expect(world.audio.calls).toEqual(["offer"]);
    await world.answer("connect", CONNECTED);
    expect(world.types.at(-1)).toBe("publish");
    // Refused again it is said, and not tried again at once.
    world.socket.receive({ type: "error", code: "media_refused", text: "no room" });
    await world.settle();
    expect(world.session.state.value.notice?.code).toBe("media_refused");
    expect(world.audios).toHaveLength(2);
  });

  it("opens another link when the server says that the old one is over", async () => {
    const world = new World();
    await world.enter();
    world.audio.onlink?.("up");
    await world.settle();
    const over: ServerMessage = { type: "error", code: "link_closed", text: "it is over" };
    world.socket.receive(over);
    await world.settle();
    expect(world.audios).toHaveLength(2);
    expect(world.audio.calls).toEqual(["offer"]);
    // What is said about the old one while the new one is on its way changes nothing.
    world.socket.receive(over);
    await world.settle();
    expect(world.audios).toHaveLength(2);
    expect(world.session.state.value.notice).toBeNull();
    await world.answer("connect", CONNECTED);
    expect(world.types.at(-1)).toBe("publish");
  });

  it("says that sound was dropped for its rate", async () => {
    const world = new World();
    await world.enter();
    world.socket.receive({ type: "error", code: "over_rate", text: "mic is sent too fast" });
    expect(world.session.state.value.notice?.advice).toContain("mic is sent too fast");
  });

  it("says that a message was not sent", async () => {
    const world = new World();
    await world.enter();
    const said = world.session.chat("one");
    world.socket.close();
    expect(await said).toBe(false);
    expect(world.session.state.value.notice?.code).toBe("not_sent");
    expect(await world.session.chat("two")).toBe(false);
  });
});
