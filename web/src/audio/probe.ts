// Finds out whether our engine can run in this browser, and says in words what is missing if not.

import type { EngineChoice } from "../session/audio_seam";

/** The pieces that the engine stands on, each with what a musician is told about it. */
const PIECES: readonly (readonly [name: string, present: () => boolean])[] = [
  ["WebAssembly", () => "WebAssembly" in globalThis],
  ["audio worklets", () => "AudioWorkletNode" in globalThis],
  [
    "memory shared between threads (the page is not cross-origin isolated)",
    () => "SharedArrayBuffer" in globalThis && globalThis.crossOriginIsolated,
  ],
  ["waking another thread without blocking (Atomics.waitAsync)", () => "waitAsync" in Atomics],
  ["access to encoded audio (RTCRtpScriptTransform)", () => "RTCRtpScriptTransform" in globalThis],
];

/** Whether anything can be heard at all; without these there is no standard mode either. */
export function unusable(): string | null {
  if (!("RTCPeerConnection" in globalThis)) return "This browser has no WebRTC.";
  if (globalThis.navigator?.mediaDevices === undefined) {
    return "This page may not use the microphone: open it over https or on localhost.";
  }
  return null;
}

export function probe(): EngineChoice {
  const missing = PIECES.filter(([, present]) => !present()).map(([name]) => name);
  return { mode: missing.length === 0 ? "engine" : "standard", missing, failure: null };
}
