import { expect, it } from "vitest";

import { UploadPace } from "./upload_pace";

/** Bytes a second that are sent while pieces take so long and this much of the music is lost. */
function rate(pace: UploadPace, seconds: number, tookMs: number, lostShare = 0): number {
  let [nowMs, bytes, reportMs] = [rate.fromMs, 0, rate.fromMs];
  const endMs = nowMs + seconds * 1000;
  while (nowMs < endMs) {
    for (; reportMs <= nowMs; reportMs += 1000) pace.lost(reportMs, lostShare);
    const piece = pace.pieceBytes();
    expect(piece).toBeLessThanOrEqual(16_384);
    nowMs += tookMs;
    bytes += piece;
    nowMs += pace.sent(nowMs, piece, tookMs);
  }
  rate.fromMs = nowMs;
  return bytes / seconds;
}
rate.fromMs = 0;

it("sends faster by and by, within bounds, while nothing suffers", () => {
  const pace = new UploadPace();
  pace.playing = true;
  expect(rate(pace, 2, 20)).toBeLessThan(25_000);
  rate(pace, 20, 20);
  const settled = rate(pace, 10, 20);
  expect(settled).toBeGreaterThan(40_000);
  expect(settled).toBeLessThan(55_000);
});

it("gives way to music that gets lost, and to pieces that queue, and comes back", () => {
  const pace = new UploadPace();
  pace.playing = true;
  rate(pace, 30, 20);
  rate(pace, 8, 20, 0.03);
  expect(rate(pace, 10, 20, 0.03)).toBeLessThan(12_000);
  rate(pace, 30, 20);
  expect(rate(pace, 5, 20)).toBeGreaterThan(40_000);
  rate(pace, 8, 150);
  expect(rate(pace, 10, 150)).toBeLessThan(25_000);
});

it("is careful of nobody where nobody plays", () => {
  const pace = new UploadPace();
  expect(pace.pieceBytes()).toBe(262_144);
  expect(pace.sent(0, 262_144, 900)).toBe(0);
});
