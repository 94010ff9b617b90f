import { describe, expect, it } from "vitest";
import { UplinkPolicy } from "./uplink_policy";

/** Looks at the channel every 50 ms from `from` for `ms`, and gives the time afterwards. */
function look(policy: UplinkPolicy, from: number, ms: number, open: boolean, queuedMs: number): number {
  for (let at = from; at < from + ms; at += 50) policy.observeChannel(at, open, queuedMs);
  return from + ms;
}

describe("the way up", () => {
  it("stays on the data channel while its queue is short", () => {
    const policy = new UplinkPolicy();
    policy.linkUp(0);
    look(policy, 0, 60_000, true, 10);
    expect(policy.path).toBe("data-channel");
  });

  it("leaves it at once for a long queue, after a while for a tolerable one", () => {
    const policy = new UplinkPolicy();
    policy.observeChannel(0, true, 200);
    expect(policy.path).toBe("rtp");
    const patient = new UplinkPolicy();
    const at = look(patient, 0, 300, true, 60);
    expect(patient.path).toBe("data-channel");
    look(patient, at, 100, true, 60);
    expect(patient.path).toBe("rtp");
    expect(patient.why).toContain("congested");
  });

  it("forgives a queue that empties in between", () => {
    const policy = new UplinkPolicy();
    let at = 0;
    for (let burst = 0; burst < 20; burst += 1) {
      at = look(policy, at, 200, true, 60);
      at = look(policy, at, 50, true, 5);
    }
    expect(policy.path).toBe("data-channel");
  });

  it("tries again, later after each failure", () => {
    const policy = new UplinkPolicy();
    policy.observeChannel(0, true, 200);
    look(policy, 0, 19_950, true, 0);
    expect(policy.path).toBe("rtp");
    policy.observeChannel(20_000, true, 0);
    expect(policy.path).toBe("data-channel");
    policy.observeChannel(21_000, true, 200);
    look(policy, 21_000, 39_000, true, 0);
    expect(policy.path).toBe("rtp");
    policy.observeChannel(61_000, true, 0);
    expect(policy.path).toBe("data-channel");
  });

  it("forgets failures once the channel held for a minute", () => {
    const policy = new UplinkPolicy();
    for (const failure of [0, 20_100]) {
      policy.observeChannel(failure, true, 200);
      look(policy, failure, 41_000, true, 0);
    }
    look(policy, 61_000, 70_000, true, 0);
    policy.observeChannel(140_000, true, 200);
    expect(policy.path).toBe("rtp");
    policy.observeChannel(160_000, true, 0);
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

  it("believes the server's third bad report, not a single one", () => {
    const policy = new UplinkPolicy();
    policy.observeReport(1_000, 300, 100, 500);
    policy.observeReport(2_000, 400, 0, 500);
    policy.observeReport(3_000, 300, 100, 500);
    policy.observeReport(4_000, 400, 0, 50_000);
    expect(policy.path).toBe("data-channel");
    policy.observeReport(5_000, 300, 100, 500);
    expect(policy.path).toBe("rtp");
  });
});
