// @vitest-environment happy-dom

import { effect } from "@preact/signals";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";

import type { Participant } from "../protocol";
import type { PlayoutStats, RemoteStats } from "../session/audio_seam";
import { loadPreferences } from "../session/preferences";
import { World } from "../session/test_world";
import { Room } from "./room";

const bo: Participant = {
  id: 2,
  name: "Bo",
  engine: "native",
  presence: "online",
  tracks: [{ id: 20, label: "mic", channels: 1, muted: false }],
};

const PLAYOUT: PlayoutStats = {
  mode: "automatic",
  delayMs: 2.5,
  targetMs: 3,
  networkMs: 1,
  callbackMs: 1.5,
  driftMs: 0.4,
  redundancyMs: 0.1,
  concealedMsPerMinute: 42.1,
  recovered: 2,
  driftPpm: 12.3,
  ratePpm: -4,
};
const REMOTE: RemoteStats = {
  levelDb: -20,
  bufferMs: 2,
  delayMs: 9,
  received: 1000,
  lost: 5,
  late: 3,
  concealedMs: 50,
  leftOut: false,
  mouthToEarMs: null,
  paddingMs: 0,
  wantedMs: null,
  playout: null,
};

// What happy-dom has none of.
Object.defineProperty(navigator, "mediaDevices", {
  value: Object.assign(new EventTarget(), { enumerateDevices: async () => [] }),
});

let unmount = () => {};

/** The room as it looks after these messages; it follows the session from then on. */
async function shown(...others: Participant[]): Promise<World> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  const world = new World();
  await world.enter();
  for (const participant of others) world.socket.receive({ type: "participant", participant });
  const root = document.body.appendChild(document.createElement("div"));
  const stop = effect(() => {
    const state = world.session.state.value;
    void act(() => render(<Room session={world.session} state={state} />, root));
  });
  unmount = () => {
    stop();
    void act(() => render(null, root));
    root.remove();
  };
  return world;
}

function named(role: string, name: string): HTMLElement {
  const found = [...document.querySelectorAll<HTMLElement>(role)].find(
    (element) => (element.getAttribute("aria-label") ?? element.textContent)?.trim() === name,
  );
  if (found === undefined) throw new Error(`no ${role} called ${name}`);
  return found;
}

function text(selector: string): string {
  return document.querySelector(selector)?.textContent ?? "";
}

function field(selector: string): HTMLInputElement | HTMLSelectElement {
  const found = document.querySelector<HTMLInputElement | HTMLSelectElement>(selector);
  if (found === null) throw new Error(`no ${selector}`);
  return found;
}

/** Gives a field another value, as its musician does. */
async function choose(found: HTMLInputElement | HTMLSelectElement, value: string): Promise<void> {
  found.value = value;
  await act(() => void found.dispatchEvent(new Event("change", { bubbles: true })));
}

afterEach(() => {
  localStorage.clear();
  unmount();
  vi.useRealTimers();
});

/** What one's own role is, and what the server says of somebody. */
const isNow = (world: World, participant: Partial<Participant>) =>
  act(async () => {
    world.socket.receive({ type: "participant", participant: { ...bo, ...participant } });
    await world.settle();
  });
const ana: Participant = { ...bo, id: 1, name: "Ana", engine: "browser", tracks: [] };
const press = (name: string) =>
  act(async () => {
    named("button", name).click();
    await Promise.resolve();
  });
const MORE = "What you can do about Bo";

describe("a room that somebody owns", () => {
  it("marks who owns and who moderates it, and nobody elsewhere", async () => {
    const world = await shown(bo);
    expect(document.querySelectorAll(".role, .person-more")).toHaveLength(0);
    await isNow(world, { ...ana, role: "owner" });
    await isNow(world, { role: "moderator" });
    expect(named("h2", "Bo moderator")).toBeTruthy();
    expect(text(".own .role")).toBe("owner");
    expect(document.querySelector<HTMLAnchorElement>(".room-header a")?.getAttribute("href")).toBe("/account/rooms/duo");
  });

  it("lets a moderator silence a guest, and lift it; the strip says so to everybody", async () => {
    const world = await shown(bo);
    await isNow(world, { ...ana, role: "moderator" });
    await isNow(world, { role: "guest" });
    await press(MORE);
    await press("Silence Bo for everybody");
    expect(world.socket.sent.at(-1)).toMatchObject({ type: "silence", participant: 2, on: true });
    await isNow(world, { role: "guest", silenced: true });
    expect(text("[data-participant='2'] .silenced")).toBe("Silenced: nobody hears Bo.");
    expect(named("button", "Silence Bo for everybody").getAttribute("aria-pressed")).toBe("true");
    await press("Silence Bo for everybody");
    expect(world.socket.sent.at(-1)).toMatchObject({ type: "silence", on: false });
  });

  it("asks before somebody is taken out, and keeps the focus in the room when they are gone", async () => {
    const world = await shown(bo);
    await isNow(world, { ...ana, role: "owner" });
    await isNow(world, { role: "guest" });
    await press(MORE);
    await press("Remove Bo");
    expect(world.types).not.toContain("remove");
    await press("Cancel");
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Remove Bo");
    await press("Remove Bo");
    await press("Remove");
    expect(world.socket.sent.at(-1)).toMatchObject({ type: "remove", participant: 2 });
    await act(async () => {
      await world.answer("remove", { type: "participant_left", participant: 2, reason: "removed" });
    });
    expect(document.activeElement?.id).toBe("room-title");
    expect(named("[role=log]", "What happens in the room").textContent).toBe("Bo was taken out of the room");
  });

  it("bans who has an account, and nobody else", async () => {
    const world = await shown(bo);
    await isNow(world, { ...ana, role: "owner" });
    await isNow(world, { role: "guest" });
    await press(MORE);
    expect(document.querySelector("[aria-label='Ban Bo']")).toBeNull();
    await isNow(world, { role: "guest", account: "an-account" });
    const asked: unknown[] = [];
    const answer = JSON.stringify({ code: "limit_reached", detail: "there are 200 bans already" });
    vi.stubGlobal("fetch", async (url: string, { body }: RequestInit) => {
      asked.push(url, JSON.parse(String(body)));
      return new Response(answer, { status: 409, headers: { "Content-Type": "application/problem+json" } });
    });
    await press("Ban Bo");
    await press("Ban");
    await vi.waitFor(() => expect(text(".person-menu [role=alert]")).toBe("There are 200 bans already."));
    expect(asked).toEqual(["/api/v1/social/rooms/duo/bans", { account: "an-account" }]);
    vi.unstubAllGlobals();
  });

  it("closes the menu by the keyboard, and gives the focus back", async () => {
    const world = await shown(bo);
    await isNow(world, { ...ana, role: "owner" });
    await press(MORE);
    expect(named("button", MORE).getAttribute("aria-expanded")).toBe("true");
    const escape = new KeyboardEvent("keydown", { key: "Escape", bubbles: true });
    await act(() => void named("button", "Silence Bo for everybody").dispatchEvent(escape));
    expect(document.querySelector(".person-menu")).toBeNull();
    expect(document.activeElement).toBe(named("button", MORE));
  });

  it("gives guests no menu, and a moderator none for the owner", async () => {
    const world = await shown(bo);
    await isNow(world, { ...ana, role: "guest" });
    await isNow(world, { role: "guest" });
    expect(document.querySelector(".person-more")).toBeNull();
    await isNow(world, { ...ana, role: "moderator" });
    expect(document.querySelector(".person-more")).not.toBeNull();
    await isNow(world, { role: "owner" });
    expect(document.querySelector(".person-more")).toBeNull();
  });

  it("tells who is silenced, where they look and to who listens", async () => {
    const world = await shown(bo);
    await isNow(world, { ...ana, role: "guest", silenced: true });
    expect(text(".notices [role=status]")).toContain("You are silenced.");
    expect(text(".own .tag")).toBe("silenced: nobody hears you");
    await isNow(world, { ...ana, role: "guest" });
    expect(text(".notices [role=status]")).toBe("");
    expect(text(".own .tag")).toBe("you");
  });
});

describe("the room", () => {
  it("gives the focus to its name, and shows how to fill it", async () => {
    await shown();
    expect(document.activeElement?.textContent).toBe("duo");
    expect(document.body.textContent).toContain("You are the first one here.");
    expect(document.body.textContent).toContain("vjam join");
  });

  it("has a labelled meter, gain, pan, mute and solo for everybody else", async () => {
    const world = await shown(bo);
    named("[role=meter]", "Level of Bo");
    const gain = document.querySelector<HTMLInputElement>("[data-track='20'] input.gain");
    expect(gain?.labels?.[0]?.textContent).toBe("Gain of Bo");
    if (gain !== null) gain.value = "-12";
    gain?.dispatchEvent(new Event("input", { bubbles: true }));
    expect(gain?.getAttribute("aria-valuetext")).toBe("−12 dB");
    named("button", "Solo Bo").click();
    expect(named("button", "Solo Bo").getAttribute("aria-pressed")).toBe("true");
    expect(world.session.state.value.mixes[20]).toMatchObject({ gainDb: -12, solo: true });
    expect(world.audio.calls.at(-1)).toBe("mix 20: -12 dB");
  });

  it("says how long somebody waits and why, and takes another choice of it", async () => {
    const world = await shown(bo);
    world.audio.remotes = { 20: { ...REMOTE, paddingMs: 12.5, playout: PLAYOUT } };
    await vi.waitFor(() => expect(text(".playout summary")).toContain("Waits 2.5 ms"));
    expect(text(".playout .shares")).toMatch(/Network 1.0 ms.*computer 1.5 ms.*Clocks 0.4 ms.*Redundancy 0.1 ms/);
    expect(text(".playout summary .tag")).toBe("automatic, +12.5 ms for the mode");
    const figures = [...document.querySelectorAll(".playout dd")].map((dd) => dd.textContent);
    expect(figures).toEqual(["3.0 ms", "42 ms/min", "3", "2", "+12 ppm", "−4 ppm"]);
    const select = field("[data-track='20'] .playout select");
    expect(select.labels?.[0]?.textContent).toBe("Delay of Bo");
    await choose(select, "fixed");
    // The delay that is wanted is where a fixed one starts.
    expect(world.audio.calls.at(-1)).toBe("mix 20: 0 dB, playout 3");
    const ms = field("[data-track='20'] .playout input");
    for (const [typed, taken] of [["12", 12], ["900", 500], ["-4", 0]] as const) {
      await choose(ms, typed);
      expect(world.session.state.value.mixes[20]?.playout).toBe(taken);
    }
    await choose(ms, "");
    expect([ms.value, world.session.state.value.mixes[20]?.playout]).toEqual(["0", 0]);
    await choose(select, "");
    expect(world.audio.calls.at(-1)).toBe("mix 20: 0 dB");
    expect(document.querySelector("[data-track='20'] .playout input")).toBeNull();
  });

  it("says whom a slow computer leaves out, and no longer when they are heard again", async () => {
    const world = await shown(bo);
    const told = () => [...document.querySelectorAll("[data-track='20'] [role=status]")].find((each) => each.textContent?.includes("Left out")) as HTMLElement;
    expect(told().hidden).toBe(true);
    world.audio.remotes = { 20: { ...REMOTE, leftOut: true } };
    await vi.waitFor(() => expect(told().hidden).toBe(false));
    world.audio.remotes = { 20: REMOTE };
    await vi.waitFor(() => expect(told().hidden).toBe(true));
  });

  it("takes a choice for everybody, and remembers it", async () => {
    const world = await shown(bo);
    const select = field(".own .playout-choice select");
    expect(select.labels?.[0]?.textContent).toBe("Delay of others who have none of their own");
    await choose(select, "safer");
    expect(world.audio.calls.at(-1)).toBe("playout safer");
    expect(text("[data-track='20'] .playout option")).toBe("As everybody (safer)");
    expect(loadPreferences().playout).toBe("safer");
  });

  it("has no account of a delay that the browser's own player keeps", async () => {
    const world = await shown(bo);
    expect(document.querySelectorAll(".playout, .playout-choice")).toHaveLength(3);
    await act(async () => {
      world.audio.onfailed?.("it stopped");
      await world.settle();
    });
    expect(world.audios).toHaveLength(2);
    expect(document.querySelectorAll(".playout, .playout-choice")).toHaveLength(0);
    expect(text("[data-track='20'] .numbers")).toContain("Delay");
  });

  it("says who came, for people who do not look", async () => {
    const world = await shown();
    world.socket.receive({ type: "participant", participant: bo });
    expect(named("[role=log]", "What happens in the room").textContent).toBe("Bo joined");
  });

  it("says that the connection is gone, and lets one try at once", async () => {
    const world = await shown(bo);
    world.socket.close();
    expect(document.querySelector(".banner")?.textContent).toContain("Connection lost.");
    expect(named("h2", "Bo")).toBeTruthy();
    named("button", "Try now").click();
    expect(world.sockets).toHaveLength(2);
  });

  it("sends what one types, and counts what came in unread", async () => {
    const world = await shown(bo);
    const field = document.querySelector<HTMLInputElement>("#say");
    if (field === null) throw new Error("no field to type into");
    field.value = "  from the top  ";
    await act(() => void field.dispatchEvent(new Event("input", { bubbles: true })));
    await act(() => document.querySelector<HTMLFormElement>("form.say")?.requestSubmit());
    expect(world.socket.sent.at(-1)).toMatchObject({ type: "chat", text: "from the top" });
    expect(field.value).toBe("");
    const message = { participant: 2, name: "Bo", text: "yes", at_unix_ms: 1_790_000_000_000 };
    world.socket.receive({ type: "chat", message: { ...message, id: 1 } });
    world.socket.receive({ type: "chat", message: { ...message, id: 2 } });
    expect(document.getElementById("open-chat")?.textContent).toBe("Chat (2 new)");
  });

  it("gives back what one typed when it could not be sent", async () => {
    const world = await shown(bo);
    const field = document.querySelector<HTMLInputElement>("#say");
    if (field === null) throw new Error("no field to type into");
    field.value = "hello?";
    await act(() => void field.dispatchEvent(new Event("input", { bubbles: true })));
    await act(() => document.querySelector<HTMLFormElement>("form.say")?.requestSubmit());
    expect(field.value).toBe("");
    await act(async () => {
      world.socket.close();
      await world.settle();
    });
    expect(field.value).toBe("hello?");
    expect(document.querySelector("[role=alert]")?.textContent).toContain("was not sent");
  });

  it("never renders what others say as anything but text", async () => {
    const world = await shown({ ...bo, name: "<img src=x onerror=alert(1)>" });
    world.socket.receive({
      type: "chat",
      message: { id: 1, participant: 2, name: "Bo", text: "<script>alert(1)</script>", at_unix_ms: 0 },
    });
    expect(document.querySelector("main img, aside script")).toBeNull();
    expect(document.querySelector(".entries .said p")?.textContent).toBe("<script>alert(1)</script>");
  });
});
