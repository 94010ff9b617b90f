// The page's half of our engine, between threads that are made up: what it makes of a thread that
// stops, and what it tells one that takes another's place.

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { EngineAudio } from "./engine_audio";
import type { FromWorker, FromWorklet, ToWorker, ToWorklet } from "./messages";

class FakeNode {
  onprocessorerror: (() => void) | null = null;
  readonly told: ToWorklet[] = [];
  readonly port = {
    onmessage: null as ((event: { data: FromWorklet }) => void) | null,
    postMessage: (message: ToWorklet) => void this.told.push(message),
  };
  constructor() {
    nodes.push(this);
  }
  connect(): void {}
  disconnect(): void {}
  say(message: FromWorklet): void {
    this.port.onmessage?.({ data: message });
  }
}

class FakeWorker {
  onerror: ((event: { message: string }) => void) | null = null;
  onmessage: ((event: { data: FromWorker }) => void) | null = null;
  constructor() {
    workers.push(this);
  }
  postMessage(message: ToWorker): void {
    if (message.type === "start") queueMicrotask(() => this.say({ type: "ready" }));
  }
  terminate(): void {}
  say(message: FromWorker): void {
    this.onmessage?.({ data: message });
  }
}

let nodes: FakeNode[] = [];
let workers: FakeWorker[] = [];
const CLICK = { start_us: 5, bar: 1, tempo_millibpm: 90_000, unit: 4, beats: ["accent" as const] };
const STREAM = { ssrc: 9, participant: 2, track: 20, codec: "opus-64" as const, channels: 1 };

beforeEach(() => {
  [nodes, workers] = [[], []];
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
  vi.stubGlobal("fetch", async () => new Response(new ArrayBuffer(0)));
  vi.stubGlobal("Worker", FakeWorker);
  vi.stubGlobal("AudioWorkletNode", FakeNode);
  vi.stubGlobal("MediaStream", class {});
  vi.stubGlobal("MediaStreamAudioSourceNode", class {});
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** An engine on its way up: its threads are there and have not said a word. */
async function starting(contextState = "running") {
  const through = { connect: () => through, disconnect: () => undefined };
  const context = {
    state: contextState,
    destination: through,
    outputLatency: 0.01,
    currentTime: 3,
    getOutputTimestamp: () => ({ contextTime: 2, performanceTime: 5_000 }),
    audioWorklet: { addModule: async () => undefined },
    createGain: () => through,
  } as unknown as AudioContext;
  const input = through as unknown as AudioNode;
  const options = { context, channels: 1, bitrate: 128_000, input, uplink: "auto" as const };
  const before = nodes.length;
  const started = EngineAudio.start(options);
  await vi.waitUntil(() => before < nodes.length);
  return { started };
}

/** An engine that runs, and what it says of its end. */
async function running() {
  const { started } = await starting();
  newest().say({ type: "ready" });
  const engine = await started;
  const failures: string[] = [];
  engine.onfailed = (why) => failures.push(why);
  return { engine, failures };
}

function newest(): FakeNode {
  const node = nodes.at(-1);
  if (node === undefined) throw new Error("there is no worklet");
  return node;
}

it("does not start where a thread stops before it runs", async () => {
  const refused = await starting();
  newest().say({ type: "failed", text: "no memory" });
  await expect(refused.started).rejects.toThrow("no memory");
  const died = await starting();
  workers[1]?.onerror?.({ message: "no module" });
  await expect(died.started).rejects.toThrow("no module");
});

it("tells what fails later in a context that still waits for a touch", async () => {
  const engine = await (await starting("suspended")).started;
  const failures: string[] = [];
  engine.onfailed = (why) => failures.push(why);
  newest().say({ type: "failed", text: "no memory" });
  expect(failures).toEqual(["no memory"]);
});

it("replaces a worklet that stops, three times, and then says that it is over, once", async () => {
  const { engine, failures } = await running();
  engine.setStreams([STREAM]);
  engine.setMuted(true);
  engine.setEncodings(["opus-64"], 0);
  engine.setPlayingMode("beat");
  engine.setRoomLeast(31);
  engine.setClick([CLICK]);
  engine.setClickGain(-6);
  for (const worklets of [2, 3, 4]) {
    newest().onprocessorerror?.();
    expect(nodes).toHaveLength(worklets);
    const { told } = newest();
    const types = ["input-muted", "playing-mode", "room-least", "click", "click-gain", "encodings", "add-remote", "mix"];
    expect(told.map(({ type }) => type)).toEqual(types);
    expect(told).toContainEqual({ type: "playing-mode", mode: "beat" });
    expect(told).toContainEqual({ type: "room-least", ms: 31 });
    expect(told).toContainEqual({ type: "click", segments: [CLICK] });
    expect(told).toContainEqual({ type: "click-gain", gainDb: -6 });
  }
  expect(failures).toEqual([]);
  newest().onprocessorerror?.();
  expect(nodes).toHaveLength(4);
  expect(failures).toHaveLength(1);
  workers[0]?.say({ type: "failed", text: "sending stopped" });
  expect(failures).toHaveLength(1);
});

it("begins anew where the engine does not take what it is told", async () => {
  const { failures } = await running();
  newest().say({ type: "refused", command: "add-remote" });
  expect(nodes).toHaveLength(2);
  expect(nodes[0]?.told.at(-1)?.type).toBe("close");
  expect(failures).toEqual([]);
});

it("says that it is over when the worker stops, and nothing after it was closed", async () => {
  const { failures } = await running();
  workers[0]?.say({ type: "failed", text: "receiving stopped" });
  expect(failures).toEqual(["receiving stopped"]);
  const second = await running();
  await second.engine.close();
  workers[1]?.onerror?.({ message: "too late" });
  expect(second.failures).toEqual([]);
});

it("tells the engine where its frames lie on the room's clock, once that is known", async () => {
  const { engine } = await running();
  const clock = {
    localMs: performance.timeOrigin,
    aheadMs: 40,
    rate: 0,
    settled: false,
    boundMs: 5,
    precisionMs: 2,
    ratePpm: 0,
    steps: 0,
    exchanges: 9,
    roundTripMs: 8,
    jitterMs: 0.4,
  };
  const told = () => newest().told.filter(({ type }) => type === "room-clock");
  workers[0]?.say({ type: "room-clock", clock });
  expect(engine.stats().roomClock).toEqual(clock);
  expect(told()).toEqual([]);
  workers[0]?.say({ type: "room-clock", clock: { ...clock, settled: true } });
  // What is computed at 3 s is played 6 s after the page began, 10 ms after it left the graph.
  const heardMs = performance.timeOrigin + 6_000 + 40;
  expect(told()).toEqual([
    { type: "room-clock", contextMs: 3_000, heardMs, capturedMs: heardMs - 10 },
  ]);
});

it("shows what the engine says, with the output, for as long as it says something", async () => {
  const { engine } = await running();
  engine.setStreams([STREAM]);
  // One remote at -12 dB, 240 frames of playout in 480 of added delay.
  // It wants 288 frames: 48 for the network, 96 for callbacks, 120 for drift, 24 for redundancy.
  const why = [288, 48, 96, 120, 24, 7.5, -3, 3, 576, 1, 31.5, 4, NaN];
  const remote = [STREAM.ssrc, -12, 120, 240, 5, 0, 0, 0, NaN, 480, 6, 0, 0, ...why];
  newest().say({ type: "stats", probe: null, block: Float64Array.of(-20, -12, 0, 0, ...remote) });
  expect(engine.stats().inputLevelDb).toBe(-20);
  expect(engine.stats().remotes[20]).toMatchObject({
    levelDb: -12,
    delayMs: 20,
    leftOut: true,
    mouthToEarMs: 31.5,
    paddingMs: 4,
    wantedMs: null,
  });
  expect(engine.stats().remotes[20]?.playout).toEqual({
    mode: 12,
    delayMs: 5,
    targetMs: 6,
    networkMs: 1,
    callbackMs: 2,
    driftMs: 2.5,
    redundancyMs: 0.5,
    concealedMsPerMinute: 7.5,
    recovered: 6,
    driftPpm: null,
    ratePpm: -3,
  });
  vi.advanceTimersByTime(1_001);
  expect(engine.stats()).toMatchObject({ inputLevelDb: -100, remotes: {} });
});

it("repeats frames only in encodings that can", async () => {
  const { engine } = await running();
  for (const repeated of [0, 2, 9]) engine.setEncodings(["opus-64", "opus"], repeated);
  const told = newest().told.filter((message) => message.type === "encodings");
  const repeats = told.map(({ encodings }) => encodings.map((each) => each.redundantFrames));
  expect(repeats).toEqual([[0, 0], [2, 0]]);
});
