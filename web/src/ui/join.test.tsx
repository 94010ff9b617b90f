// @vitest-environment happy-dom

import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { signedIn, signedOut } from "../account/who";
import { BANNED, PRIVATE, type Problem } from "../session/words";
import { type Choice, Join } from "./join";

/** Inputs that the browser knows; `busy` is held by another program. */
const INPUTS = ["mic", "busy", "guitar"];

interface Opening {
  deviceId: string;
  stopped: boolean;
  finish(): Promise<void>;
}

let openings: Opening[] = [];
let chosen: Choice[] = [];
let held = false;

/** What the page asks for when it opens an input; it opens at once unless the test holds it. */
function getUserMedia({ audio }: { audio: { deviceId?: { exact: string } } }) {
  const deviceId = audio.deviceId?.exact ?? "mic";
  if (deviceId === "busy") return Promise.reject(new DOMException("", "NotReadableError"));
  return new Promise((resolve) => {
    const opening: Opening = { deviceId, stopped: false, finish: () => settled(open) };
    const stop = () => {
      opening.stopped = true;
    };
    const track = { getSettings: () => ({ deviceId }), stop };
    const open = () => resolve({ getTracks: () => [track], getAudioTracks: () => [track] });
    openings.push(opening);
    if (!held) open();
  });
}

beforeEach(() => {
  [openings, chosen, held] = [[], [], false];
  const node = { connect: () => undefined, fftSize: 2048, getFloatTimeDomainData: () => undefined };
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("RTCPeerConnection", class {});
  vi.stubGlobal("AudioContext", class {
    state = "running";
    createMediaStreamSource = () => node;
    close = async () => undefined;
  });
  vi.stubGlobal("AnalyserNode", class {
    constructor() {
      return node;
    }
  });
  const enumerateDevices = async () =>
    INPUTS.map((id) => ({ kind: "audioinput", deviceId: id, label: `The ${id}` }));
  Object.defineProperty(navigator, "mediaDevices", {
    value: Object.assign(new EventTarget(), { enumerateDevices, getUserMedia }),
    configurable: true,
  });
  const query = async () => ({ state: "prompt" });
  Object.defineProperty(navigator, "permissions", { value: { query }, configurable: true });
});

afterEach(() => {
  void act(() => render(null, document.body));
  localStorage.clear();
  vi.unstubAllGlobals();
});

/** The join screen of somebody who played through that input before. */
async function shown(remembered: string, problem: Problem | null = null): Promise<void> {
  localStorage.setItem("vjam", JSON.stringify({ name: "Ana", deviceId: remembered }));
  const query = { engine: null, uplink: "auto" as const, name: null, autojoin: false };
  const join = (choice: Choice) => void chosen.push(choice);
  await settled(() => {
    const page = <Join room="duo" query={query} problem={problem} busy={false} onJoin={join} />;
    render(page, document.body);
  });
}

/** Does it, and lets everything happen that waits for nothing. */
async function settled(what: () => void): Promise<void> {
  await act(async () => {
    what();
    await new Promise((resolve) => setTimeout(resolve));
  });
}

async function press(name: string): Promise<void> {
  const buttons = [...document.querySelectorAll("button")];
  await settled(() => buttons.find((each) => each.textContent?.trim().startsWith(name))?.click());
}

function select(): HTMLSelectElement {
  const found = document.querySelector<HTMLSelectElement>("#input");
  if (found === null) throw new Error("no input can be chosen");
  return found;
}

async function choose(deviceId: string): Promise<void> {
  const field = select();
  field.value = deviceId;
  await settled(() => void field.dispatchEvent(new Event("change", { bubbles: true })));
}

describe("the name", () => {
  it("is the username of whoever has signed in, until another one is typed", async () => {
    signedIn("ada");
    await settled(() => {
      const query = { engine: null, uplink: "auto" as const, name: null, autojoin: false };
      render(<Join room="duo" query={query} problem={null} busy={false} onJoin={() => undefined} />, document.body);
    });
    expect(document.querySelector<HTMLInputElement>("#name")?.value).toBe("ada");
    expect(document.querySelector(".who")?.textContent).toBe("Signed in as ada");
    void act(() => render(null, document.body));
    await shown("mic");
    expect(document.querySelector<HTMLInputElement>("#name")?.value).toBe("Ana");
    signedOut();
  });
});

describe("the password of the room", () => {
  const asked = () => document.querySelector<HTMLInputElement>("#room-password");

  it("is asked for once the room turned out to be private, and not again and again", async () => {
    await shown("mic");
    expect(asked()).toBeNull();
    await shown("mic", PRIVATE);
    expect(document.activeElement).toBe(asked());
    const field = asked();
    if (field === null) throw new Error("no password is asked for");
    field.value = "tune";
    await settled(() => void field.dispatchEvent(new Event("input", { bubbles: true })));
    await press("Join");
    expect(chosen).toMatchObject([{ name: "Ana", password: "tune" }]);
    // While it is tried, and after that, it is there to be mended.
    await shown("mic");
    expect(asked()?.value).toBe("tune");
  });

  it("can be looked at while it is typed", async () => {
    await shown("mic", PRIVATE);
    expect(asked()?.type).toBe("password");
    await press("Show");
    expect(asked()?.type).toBe("text");
  });

  it("is no way in for who is banned", async () => {
    await shown("mic", BANNED);
    expect(document.querySelector("[role=alert]")?.textContent).toContain("banned");
    expect(asked()).toBeNull();
  });
});

describe("the input", () => {
  it("can be chosen anew when another program holds the remembered one", async () => {
    await shown("busy");
    await press("Check my");
    expect(document.querySelector("[role=alert]")?.textContent).toContain("in use");
    await choose("guitar");
    expect(openings.map(({ deviceId }) => deviceId)).toEqual(["guitar"]);
    expect(document.querySelector("[role=meter]")).not.toBeNull();
    await press("Join");
    expect(chosen).toMatchObject([{ name: "Ana", deviceId: "guitar", part: "musician" }]);
    expect(openings[0]?.stopped).toBe(false);
  });

  it("stays in its place, and keeps the focus, while another one opens", async () => {
    await shown("mic");
    await press("Check my");
    const before = select();
    before.focus();
    held = true;
    await choose("guitar");
    expect(openings[0]?.stopped).toBe(true);
    await openings[1]?.finish();
    expect(select()).toBe(before);
    expect(document.activeElement).toBe(before);
    expect(before.value).toBe("guitar");
  });

  it("is opened once: what opens too late is closed again", async () => {
    held = true;
    await shown("mic");
    await press("Check my");
    await press("Check my");
    await openings[1]?.finish();
    await openings[0]?.finish();
    expect(openings.map(({ stopped }) => stopped)).toEqual([true, false]);
  });

  it("that opens only after one has joined is closed again", async () => {
    held = true;
    await shown("mic");
    await press("Check my");
    await press("Join");
    await openings[0]?.finish();
    expect(chosen).toMatchObject([{ deviceId: "mic", stream: null }]);
    expect(openings[0]?.stopped).toBe(true);
  });

  it("is waited for by a sound check that is started while it opens", async () => {
    held = true;
    await shown("mic");
    await press("Check my");
    await press("Start the sound check");
    const said = () => document.querySelector(".soundcheck [role=status]")?.textContent;
    expect(said()).toBe("Opening your input.");
    // Another one is chosen meanwhile: the first is closed, and is not the one to be heard.
    await press("Check my");
    await openings[0]?.finish();
    expect(said()).toBe("Opening your input.");
    await openings[1]?.finish();
    expect(said()).toMatch(/Loudspeaker\.|chirp/);
  });
});
