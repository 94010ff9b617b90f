// What the browser remembers of a musician between visits: how they are called and what they play
// through. Kept on this machine only; a browser that forbids storage simply forgets.

import type { PlayingMode } from "../protocol";
import { CLICK_GAIN_DB_MAX, CLICK_GAIN_DB_MIN, FIXED_MS_MAX, type PlayoutMode } from "./audio_seam";

export interface Preferences {
  name: string;
  deviceId: string;
  /** What everybody's playout delay is steered by. */
  playout: PlayoutMode;
  /** How everybody is heard whatever the room plays by; null for what the room plays by. */
  mode: PlayingMode | null;
  /** How loud the click is; null for not at all. */
  clickGainDb: number | null;
  /** Whether one wants to be recorded when somebody begins a take. */
  recordMe: boolean;
}

export function loadPreferences(): Preferences {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    const fields = typeof stored === "object" && stored !== null ? stored : {};
    const { playout, mode, clickGainDb, recordMe } = fields as Record<string, unknown>;
    return {
      name: textOf(fields, "name"),
      deviceId: textOf(fields, "deviceId"),
      playout: isPlayoutMode(playout) ? playout : NOTHING.playout,
      mode: isPlayingMode(mode) ? mode : NOTHING.mode,
      clickGainDb: isClickGain(clickGainDb) ? clickGainDb : NOTHING.clickGainDb,
      recordMe: recordMe !== false,
    };
  } catch {
    return NOTHING;
  }
}

export function savePreferences(preferences: Preferences): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // Full or forbidden: the visit goes on without a memory.
  }
}

export function rememberInput(deviceId: string): void {
  savePreferences({ ...loadPreferences(), deviceId });
}

export function rememberPlayout(playout: PlayoutMode): void {
  savePreferences({ ...loadPreferences(), playout });
}

export function rememberMode(mode: PlayingMode | null): void {
  savePreferences({ ...loadPreferences(), mode });
}

export function rememberClickGain(clickGainDb: number | null): void {
  savePreferences({ ...loadPreferences(), clickGainDb });
}

export function rememberRecordMe(recordMe: boolean): void {
  savePreferences({ ...loadPreferences(), recordMe });
}

function isPlayingMode(value: unknown): value is PlayingMode {
  return value === "tight" || value === "aligned" || value === "beat";
}

function isClickGain(value: unknown): value is number | null {
  if (typeof value !== "number") return value === null;
  return CLICK_GAIN_DB_MIN <= value && value <= CLICK_GAIN_DB_MAX;
}

function isPlayoutMode(value: unknown): value is PlayoutMode {
  if (typeof value === "number") return 0 <= value && value <= FIXED_MS_MAX;
  return value === "automatic" || value === "lower" || value === "safer";
}

function textOf(fields: object, key: string): string {
  const value: unknown = (fields as Record<string, unknown>)[key];
  return typeof value === "string" ? value : "";
}

const NOTHING: Preferences = {
  name: "",
  deviceId: "",
  playout: "automatic",
  mode: null,
  clickGainDb: 0,
  recordMe: true,
};

const KEY = "vjam";
