// What a delay means for musicians, in words. docs/soundcheck.md says where the rule comes from;
// src/check/tempo.rs is the same for the terminal.

export function playable(delayMs: number): string {
  const bpm = 5 * Math.floor(60_000 / Math.max(delayMs, 0.001) / PARTS_OF_A_BEAT / 5);
  if (ANY_TEMPO_BPM <= bpm) return "comfortable at any tempo";
  if (delayMs <= COMFORTABLE_MS) return `comfortable up to ${bpm} bpm`;
  if (delayMs <= ONE_LEADS_MS) return `up to ${bpm} bpm if one keeps time and the other follows`;
  return "too late to play in time";
}

/** A delay of this part of a beat is within what ensembles are apart in one room. */
const PARTS_OF_A_BEAT = 16;

/** Faster than anybody counts. */
const ANY_TEMPO_BPM = 240;

/** The end of 20 to 30 ms, where ensembles begin to drag. */
const COMFORTABLE_MS = 30;

/** A sixteenth of a beat at 60 bpm. */
const ONE_LEADS_MS = 62.5;
