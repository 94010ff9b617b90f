import { describe, expect, it } from "vitest";
import { ContextClock } from "./context_clock";

const CLOCK = {
  localMs: 1_790_000_000_000,
  aheadMs: 40,
  rate: 100e-6,
  settled: true,
  boundMs: 3,
  precisionMs: 0.1,
  ratePpm: 100,
  steps: 0,
  exchanges: 400,
  roundTripMs: 8,
  jitterMs: 0.4,
};

describe("the context's clock", () => {
  it("puts a frame where it was captured and where it is heard", () => {
    const clock = new ContextClock();
    expect(clock.at(0, CLOCK, { outputMs: 0, inputMs: 0 })).toBeNull();
    // Frame 2 s is played 5 s after the page began.
    clock.note({ contextTime: 2, performanceTime: 5_000 }, CLOCK.localMs);
    const at = clock.at(3_000, CLOCK, { outputMs: 20, inputMs: 10 });
    // 6 s after the page began, by a clock that gains 100 µs a second and is 40 ms ahead.
    expect(at?.heardMs).toBeCloseTo(CLOCK.localMs + 6_000 + 40 + 0.6, 3);
    expect(at?.capturedMs).toBeCloseTo(CLOCK.localMs + 6_000 + 40 + 0.6 - 30.003, 3);
  });

  it("believes the middle of what it was told, and of late", () => {
    const clock = new ContextClock();
    const heardMs = () => clock.at(0, { ...CLOCK, rate: 0 }, { outputMs: 0, inputMs: 0 })?.heardMs;
    for (const off of [0, 0.3, -0.2, 90, 0.1, -80, 0]) {
      clock.note({ contextTime: 1, performanceTime: 1_500 + off }, CLOCK.localMs);
    }
    expect(heardMs()).toBeCloseTo(CLOCK.localMs + 500 + 40, 1);
    for (let i = 0; i < 15; i++) {
      clock.note({ contextTime: 1, performanceTime: 1_700 }, CLOCK.localMs);
    }
    expect(heardMs()).toBeCloseTo(CLOCK.localMs + 700 + 40, 3);
    clock.clear();
    // A context that does not run says zero.
    clock.note({ contextTime: 0, performanceTime: 0 }, CLOCK.localMs);
    expect(heardMs()).toBeUndefined();
  });
});
