// What the browser remembers of a musician between visits: how they are called and what they play
// through. Kept on this machine only; a browser that forbids storage simply forgets.

export interface Preferences {
  name: string;
  deviceId: string;
}

export function loadPreferences(): Preferences {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    const fields = typeof stored === "object" && stored !== null ? stored : {};
    return { name: textOf(fields, "name"), deviceId: textOf(fields, "deviceId") };
  } catch {
    return { name: "", deviceId: "" };
  }
}

export function savePreferences(preferences: Preferences): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // Full or forbidden: the visit goes on without a memory.
  }
}

function textOf(fields: object, key: string): string {
  const value: unknown = (fields as Record<string, unknown>)[key];
  return typeof value === "string" ? value : "";
}

const KEY = "vjam";
