// @vitest-environment happy-dom

import { effect } from "@preact/signals";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";

import type { ClickSegment, ClientMessage, RoomState, Take } from "../../protocol";
import { loadPreferences } from "../../session/preferences";
import { World } from "../../session/test_world";
import { Together } from "./bar";
import { countWords } from "./beat";
import { stemsWords } from "./takes";

const NOW_US = 1_790_000_000_000_000;
const CLICK: ClickSegment = {
  start_us: NOW_US - 9_400_000,
  bar: 1,
  tempo_millibpm: 120_000,
  unit: 4,
  beats: ["accent", "normal", "silent"],
};
const TAKE: Take = { id: "a".repeat(32), key: "b".repeat(32), title: "Blue", started_by: "Bo", start_us: NOW_US - 61_000_000 };

let unmount = () => {};

/** The bar in a room whose clock is known, and shares this. */
async function shown(shared: Partial<RoomState> = {}, clock: "known" | "unknown" = "known"): Promise<World> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  const world = new World();
  await world.enter();
  vi.spyOn(world.session, "roomNowUs").mockImplementation(() => (clock === "known" ? NOW_US : null));
  const bo = { id: 2, name: "Bo", engine: "native", presence: "online", tracks: [] } as const;
  world.socket.receive({ type: "participant", participant: { ...bo, tracks: [] } });
  told(world, shared);
  const root = document.body.appendChild(document.createElement("div"));
  const stop = effect(() => {
    const state = world.session.state.value;
    void act(() => render(<Together session={world.session} state={state} />, root));
  });
  unmount = () => {
    stop();
    void act(() => render(null, root));
    root.remove();
  };
  return world;
}

const NOTHING: RoomState = { click: [], mode: "tight", takes: [] };

/** The server says what the room shares. */
function told(world: World, shared: Partial<RoomState>): void {
  world.socket.receive({ type: "room", state: { ...NOTHING, ...shared } });
}

/** What was asked of the room, the newest last. */
function asked(world: World): ClientMessage[] {
  const kinds = ["lead", "click", "mode", "start_take", "stop_take", "mark_take"];
  return world.socket.sent
    .filter(({ type }) => kinds.includes(type))
    .map(({ request: _request, ...message }) => message as ClientMessage);
}

function button(name: RegExp): HTMLButtonElement {
  const named = (each: HTMLElement) => each.getAttribute("aria-label") ?? each.textContent ?? "";
  const found = [...document.querySelectorAll("button")].find((each) => name.test(named(each)));
  if (found === undefined) throw new Error(`no button ${name}: ${document.body.textContent}`);
  return found;
}

async function press(name: RegExp): Promise<void> {
  await act(() => button(name).click());
}

function field<T extends HTMLElement = HTMLInputElement>(label: RegExp): T {
  const labels = [...document.querySelectorAll("label")];
  const found = labels.find((each) => label.test(each.textContent ?? ""))?.control;
  if (found === null || found === undefined) throw new Error(`no field ${label}`);
  return found as T;
}

async function set(element: HTMLInputElement | HTMLSelectElement, value: string): Promise<void> {
  element.value = value;
  await act(() => {
    element.dispatchEvent(new Event("input", { bubbles: true }));
    element.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

/** Lets the frame loop show what moves by itself. */
async function nextFrame(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
}

afterEach(() => {
  localStorage.clear();
  unmount();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("the click", () => {
  it("is begun as it was set, with a bar counted in", async () => {
    const world = await shown();
    await press(/^Click/);
    await set(field(/^Tempo/), "92.5");
    await set(field<HTMLSelectElement>(/^Meter/), "3");
    await press(/^Beat 2: plain/);
    await press(/^Beat 3: plain/);
    await press(/^Beat 3: silent/);
    await press(/Start the click/);
    expect(asked(world)).toEqual([
      {
        type: "click",
        segments: [{ start_us: NOW_US + 500_000, bar: 0, tempo_millibpm: 92_500, unit: 4, beats: ["accent", "silent", "accent"] }],
      },
    ]);
  });

  it("goes on differently from the next bar on, and is stopped", async () => {
    const world = await shown({ click: [CLICK] });
    await press(/^Click/);
    expect(field(/^Tempo/).value).toBe("120");
    await press(/^Faster/);
    await press(/^Faster/);
    await act(() => void field(/^Tempo/).dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true })));
    expect(field(/^Tempo/).value).toBe("121");
    await vi.advanceTimersByTimeAsync(500);
    // Bars of 1.5 s since 9.4 s: one is 1.1 s away.
    expect(asked(world)).toEqual([
      { type: "click", segments: [CLICK, { ...CLICK, start_us: NOW_US + 1_100_000, bar: 8, tempo_millibpm: 121_000 }] },
    ]);
    await press(/Stop the click/);
    expect(asked(world).at(-1)).toEqual({ type: "click", segments: [] });
  });

  it("a tempo that is being typed stays while the room changes", async () => {
    const world = await shown();
    await press(/^Click/);
    const tempo = field(/^Tempo/);
    tempo.value = "9";
    await act(() => void tempo.dispatchEvent(new Event("input", { bubbles: true })));
    await act(() => world.session.setMuted(true));
    told(world, { mode: "beat" });
    await act(() => undefined);
    expect(tempo.value).toBe("9");
    await set(tempo, "96");
    expect(tempo.value).toBe("96");
    await set(tempo, "9");
    expect(tempo.value).toBe("20");
  });

  it("is tapped, by finger and by key", async () => {
    await shown();
    await press(/^Click/);
    const tap = (type: string, at: number) => {
      const event = new MouseEvent(type, { bubbles: true, detail: 0 });
      Object.defineProperty(event, "timeStamp", { value: at });
      return act(() => void button(/^Tap/).dispatchEvent(event));
    };
    await tap("pointerdown", 0);
    await tap("pointerdown", 600);
    await tap("click", 1_200);
    expect(field(/^Tempo/).value).toBe("100");
  });

  it("follows whoever leads, and shows the beat of this moment", async () => {
    const world = await shown({ click: [CLICK], leader: 2 });
    await press(/^Click/);
    expect(document.body.textContent).toContain("Bo leads");
    expect(button(/Stop the click/).disabled).toBe(true);
    expect(field(/^Tempo/).closest("fieldset")?.disabled).toBe(true);
    await nextFrame();
    // 9.4 s are 18 beats of half a second, and six bars.
    expect(document.querySelector(".beat-now")?.textContent).toBe("7.1");
    expect(document.querySelector(".beat.now")?.getAttribute("aria-label")).toBe("Beat 1: accented");
    await press(/Take the lead/);
    expect(asked(world)).toEqual([{ type: "lead", leading: true }]);
    told(world, { click: [{ ...CLICK, tempo_millibpm: 80_000 }], leader: 1 });
    await act(() => undefined);
    expect(field(/^Tempo/).value).toBe("80");
    expect(button(/Give up the lead/).disabled).toBe(false);
  });

  it("waits for the room's clock", async () => {
    await shown({}, "unknown");
    await press(/^Click/);
    expect(button(/Start the click/).disabled).toBe(true);
    expect(document.body.textContent).toContain("clock is being read");
  });

  it("has a level of one's own, which is remembered", async () => {
    const world = await shown();
    await press(/^Click/);
    await set(field(/^Level/), "-12");
    await press(/Click off for me/);
    expect(world.audio.calls.slice(-2)).toEqual(["click gain -12", "click gain null"]);
    expect(loadPreferences().clickGainDb).toBeNull();
    await press(/Click off for me/);
    expect(loadPreferences().clickGainDb).toBe(-12);
  });

  it("says why there is none without our engine", async () => {
    const world = await shown({ click: [CLICK] });
    Object.assign(world.audio, { engine: { mode: "standard", missing: ["x"], failure: null } });
    await press(/^Click/);
    expect(document.body.textContent).toContain("you do not hear it");
    expect(document.body.textContent).toContain("newer Chrome");
  });
});

it("a click that has not begun, or is counted in, says so", () => {
  const beat = { atUs: 0, bar: 12, beat: 2, strength: "normal" as const };
  expect([countWords(beat), countWords({ ...beat, bar: 0 }), countWords(null)]).toEqual(["12.3", "in 3", "soon"]);
});

describe("the mode", () => {
  it("is the room's, or one's own, which is remembered", async () => {
    const world = await shown({ mode: "aligned" });
    await press(/^Mode/);
    const radios = [...document.querySelectorAll<HTMLInputElement>("input[type=radio]")];
    expect(radios.map(({ checked }) => checked)).toEqual([false, true, false]);
    await act(() => radios[2]?.click());
    expect(asked(world)).toEqual([{ type: "mode", mode: "beat" }]);
    await set(field<HTMLSelectElement>(/^For me/), "tight");
    expect(world.audio.calls.at(-1)).toBe("playing tight");
    expect(loadPreferences().mode).toBe("tight");
    expect(button(/^Mode/).textContent).toContain("for you alone");
    await set(field<HTMLSelectElement>(/^For me/), "");
    expect(world.audio.calls.at(-1)).toBe("playing aligned");
    expect(loadPreferences().mode).toBeNull();
  });
});

describe("a take", () => {
  it("is begun with a title, and with a click that is counted in", async () => {
    const world = await shown();
    await press(/^Record/);
    await set(field(/^Title/), "Blue");
    await act(() => field(/counted in/).click());
    await press(/Record everybody/);
    const [click] = asked(world);
    expect(click).toMatchObject({ type: "click", segments: [{ bar: 0, start_us: NOW_US + 500_000 }] });
    await world.answer("click", { type: "room", state: { ...NOTHING, click: [CLICK] } });
    expect(asked(world).at(-1)).toEqual({ type: "start_take", title: "Blue", start_us: NOW_US + 500_000 });
  });

  it("is in everybody's sight while it is recorded, is marked and stopped", async () => {
    const world = await shown({ takes: [TAKE] });
    await nextFrame();
    expect(document.querySelector(".recording")?.textContent).toContain("Recording 1:01");
    expect(document.querySelector(".recording")?.textContent).toContain("Bluestarted by Bo");
    await press(/^Mark/);
    expect(asked(world)).toEqual([{ type: "mark_take", at_us: NOW_US, text: "Mark by Ana" }]);
    await world.answer("mark_take", { type: "room", state: { ...NOTHING, takes: [TAKE] } });
    await act(() => undefined);
    expect(document.querySelector(".recording [role=status]")?.textContent).toBe("Marked at 1:01.");
    await press(/^Stop recording/);
    expect(asked(world).at(-1)).toEqual({ type: "stop_take", stop_us: NOW_US });
    told(world, { takes: [{ ...TAKE, stop_us: NOW_US }] });
    await act(() => undefined);
    expect(document.querySelector(".recording")).toBeNull();
  });

  it("tells how it is with its stems, asks again, and can be downloaded", async () => {
    const status = {
      seconds: 61,
      running: false,
      kept_until_unix_ms: 0,
      stems: [{ name: "Ana", label: "mic", bytes: 9, seconds: 61, state: "arriving" }],
      markers: [],
      export: { state: "waiting" },
      problems: ["nothing of Bo has come"],
    };
    const answers: object[] = [status, { ...status, export: { state: "ready", bytes: 3_400_000, newest: true } }];
    const requests: string[] = [];
    vi.stubGlobal("fetch", async (url: string, init?: RequestInit) => {
      requests.push(`${url} ${new Headers(init?.headers).get("Authorization")}`);
      return new Response(JSON.stringify(answers.length === 1 ? answers[0] : answers.shift()));
    });
    await shown({ takes: [{ ...TAKE, stop_us: NOW_US }] });
    await press(/^Record/);
    const seen = () => document.querySelector(".takes")?.textContent ?? "";
    await vi.waitUntil(() => seen().includes("Stems: Ana arriving."));
    expect(requests).toEqual([`/api/v1/takes/${TAKE.id} Bearer ${TAKE.key}`]);
    expect(seen()).toContain("Nothing of Bo has come.");
    expect(seen()).toContain("1:01, by Bo");
    await act(async () => void (await vi.advanceTimersByTimeAsync(2_000)));
    await vi.waitUntil(() => seen().includes("3.4 MB"));
    expect(document.querySelector(".takes a")?.getAttribute("href")).toBe(`/api/v1/takes/${TAKE.id}/take.zip?key=${TAKE.key}`);
  });

  it("says why nothing is known of it", async () => {
    vi.stubGlobal("fetch", async () => new Response("there is no such take here", { status: 404 }));
    await shown({ takes: [{ ...TAKE, stop_us: NOW_US }] });
    await press(/^Record/);
    await vi.waitUntil(() => document.body.textContent?.includes("There is no such take here."));
  });
});

it("stems are told by how it is with them", () => {
  const stem = (name: string, state: "complete" | "arriving" | "damaged") => ({ name, label: "", bytes: 1, seconds: 1, state });
  expect(stemsWords({ stems: [] })).toBe("No stem has come yet.");
  const stems = [stem("Ana", "complete"), stem("", "damaged"), stem("Bo", "complete"), stem("Cy", "arriving")];
  expect(stemsWords({ stems })).toBe("Stems: Ana, Bo complete; Cy arriving; a stem damaged.");
});
