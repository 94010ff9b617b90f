// @vitest-environment happy-dom

import { beforeEach, describe, expect, it } from "vitest";

import {
  loadPreferences,
  rememberClickGain,
  rememberInput,
  rememberMode,
  rememberPlayout,
  rememberRecordMe,
  savePreferences,
} from "./preferences";

beforeEach(() => localStorage.clear());

const NOTHING = { name: "", deviceId: "", playout: "automatic" as const, mode: null, clickGainDb: 0, recordMe: true };

describe("preferences", () => {
  it("are remembered one by one", () => {
    savePreferences({ ...NOTHING, name: "Ana", deviceId: "mic" });
    rememberPlayout("safer");
    rememberInput("guitar");
    rememberRecordMe(false);
    rememberMode("beat");
    rememberClickGain(-12);
    const all = { name: "Ana", deviceId: "guitar", playout: "safer", mode: "beat", clickGainDb: -12, recordMe: false };
    expect(loadPreferences()).toEqual(all);
    rememberMode(null);
    rememberClickGain(null);
    expect(loadPreferences()).toEqual({ ...all, mode: null, clickGainDb: null });
    rememberPlayout(12);
    expect(loadPreferences().playout).toBe(12);
  });

  it("of another version, or of somebody's making, are as at the start", () => {
    const foreign = ['{"name":3,"playout":"fast"}', '{"playout":501}', '{"playout":-1}', '{"mode":"loose"}', '{"clickGainDb":99}', '{"clickGainDb":"0"}'];
    for (const stored of ["", "null", "[]", ...foreign]) {
      localStorage.setItem("vjam", stored);
      expect(loadPreferences(), stored).toEqual(NOTHING);
    }
  });
});
