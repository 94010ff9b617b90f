// Which way sound runs in this browser, and what that means for the delay.

import type { AudioStats, EngineChoice } from "../session/audio_seam";
import type { EngineKind } from "../protocol";

export function engineTitle(engine: EngineChoice): string {
  return engine.mode === "engine" ? "Low-delay engine" : "Ordinary browser sound";
}

export function engineReason(engine: EngineChoice, forced: boolean): string {
  if (engine.mode === "engine") return "Runs in this browser, at the shortest delay it can do.";
  const cost = "You hear and play all the same, about 50 ms later.";
  if (engine.missing.length === 0 || forced) return `Asked for in the link. ${cost}`;
  return `The low-delay engine needs what this browser lacks: ${engine.missing.join("; ")}. ${cost}`;
}

/** How one's own sound leaves this machine at the moment. */
export function uplinkWords(engine: EngineChoice, { uplinkPath, why }: AudioStats): string {
  switch (uplinkPath) {
    case "data-channel":
      return "Your sound leaves in the shortest packets, over a data channel.";
    case "rtp":
      return `Your sound leaves in packets of 10 ms, because ${why}. The shorter ones are tried again by themselves.`;
    case "track":
      return engineReason(engine, engine.missing.length === 0);
  }
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
