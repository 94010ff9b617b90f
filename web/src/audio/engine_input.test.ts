import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { EngineInput } from "./engine_input";

class FakeStream {
  getAudioTracks() {
    return [{ getSettings: () => ({ latency: 0.012 }) }];
  }
}

class FakeSource {
  targets: unknown[] = [];
  constructor(readonly mediaStream: FakeStream) {
    sources.push(this);
  }
  connect(target: unknown): void {
    this.targets.push(target);
  }
  disconnect(target?: unknown): void {
    this.targets = target === undefined ? [] : this.targets.filter((each) => each !== target);
  }
}

let sources: FakeSource[] = [];
const context = {
  createMediaStreamSource: (stream: FakeStream) => new FakeSource(stream),
} as unknown as AudioContext;
const node = (name: string) => ({ name }) as unknown as AudioNode;

beforeEach(() => {
  sources = [];
  vi.useFakeTimers();
  vi.stubGlobal("MediaStream", FakeStream);
  vi.stubGlobal("MediaStreamAudioSourceNode", FakeSource);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it("takes the microphone anew after a stall, once, and feeds the same node", () => {
  const stream = new FakeStream();
  const input = new EngineInput(context, stream as unknown as MediaStream);
  const engine = node("engine");
  input.connect(engine);
  expect(input.delayMs()).toBe(12);
  input.freshen();
  input.freshen();
  expect(sources).toHaveLength(1);
  vi.advanceTimersByTime(1_000);
  expect(sources.map(({ targets }) => targets)).toEqual([[], [engine]]);
  expect(sources[1]?.mediaStream).toBe(stream);
  input.freshen();
  input.close();
  vi.advanceTimersByTime(1_000);
  expect(sources).toHaveLength(2);
  expect(sources[1]?.targets).toEqual([]);
});

it("feeds one node at a time, and leaves a node of the page's own alone", () => {
  const own = new FakeSource(new FakeStream());
  vi.stubGlobal("MediaStreamAudioSourceNode", class {});
  const input = new EngineInput(context, own as unknown as AudioNode);
  const [first, second] = [node("first"), node("second")];
  input.connect(first);
  input.connect(second);
  expect(own.targets).toEqual([second]);
  input.freshen();
  vi.advanceTimersByTime(1_000);
  expect(own.targets).toEqual([second]);
  expect(input.delayMs()).toBe(0);
});
