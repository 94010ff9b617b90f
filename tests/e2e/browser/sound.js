// What a recording must be for a test to say that somebody was heard.

import assert from "node:assert/strict";

import { FIREFOX_TONE_HZ } from "./browsers.js";
import { listen } from "./harness.js";
import { RATE_HZ, tone } from "./wav.js";

/**
 * Asks that `source` sounds in a recording, loud, whole and in order. A busy machine tears small
 * holes; what is broken tears large ones, or many.
 */
export async function plays(source, file) {
  const heard = await listen("compare", source, file, "--looped");
  const { frames } = await listen("level", file);
  const text = `${source} in ${file}: ${JSON.stringify(heard)}`;
  assert.ok(heard.heard && CORRELATION_MIN < heard.correlation, text);
  assert.ok(Math.abs(heard.level_db) < LEVEL_OFF_DB_MAX, text);
  assert.ok(heard.gap_frames < GAP_SHARE_MAX * frames, text);
  assert.ok(heard.clicks <= Math.ceil((CLICKS_PER_SECOND_MAX * frames) / RATE_HZ), text);
  return heard;
}

/**
 * Asks that `source` is what sounds in a recording of Firefox, whose mock sound card's clock no
 * player can follow for long, and that another piece is not.
 */
export async function playsInFirefox(source, other, file, correlationMin) {
  const [heard, wrong] = await Promise.all([source, other].map((piece) => listen("compare", piece, file, "--looped")));
  const text = `${file}: ${JSON.stringify([heard, wrong])}`;
  assert.ok(heard.heard && correlationMin < heard.correlation, text);
  assert.ok(Math.abs(heard.level_db) < 3, text);
  assert.ok(!wrong.heard || wrong.correlation < heard.correlation - 0.2, text);
}

/** Asks that a recording holds the tone of Firefox's fake microphone, and not `other`. */
export async function playsFirefoxTone(file, other) {
  const { hz, share } = await tone(file);
  assert.ok(Math.abs(hz - FIREFOX_TONE_HZ) <= 20 && 0.5 < share, `${share} of it is at ${hz} Hz`);
  const { level_db } = await listen("level", file);
  assert.ok(-45 < level_db, `${level_db} dB`);
  const { parts } = await listen("unmix", file, other, "--looped");
  assert.ok(parts[0].gain_db < -20, `${other} is in it, too: ${JSON.stringify(parts)}`);
}

/** A quiet machine gives 0.93 to 0.99, one that is slow by half 0.8; another piece is not found. */
const CORRELATION_MIN = 0.75;
const LEVEL_OFF_DB_MAX = 1.5;
/** A quiet machine has up to 1.4 % and 0.4 clicks a second. */
const GAP_SHARE_MAX = 0.1;
const CLICKS_PER_SECOND_MAX = 2;
