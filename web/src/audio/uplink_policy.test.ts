import { describe, expect, it } from "vitest";
import type { Codec } from "../protocol";
import { UplinkPolicy } from "./uplink_policy";

/** Looks at the channel every 50 ms from `from` for `ms`, and gives the time afterwards. */
function look(
  policy: UplinkPolicy,
  from: number,
  ms: number,
  open: boolean,
  queuedMs: number,
): number {
  for (let at = from; at < from + ms; at += 50) policy.observeChannel(at, open, queuedMs);
  return from + ms;
}

/** Congests the channel until the policy leaves it; gives that time. */
function congest(policy: UplinkPolicy, from: number): number {
  let at = from;
  while (policy.path === "data-channel") {
    policy.observeChannel(at, true, 100);
    at += 50;
  }
  return at - 50;
}

describe("the way up", () => {
  it("stays on the data channel while its queue is short", () => {
    const policy = new UplinkPolicy();
    policy.linkUp(0);
    look(policy, 0, 60_000, true, 10);
    expect(policy.path).toBe("data-channel");
  });

  it("leaves it when the queue stays, not for a moment's stall", () => {
    const policy = new UplinkPolicy();
    const at = look(policy, 0, 500, true, 200);
    expect(policy.path).toBe("data-channel");
    look(policy, at, 100, true, 60);
    expect(policy.path).toBe("rtp");
    expect(policy.why).toContain("congested");
  });

  it("forgives a queue that empties in between", () => {
    const policy = new UplinkPolicy();
    let at = 0;
    for (let burst = 0; burst < 20; burst += 1) {
      at = look(policy, at, 400, true, 60);
      at = look(policy, at, 50, true, 5);
    }
    expect(policy.path).toBe("data-channel");
  });

  it("tries again, later after each failure", () => {
    const policy = new UplinkPolicy();
    let at = 0;
    for (const wait of [20_000, 40_000, 80_000]) {
      at = congest(policy, at);
      look(policy, at, wait, true, 0);
      expect(policy.path).toBe("rtp");
      at += wait;
      policy.observeChannel(at, true, 0);
      expect(policy.path).toBe("data-channel");
    }
  });

  it("forgets failures once the channel held for a minute", () => {
    const policy = new UplinkPolicy();
    let at = congest(policy, 0);
    at = look(policy, at, 21_000, true, 0);
    at = congest(policy, at);
    at = look(policy, at, 41_000 + 61_000, true, 0);
    at = congest(policy, at);
    policy.observeChannel(at + 20_000, true, 0);
    expect(policy.path).toBe("data-channel");
  });

  it("gives up on a channel that does not open, counted from when the link is up", () => {
    const policy = new UplinkPolicy();
    look(policy, 0, 60_000, false, 0);
    expect(policy.path).toBe("data-channel");
    policy.linkUp(60_000);
    look(policy, 60_000, 4_000, false, 0);
    expect(policy.path).toBe("data-channel");
    look(policy, 64_000, 100, false, 0);
    expect(policy.path).toBe("rtp");
    look(policy, 65_000, 600_000, false, 0);
    expect(policy.path).toBe("rtp");
  });

  it("keeps to RTP where that was asked for", () => {
    const policy = new UplinkPolicy();
    policy.keepToRtp(0);
    look(policy, 0, 3_600_000, true, 0);
    expect(policy.path).toBe("rtp");
  });

  const report = (policy: UplinkPolicy, at: number, codec: Codec, lost: number, jitterUs = 500) =>
    policy.observeReport(at, { codec, received: 400 - lost, lost, jitterUs });

  it("believes the server's third bad report, not a single one", () => {
    const policy = new UplinkPolicy();
    report(policy, 1_000, "opus-64", 100);
    report(policy, 2_000, "opus-64", 0);
    report(policy, 3_000, "opus-64", 100);
    report(policy, 4_000, "opus-64", 0, 50_000);
    expect(policy.path).toBe("data-channel");
    report(policy, 5_000, "opus-64", 100);
    expect(policy.path).toBe("rtp");
  });

  it("counts seconds, not reports, where two encodings are sent", () => {
    const policy = new UplinkPolicy();
    for (const second of [1, 2]) {
      report(policy, second * 1_000, "opus-64", 100);
      report(policy, second * 1_000, "opus", 100);
    }
    expect(policy.path).toBe("data-channel");
    report(policy, 3_000, "opus-64", 100);
    expect(policy.path).toBe("rtp");
  });

  it("is not fooled by the one encoding that arrives well", () => {
    const policy = new UplinkPolicy();
    for (const second of [1, 2, 3]) {
      report(policy, second * 1_000, "opus", 0);
      report(policy, second * 1_000, "opus-64", 100);
    }
    expect(policy.path).toBe("rtp");
  });
});
