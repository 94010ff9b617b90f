import { expect, it } from "vitest";
import type { RemoteStats } from "./audio_seam";
import { Hearing, roomLeastMs } from "./hearing";

const STREAM = { ssrc: 7, participant: 2, track: 20, codec: "opus-64" as const, channels: 1 };
const REMOTE: RemoteStats = {
  levelDb: -20,
  bufferMs: 2,
  delayMs: 9,
  mouthToEarMs: 23.4564,
  paddingMs: 0,
  wantedMs: null,
  received: 1000,
  lost: 5,
  late: 0,
  concealedMs: 50,
  leftOut: false,
  playout: null,
};

it("tells once a second what changed since, and the delay as it is", () => {
  const hearing = new Hearing();
  expect(hearing.report(0, 2, [], {})).toBeNull();
  const first = hearing.report(2_000, 2, [STREAM], { 20: REMOTE });
  const nothing = { track: 20, lost_permille: 0, concealed_permille: 0 };
  expect(first).toEqual([{ ...nothing, delay_us: 23_456 }]);
  expect(hearing.report(2_500, 2, [STREAM], { 20: REMOTE })).toBeNull();
  const worse = { ...REMOTE, mouthToEarMs: null, received: 1747, lost: 8, concealedMs: 54 };
  expect(hearing.report(3_000, 2, [STREAM], { 20: worse })).toEqual([
    { track: 20, lost_permille: 4, concealed_permille: 4 },
  ]);
});

it("tells what of the delay nobody needs, where it is worth a word", () => {
  const padding = (paddingMs: number, mouthToEarMs: number | null) => {
    const remote = { ...REMOTE, paddingMs, mouthToEarMs };
    return new Hearing().report(0, 2, [STREAM], { 20: remote })?.[0]?.padding_us;
  };
  expect([padding(8.25, 30), padding(0.4, 30), padding(8, null)]).toEqual([8_250, undefined, undefined]);
});

it("what the room needs least is the longest that another needs", () => {
  const heard = (delay_us?: number, padding_us?: number) => ({
    track: 1,
    ...(delay_us === undefined ? {} : { delay_us }),
    ...(padding_us === undefined ? {} : { padding_us }),
    lost_permille: 0,
    concealed_permille: 0,
  });
  const hearings = { 1: [heard(90_000)], 2: [heard(21_000), heard()], 3: [heard(60_000, 35_500)] };
  expect(roomLeastMs({ hearings, me: 1 })).toBe(24.5);
  expect(roomLeastMs({ hearings: {}, me: 1 })).toBe(0);
});

it("is more seldom in a large room", () => {
  const hearing = new Hearing();
  let told = 0;
  for (let ms = 0; ms < 12_000; ms += 1000) {
    if (hearing.report(ms, 20, [STREAM], { 20: REMOTE }) !== null) told += 1;
  }
  expect(told).toBe(4);
});
