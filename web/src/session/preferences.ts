// What the browser remembers of a musician between visits: how they are called and what they play
// through. Kept on this machine only; a browser that forbids storage simply forgets.

import { FIXED_MS_MAX, type PlayoutMode } from "./audio_seam";

export interface Preferences {
  name: string;
  deviceId: string;
  /** What everybody's playout delay is steered by. */
  playout: PlayoutMode;
}

export function loadPreferences(): Preferences {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    const fields = typeof stored === "object" && stored !== null ? stored : {};
    const { playout } = fields as { playout?: unknown };
    return {
      name: textOf(fields, "name"),
      deviceId: textOf(fields, "deviceId"),
      playout: isPlayoutMode(playout) ? playout : "automatic",
    };
  } catch {
    return { name: "", deviceId: "", playout: "automatic" };
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

function isPlayoutMode(value: unknown): value is PlayoutMode {
  if (typeof value === "number") return 0 <= value && value <= FIXED_MS_MAX;
  return value === "automatic" || value === "lower" || value === "safer";
}

function textOf(fields: object, key: string): string {
  const value: unknown = (fields as Record<string, unknown>)[key];
  return typeof value === "string" ? value : "";
}

const KEY = "vjam";
