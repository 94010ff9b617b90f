// Numbers as a musician reads them: a real minus sign, a fixed number of digits so that nothing
// jumps, and a dash where there is nothing to say yet.

export const UNKNOWN = "–";

export function decibels(db: number): string {
  if (db <= LEVEL_DB_MIN) return "−∞ dB";
  return `${signed(Math.round(db))} dB`;
}

export function milliseconds(ms: number | undefined): string {
  return ms === undefined || !Number.isFinite(ms) ? UNKNOWN : `${ms.toFixed(1)} ms`;
}

/** A share of 1 in percent; anything above zero never reads as zero. */
export function percent(share: number | undefined): string {
  if (share === undefined || !Number.isFinite(share)) return UNKNOWN;
  if (0 < share && share < 0.001) return "<0.1 %";
  return `${(100 * share).toFixed(1)} %`;
}

/** How much faster one clock runs than another. */
export function partsPerMillion(ppm: number | null): string {
  return ppm === null ? UNKNOWN : `${signed(Math.round(ppm))} ppm`;
}

export function pan(position: number): string {
  const share = Math.round(Math.abs(position) * 100);
  if (share === 0) return "center";
  return position < 0 ? `${share} % left` : `${share} % right`;
}

/** The same where there is little room: L and R as on every mixer. */
export function panShort(position: number): string {
  const share = Math.round(Math.abs(position) * 100);
  if (share === 0) return "center";
  return position < 0 ? `L ${share}` : `R ${share}`;
}

export function timeOfDay(unixMs: number): string {
  return new Date(unixMs).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** Seconds as a player of recordings shows them. */
export function clockTime(seconds: number): string {
  const whole = Math.floor(Math.max(0, seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (number: number) => String(number).padStart(2, "0");
  const rest = `${hours === 0 ? minutes : two(minutes)}:${two(whole % 60)}`;
  return hours === 0 ? rest : `${hours}:${rest}`;
}

/** A text as it came, as a sentence. */
export function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

export function megabytes(bytes: number): string {
  const mb = bytes / 1e6;
  return `${mb < 10 ? mb.toFixed(1) : Math.round(mb)} MB`;
}

/** Where a level stands on a meter, 0 to 1. */
export function meterPosition(db: number): number {
  return Math.min(1, Math.max(0, 1 - db / LEVEL_DB_MIN));
}

function signed(value: number): string {
  if (value < 0) return `−${Math.abs(value)}`;
  return 0 < value ? `+${value}` : "0";
}

/** The bottom of every meter; quieter than this is silence to a musician. */
export const LEVEL_DB_MIN = -60;
