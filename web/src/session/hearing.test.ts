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

const ENDS = { roomClock: null, inputMs: 0, outputMs: 0 };
const hears = (remote: RemoteStats) => ({ remotes: { 20: remote }, ...ENDS });

it("tells once a second what changed since, and the delay as it is", () => {
  const hearing = new Hearing();
  expect(hearing.report(0, 1, [], hears(REMOTE))).toBeNull();
  const first = hearing.report(2_000, 2, [STREAM], hears(REMOTE));
  const nothing = { track: 20, lost_permille: 0, concealed_permille: 0 };
  expect(first?.tracks).toEqual([{ ...nothing, delay_us: 23_456 }]);
  expect(hearing.report(2_500, 2, [STREAM], hears(REMOTE))).toBeNull();
  const worse = { ...REMOTE, mouthToEarMs: null, received: 1747, lost: 8, concealedMs: 54 };
  expect(hearing.report(3_000, 2, [STREAM], hears(worse))?.tracks).toEqual([
    { track: 20, lost_permille: 4, concealed_permille: 4 },
  ]);
});

it("tells what of the delay nobody needs, where it is worth a word", () => {
  const padding = (paddingMs: number, mouthToEarMs: number | null) => {
    const remote = { ...REMOTE, paddingMs, mouthToEarMs };
    return new Hearing().report(0, 2, [STREAM], hears(remote))?.tracks[0]?.padding_us;
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
    if (hearing.report(ms, 20, [STREAM], hears(REMOTE)) !== null) told += 1;
  }
  expect(told).toBe(4);
});

it("tells the server what one's own device and network are like, and why one waits", () => {
  const playout = {
    mode: 30 as const,
    delayMs: 30,
    targetMs: 30,
    networkMs: 4.5,
    callbackMs: 1.3,
    driftMs: 0.2,
    redundancyMs: 0,
    concealedMsPerMinute: 0,
    recovered: 0,
    driftPpm: null,
    ratePpm: 0,
  };
  const roomClock = {
    localMs: 0, aheadMs: 0, rate: 0, settled: true, boundMs: 6, precisionMs: 0.1, ratePpm: 0, steps: 0,
    exchanges: 300, roundTripMs: 12.3, jitterMs: 3.21,
  };
  const remotes = { 20: { ...REMOTE, playout, leftOut: true } };
  const stats = { remotes, roomClock, inputMs: 10, outputMs: 187.5 };
  const told = new Hearing().report(0, 2, [STREAM], stats);
  expect(told?.device).toEqual({ input_latency_us: 10_000, output_latency_us: 187_500, left_out: 1 });
  expect(told?.network).toEqual({ round_trip_us: 12_300, jitter_us: 3_210 });
  expect(told?.tracks[0]).toMatchObject({ network_us: 4_500, spare_us: 24_000 });
  // A browser that says nothing is not said to be quick, and a player of its own waits for reasons of its own.
  const silent = new Hearing().report(0, 2, [STREAM], hears(REMOTE));
  expect(silent).toEqual({ type: "hearing", tracks: [expect.anything()], device: {} });
  expect(silent?.tracks[0]).not.toHaveProperty("network_us");
});
