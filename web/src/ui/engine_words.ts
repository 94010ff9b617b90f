// Which way sound runs in this browser, and what that means for the delay.

import {
  ASKED_FOR,
  type AudioStats,
  type EngineChoice,
  type RoomClockStats,
} from "../session/audio_seam";
import type { EngineKind } from "../protocol";
import { milliseconds } from "./format";

export function engineTitle(engine: EngineChoice, uplinkPath?: AudioStats["uplinkPath"]): string {
  if (engine.mode === "standard") return "Ordinary browser sound";
  return uplinkPath === "rtp" ? "Low-delay engine, sending in longer packets" : "Low-delay engine";
}

export function engineReason(engine: EngineChoice, forced: boolean): string {
  if (engine.mode === "engine") return "Runs in this browser, at the shortest delay it can do.";
  const cost = "You hear and play all the same, about 50 ms later.";
  if (forced) return `Asked for in the link. ${cost}`;
  if (engine.failure !== null) {
    return `The low-delay engine could run here, but ${engine.failure}. ${cost} Reload to try again.`;
  }
  if (engine.missing.length === 0) return `Asked for in the link. ${cost}`;
  return `The low-delay engine needs what this browser lacks: ${engine.missing.join("; ")}. ${cost}`;
}

/** How one's own sound leaves this machine at the moment. */
export function uplinkWords(engine: EngineChoice, { uplinkPath, why }: AudioStats): string {
  switch (uplinkPath) {
    case "data-channel":
      return "Your sound leaves in the shortest packets, over a data channel.";
    case "rtp":
      return why === ASKED_FOR
        ? "Your sound leaves in packets of 10 ms, as asked for in the link."
        : `Your sound leaves in packets of 10 ms, because ${why}. The shorter ones are tried again by themselves.`;
    case "track":
      return engineReason(engine, false);
  }
}

/** How well the room's clock is known here: what everybody's click and recordings will go by. */
export function roomClockWords(clock: RoomClockStats | null): string {
  if (clock === null) return "The room's clock is not known yet.";
  const { settled, precisionMs, boundMs } = clock;
  if (!settled) return "Learning what the room's clock shows…";
  const usual = `±${milliseconds(Math.max(0.1, precisionMs))} if packets take as long there as back`;
  return `The room's clock is known to ${usual}, and to ±${milliseconds(boundMs)} whatever they do.`;
}

export function participantEngine(engine: EngineKind): string {
  switch (engine) {
    case "native":
      return "vjam app";
    case "browser":
      return "browser, low delay";
    case "standard":
      return "ordinary browser";
  }
}
