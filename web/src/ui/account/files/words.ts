// What is said of a file: its size, what it is, when it came.

import type { StoredFile } from "../../../protocol/social";
import { clockTime } from "../../format";

/** Bytes as people count them: three digits of them, or fewer. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  // What would be rounded up to a thousand is one of the next unit.
  while (999.5 <= value && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || 9.95 <= value ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

export function isRecording(file: StoredFile): boolean {
  return file.media_type.startsWith("audio/");
}

/** Such as "FLAC, 3:07, 21 MB". */
export function describeFile(file: StoredFile): string {
  const { media_type, duration_ms, width_px, height_px, size } = file;
  const parts = [KINDS[media_type] ?? media_type];
  if (duration_ms != null) parts.push(clockTime(duration_ms / 1000));
  if (width_px != null && height_px != null) parts.push(`${width_px} × ${height_px}`);
  return [...parts, bytesText(size)].join(", ");
}

export function dayText(at: number): string {
  return new Date(at).toLocaleDateString(undefined, { dateStyle: "medium" });
}

const UNITS = ["bytes", "KB", "MB", "GB", "TB"];

const KINDS: Record<string, string> = {
  "audio/wav": "WAV",
  "audio/flac": "FLAC",
  "audio/mpeg": "MP3",
  "audio/ogg": "Ogg",
  "audio/mp4": "M4A",
  "audio/aac": "AAC",
  "audio/webm": "WebM",
  "image/jpeg": "JPEG",
  "image/png": "PNG",
  "image/webp": "WebP",
  "image/gif": "GIF",
};
