// @vitest-environment happy-dom

import { beforeEach, describe, expect, it } from "vitest";

import { loadPreferences, rememberInput, rememberPlayout, savePreferences } from "./preferences";

beforeEach(() => localStorage.clear());

describe("preferences", () => {
  it("are remembered one by one", () => {
    savePreferences({ name: "Ana", deviceId: "mic", playout: "automatic" });
    rememberPlayout("safer");
    rememberInput("guitar");
    expect(loadPreferences()).toEqual({ name: "Ana", deviceId: "guitar", playout: "safer" });
    rememberPlayout(12);
    expect(loadPreferences().playout).toBe(12);
  });

  it("of another version, or of somebody's making, are as at the start", () => {
    const nothing = { name: "", deviceId: "", playout: "automatic" };
    for (const stored of ["", "null", "[]", '{"name":3,"playout":"fast"}', '{"playout":501}', '{"playout":-1}']) {
      localStorage.setItem("vjam", stored);
      expect(loadPreferences(), stored).toEqual(nothing);
    }
  });
});
