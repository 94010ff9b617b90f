// What the room's clock shows, for the page's own thread.

import type { RoomClockStats } from "./audio_seam";

/** Microseconds of the room's clock at the moment; null while it is not known well enough to go by. */
export function roomNowUs(
  clock: RoomClockStats | null | undefined,
  localMs: number = performance.timeOrigin + performance.now(),
): number | null {
  if (clock === null || clock === undefined || !clock.settled) return null;
  const { aheadMs, rate } = clock;
  return Math.round(1000 * (localMs + aheadMs + (localMs - clock.localMs) * rate));
}
