import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { InputWatch } from "./input_watch";

const PIECE = 480;
let seed = 1;
const noise = (frames: number) =>
  Float32Array.from({ length: frames }, () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 31 - 1;
  });

/** A track whose pieces a test hands over, dated by a clock that is 7,000 ms behind the page's. */
class Track {
  stats = { latency: 12 };
  read: ((piece: { value?: unknown }) => void) | null = null;
  getSettings = () => ({ latency: 0.01 });
}

let processors: { track: Track; cancelled: boolean }[] = [];

class FakeProcessor {
  readonly readable;
  constructor({ track }: { track: Track }) {
    const known = { track, cancelled: false };
    processors.push(known);
    this.readable = {
      getReader: () => ({
        read: () => new Promise((resolve) => (track.read = resolve)),
        cancel: async () => {
          known.cancelled = true;
        },
      }),
    };
  }
}

/** Milliseconds since 1970 when the page began. */
const ORIGIN = performance.timeOrigin;

/** Hands over a piece that was captured at a moment of the page, after the track's latency. */
async function deliver(track: Track, planes: Float32Array[], capturedMs: number, sampleRate = 48_000): Promise<void> {
  vi.spyOn(performance, "now").mockReturnValue(capturedMs + track.stats.latency);
  const value = {
    timestamp: (capturedMs - 7_000) * 1000,
    sampleRate,
    numberOfFrames: planes[0]?.length ?? 0,
    numberOfChannels: planes.length,
    copyTo: (to: Float32Array, { planeIndex }: { planeIndex: number }) => to.set(planes[planeIndex] as Float32Array),
    close: () => undefined,
  };
  track.read?.({ value });
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
}

/** Delivers a second of sound from a moment on; gives the sound. */
async function second(track: Track, fromMs: number): Promise<Float32Array> {
  const sound = noise(48_000);
  for (let at = 0; at < sound.length; at += PIECE) {
    await deliver(track, [sound.slice(at, at + PIECE)], fromMs + at / 48);
  }
  return sound;
}

/** What a worklet was given `queuedFrames` after it was captured: the context began when the page did. */
const probe = (sound: Float32Array, at: number, fromMs: number, queuedFrames: number) => ({
  frame: fromMs * 48 + at + queuedFrames,
  samples: sound.slice(at, at + 32),
});

const follow = (wide = false) => {
  const [watch, track] = [new InputWatch(wide), new Track()];
  watch.follow(track as unknown as MediaStreamTrack);
  return { watch, track };
};

beforeEach(() => {
  processors = [];
  vi.stubGlobal("MediaStreamTrackProcessor", FakeProcessor);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it("says when the context's frames were captured, whatever clock the pieces are dated by", async () => {
  const { watch, track } = follow();
  expect(watch.settling()).toBe(true);
  const sound = await second(track, 10_000);
  expect(watch.capturedMs(10_000)).toBeNull();
  watch.probe(probe(sound, 30_000, 10_000, 960));
  // 20 ms in the queue.
  expect(watch.capturedMs(10_625)).toBeCloseTo(ORIGIN + 10_605, 3);
  expect(watch.trackMs()).toBe(12);
  expect([watch.settling(), watch.takeJump()]).toEqual([false, false]);
});

it("notices that the queue has grown, once two probes say so", async () => {
  const { watch, track } = follow();
  const sound = await second(track, 10_000);
  for (const at of [20_000, 22_000, 24_000]) watch.probe(probe(sound, at, 10_000, 480));
  watch.probe(probe(sound, 30_000, 10_000, 1_504));
  expect(watch.capturedMs(11_000)).toBeCloseTo(ORIGIN + 10_990, 3);
  expect(watch.takeJump()).toBe(false);
  watch.probe(probe(sound, 34_000, 10_000, 1_504));
  expect([watch.takeJump(), watch.takeJump()]).toEqual([true, false]);
  expect(watch.capturedMs(11_000)).toBeCloseTo(ORIGIN + 11_000 - 1_504 / 48, 3);
});

it("believes no single probe that parts from the others", async () => {
  const { watch, track } = follow();
  const sound = await second(track, 10_000);
  for (const queued of [480, 480, 1_504, 480, 1_504, 480]) watch.probe(probe(sound, 20_000 + queued, 10_000, queued));
  expect(watch.takeJump()).toBe(false);
  expect(watch.capturedMs(11_000)).toBeCloseTo(ORIGIN + 10_990, 3);
});

it("knows nothing where it finds nothing, or not lately, or where the context converts", async () => {
  const { watch, track } = follow();
  const sound = await second(track, 10_000);
  watch.probe({ frame: 500_000, samples: noise(32) });
  expect(watch.capturedMs(11_000)).toBeNull();
  watch.probe(probe(sound, 30_000, 10_000, 480));
  vi.spyOn(performance, "now").mockReturnValue(13_000);
  expect(watch.capturedMs(13_000)).toBeNull();
  const other = follow();
  const converted = noise(441);
  await deliver(other.track, [converted], 10_000, 44_100);
  other.watch.probe({ frame: 0, samples: converted.slice(0, 32) });
  expect(other.watch.capturedMs(0)).toBeNull();
});

it("mixes two channels as the context does, unless both are wanted", async () => {
  const [left, right] = [noise(PIECE), noise(PIECE)];
  const middle = left.map((sample, i) => 0.5 * (sample + (right[i] as number)));
  for (const [wide, heard] of [[false, middle], [true, left]] as const) {
    const { watch, track } = follow(wide);
    await deliver(track, [left, right], 10_000);
    watch.probe({ frame: 10_000 * 48, samples: heard.slice(0, 32) });
    expect(watch.capturedMs(10_000)).toBeCloseTo(ORIGIN + 10_000, 3);
  }
});

it("follows another track, lets go of the one before, and forgets when it is told", async () => {
  const { watch, track } = follow();
  const sound = await second(track, 10_000);
  watch.probe(probe(sound, 30_000, 10_000, 480));
  watch.forget();
  expect([watch.capturedMs(11_000), watch.settling()]).toEqual([null, true]);
  watch.probe(probe(sound, 31_000, 10_000, 480));
  expect(watch.capturedMs(11_000)).not.toBeNull();
  const next = new Track();
  watch.follow(next as unknown as MediaStreamTrack);
  expect(processors.map(({ cancelled }) => cancelled)).toEqual([true, false]);
  expect(watch.capturedMs(11_000)).toBeNull();
  watch.close();
  expect(processors.map(({ cancelled }) => cancelled)).toEqual([true, true]);
});

it("measures nothing in browsers that cannot, nor where there is no track", () => {
  vi.stubGlobal("MediaStreamTrackProcessor", undefined);
  expect(follow().watch.settling()).toBe(false);
  vi.stubGlobal("MediaStreamTrackProcessor", class {
    constructor() {
      throw new TypeError("no audio");
    }
  });
  expect(follow().watch.settling()).toBe(false);
  const watch = new InputWatch(false);
  watch.follow(null);
  expect([watch.settling(), watch.capturedMs(0)]).toEqual([false, null]);
});
