import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { EngineInput } from "./engine_input";
import { InputWatch } from "./input_watch";

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
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it("takes the microphone anew after a stall, once, and feeds the same node", () => {
  const stream = new FakeStream();
  const input = new EngineInput(context, stream as unknown as MediaStream, false);
  const engine = node("engine");
  input.connect(engine);
  expect(input.saidDelayMs()).toBe(12);
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
  const input = new EngineInput(context, own as unknown as AudioNode, false);
  const [first, second] = [node("first"), node("second")];
  input.connect(first);
  input.connect(second);
  expect(own.targets).toEqual([second]);
  input.freshen();
  vi.advanceTimersByTime(1_000);
  expect(own.targets).toEqual([second]);
  expect(input.saidDelayMs()).toBe(0);
});

it("takes the microphone anew when more than usual waits before the context, and a few times only if that does not help", () => {
  const input = new EngineInput(context, new FakeStream() as unknown as MediaStream, false);
  input.connect(node("engine"));
  const jumps = vi.fn();
  input.onjump = jumps;
  vi.spyOn(InputWatch.prototype, "trackMs").mockReturnValue(12);
  /** Measures five times a second; gives how often the microphone was taken anew meanwhile. */
  const measure = (seconds: number, delayMs: number) => {
    const before = sources.length;
    for (let n = 0; n < 5 * seconds; n += 1) {
      input.measured(delayMs);
      vi.advanceTimersByTime(200);
    }
    return sources.length - before;
  };
  expect(measure(60, 22)).toBe(0);
  // One that is off among many is none.
  for (let n = 0; n < 40; n += 1) {
    input.measured(n % 4 === 0 ? 22 : 34);
    vi.advanceTimersByTime(200);
  }
  expect(sources).toHaveLength(1);
  expect(measure(2, 34)).toBe(1);
  expect(jumps).toHaveBeenCalledTimes(1);
  // It has helped: the next time it helps at once.
  expect(measure(60, 13)).toBe(0);
  expect(measure(2, 34)).toBe(1);
  // In vain: after 10 seconds, 20, 40; and never again, until it was better meanwhile.
  expect(measure(75, 34)).toBe(3);
  expect(measure(600, 34)).toBe(0);
  expect([measure(6, 13), measure(2, 34)]).toEqual([0, 1]);
});
