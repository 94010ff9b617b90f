import { describe, expect, it } from "vitest";

import type { AudioStats } from "../session/audio_seam";
import { engineReason, engineTitle, roomClockWords, uplinkWords } from "./engine_words";
import { decibels, meterPosition, milliseconds, pan, panShort, partsPerMillion, percent } from "./format";
import { LevelVerdict } from "./level_verdict";
import { LossWindow } from "./loss";
import { parseQuery } from "./query";

describe("numbers", () => {
  it("read like on a mixer", () => {
    expect(decibels(-6.4)).toBe("−6 dB");
    expect(decibels(0)).toBe("0 dB");
    expect(decibels(3)).toBe("+3 dB");
    expect(decibels(-90)).toBe("−∞ dB");
    expect(milliseconds(5.333)).toBe("5.3 ms");
    expect(milliseconds(undefined)).toBe("–");
    expect([12.34, -0.4, -3, null].map(partsPerMillion)).toEqual(["+12 ppm", "0 ppm", "−3 ppm", "–"]);
    expect([pan(0), pan(-0.3), panShort(0.5)]).toEqual(["center", "30 % left", "R 50"]);
  });

  it("never call a loss nothing", () => {
    expect(percent(0)).toBe("0.0 %");
    expect(percent(0.0004)).toBe("<0.1 %");
    expect(percent(0.0123)).toBe("1.2 %");
    expect(percent(Number.NaN)).toBe("–");
  });

  it("put levels on a meter", () => {
    expect([-80, -60, -30, 0, 6].map(meterPosition)).toEqual([0, 0, 0.5, 1, 1]);
  });
});

describe("loss", () => {
  it("is that of the last ten seconds, not of the evening", () => {
    const window = new LossWindow();
    let lost = 0;
    for (let second = 0; second <= 30; second += 1) {
      if (second < 5) lost += 100;
      const recent = window.update(second * 1000, { received: second * 900, lost, concealedMs: lost });
      if (second === 4) expect(recent?.lost).toBeGreaterThan(0.09);
      if (second === 30) expect(recent).toEqual({ lost: 0, concealed: 0 });
    }
  });

  it("begins anew with a new stream", () => {
    const window = new LossWindow();
    window.update(0, { received: 5000, lost: 90, concealedMs: 40 });
    window.update(1000, { received: 5900, lost: 95, concealedMs: 45 });
    expect(window.update(2000, { received: 10, lost: 0, concealedMs: 0 })).toBeNull();
    expect(window.update(3000, { received: 910, lost: 0, concealedMs: 0 })).toEqual({
      lost: 0,
      concealed: 0,
    });
  });
});

describe("the level check", () => {
  const verdict = (...levels: [number, number | null][]): string => {
    const check = new LevelVerdict();
    for (const [atMs, levelDb] of levels) check.take(atMs, levelDb);
    return check.words();
  };

  it("remembers a note for as long as a player takes a breath", () => {
    expect(verdict([0, -20], [2_000, -70])).toBe("We hear you well.");
    expect(verdict([0, -20], [4_000, -70])).toMatch(/^Nothing yet/);
  });

  it("says which way to turn", () => {
    expect(verdict([0, -0.2])).toMatch(/^Too loud/);
    expect(verdict([0, -45])).toMatch(/quietly/);
    expect(verdict([0, null])).toMatch(/^Click/);
  });
});

describe("the way sound runs", () => {
  const stats = (uplinkPath: AudioStats["uplinkPath"], why: string): AudioStats => ({
    inputLevelDb: -60,
    uplinkPath,
    why,
    roomClock: null,
    inputMs: 0,
    outputMs: 0,
    remotes: {},
  });
  const engine = { mode: "engine" as const, missing: [], failure: null };

  it("is told with its reason, and what it costs", () => {
    expect(uplinkWords(engine, stats("data-channel", ""))).toContain("shortest packets");
    const rtp = uplinkWords(engine, stats("rtp", "the data channel was congested"));
    expect(rtp).toContain("10 ms, because the data channel was congested");
    const lacking = { mode: "standard" as const, missing: ["audio worklets"], failure: null };
    expect(uplinkWords(lacking, stats("track", ""))).toContain("audio worklets");
    expect(engineReason({ ...lacking, missing: [] }, true)).toContain("Asked for in the link");
    expect(uplinkWords(engine, stats("rtp", "asked for"))).toContain("as asked for in the link");
  });

  it("says how well the room's clock is known, and claims no more", () => {
    const clock = {
      localMs: 0,
      aheadMs: 0,
      rate: 0,
      settled: true,
      boundMs: 4.21,
      precisionMs: 0.02,
      ratePpm: 0,
      steps: 0,
      exchanges: 90,
      roundTripMs: 8,
      jitterMs: 0.4,
    };
    expect(roomClockWords(null)).toContain("not known yet");
    expect(roomClockWords({ ...clock, settled: false })).toContain("Learning");
    expect(roomClockWords(clock)).toContain("±0.1 ms if packets take as long there as back");
    expect(roomClockWords(clock)).toContain("±4.2 ms whatever they do");
  });

  it("is told apart where our engine failed and where the browser lacks a piece", () => {
    const failed = { mode: "standard" as const, missing: [], failure: "it did not start: no memory" };
    for (const words of [uplinkWords(failed, stats("track", "")), engineReason(failed, false)]) {
      expect(words).toContain("could run here, but it did not start: no memory.");
      expect(words).toContain("Reload to try again.");
      expect(words).not.toContain("lacks");
    }
  });

  it("has a title that says when the shortest packets are not sent", () => {
    expect(engineTitle(engine, "data-channel")).toBe("Low-delay engine");
    expect(engineTitle(engine, "rtp")).toContain("longer packets");
  });
});

describe("a link's options", () => {
  it("are read, and nonsense is not", () => {
    expect(parseQuery("?engine=standard&name=Ana%20B&autojoin=1&uplink=rtp")).toEqual({
      engine: "standard",
      uplink: "rtp",
      name: "Ana B",
      autojoin: true,
    });
    expect(parseQuery("?engine=magic&autojoin=yes&uplink=pigeon")).toEqual({
      engine: null,
      uplink: "auto",
      name: null,
      autojoin: false,
    });
  });
});
