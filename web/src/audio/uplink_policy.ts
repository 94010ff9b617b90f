// Chooses how packets go up: the data channel, in packets of 1.33 or 2.5 ms, or RTP, which a
// browser sends every 10 ms only but which SCTP's congestion control cannot hold back.
//
// Pure: observations and the time come in, the path comes out. A data channel that queues adds its
// queue to the delay of everything behind it, so queueing decides; what the server reports as lost
// or late confirms. Surprising: coming back is tried, not measured, because an idle data channel
// says nothing about itself; every failed try doubles the wait.

import type { Codec } from "../protocol";
import { ASKED_FOR } from "../session/audio_seam";

export interface UplinkReport {
  codec: Codec;
  received: number;
  lost: number;
  jitterUs: number;
}

export type UplinkPath = "data-channel" | "rtp";

/** Audio that may wait in the data channel's queue: the browser's own batching. */
const QUEUE_TOLERATED_MS = 30;
/** How long it may last: a machine that was busy for a moment drains its queue by itself. */
const QUEUE_PATIENCE_MS = 500;
/** Loss and jitter that the server reports of one encoding; three reports (seconds) in a row. */
const LOST_SHARE_MAX = 0.05;
const JITTER_MAX_US = 20_000;
const BAD_REPORTS_MAX = 3;
/** How long a data channel may take to open once the link is up. */
const OPEN_PATIENCE_MS = 4_000;
/** Time on RTP before the data channel is tried again; doubles with every failure. */
const RETRY_FIRST_MS = 20_000;
const RETRY_MAX_MS = 640_000;
/** A data channel that held this long has forgiven its earlier failures. */
const TRUSTED_AFTER_MS = 60_000;

export class UplinkPolicy {
  path: UplinkPath = "data-channel";
  /** Why this path, in words. */
  why = "the data channel carries the shortest packets";
  private since = 0;
  private congestedSince: number | null = null;
  /** Bad reports in a row on each encoding: with two of them there are two reports a second. */
  private readonly badReports = new Map<Codec, number>();
  private failures = 0;
  private linkUpAt: number | null = null;

  /** Whatever happens, because somebody wants to compare. */
  keepToRtp(now: number): void {
    this.toRtp(now, ASKED_FOR);
    this.failures = Infinity;
  }

  linkUp(now: number): void {
    this.linkUpAt ??= now;
  }

  linkDown(): void {
    this.linkUpAt = null;
  }

  /** The state of the data channel's queue; ask about twenty times a second. */
  observeChannel(now: number, open: boolean, queuedMs: number): void {
    if (this.path === "rtp") {
      if (open && this.retryMs() <= now - this.since) this.toChannel(now);
      return;
    }
    if (!open) {
      const waited = this.linkUpAt === null ? 0 : now - Math.max(this.linkUpAt, this.since);
      if (OPEN_PATIENCE_MS < waited) this.fail(now, "the data channel does not open");
      return;
    }
    if (TRUSTED_AFTER_MS < now - this.since) this.failures = 0;
    if (queuedMs <= QUEUE_TOLERATED_MS) {
      this.congestedSince = null;
      return;
    }
    this.congestedSince ??= now;
    if (QUEUE_PATIENCE_MS < now - this.congestedSince) {
      this.fail(now, "the data channel was congested");
    }
  }

  /** What the server reports each second of the packets that we sent of one encoding. */
  observeReport(now: number, { codec, received, lost, jitterUs }: UplinkReport): void {
    if (this.path === "rtp") return;
    const lostShare = lost / Math.max(1, received + lost);
    const bad = LOST_SHARE_MAX < lostShare || JITTER_MAX_US < jitterUs;
    const inARow = bad ? (this.badReports.get(codec) ?? 0) + 1 : 0;
    this.badReports.set(codec, inARow);
    if (BAD_REPORTS_MAX <= inARow) this.fail(now, "packets were lost on the data channel");
  }

  private retryMs(): number {
    if (this.failures === Infinity) return Infinity;
    return Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** (this.failures - 1));
  }

  private fail(now: number, why: string): void {
    this.failures += 1;
    this.toRtp(now, why);
  }

  private toRtp(now: number, why: string): void {
    this.path = "rtp";
    this.why = why;
    this.since = now;
    this.congestedSince = null;
    this.badReports.clear();
  }

  private toChannel(now: number): void {
    this.path = "data-channel";
    this.why = "the data channel carries the shortest packets";
    this.since = now;
    this.congestedSince = null;
    this.badReports.clear();
  }
}
