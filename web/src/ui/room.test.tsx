// @vitest-environment happy-dom

import { effect } from "@preact/signals";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";

import type { Participant } from "../protocol";
import { World } from "../session/test_world";
import { Room } from "./room";

const bo: Participant = {
  id: 2,
  name: "Bo",
  engine: "native",
  presence: "online",
  tracks: [{ id: 20, label: "mic", channels: 1, muted: false }],
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

afterEach(() => {
  unmount();
  vi.useRealTimers();
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
