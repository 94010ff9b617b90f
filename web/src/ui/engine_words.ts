// Which way sound runs in this browser, and what that means for the delay.

import type { EngineChoice } from "../session/audio_seam";
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
