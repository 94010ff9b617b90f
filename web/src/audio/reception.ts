// What the server is told of how streams arrive: those that lost something since it was last told.
//
// The server has publishers repeat codec frames for those who lose many. What surprises: a stream
// says nothing the first time, because what the engine counts may be older than this. The native
// engine follows the same rule (engine/device/src/session/reception.rs).

import type { StreamReception } from "../protocol";
import type { EngineRemoteStats } from "./engine_module";

type Counts = Pick<EngineRemoteStats, "ssrc" | "received" | "lost" | "gaps">;

export class Reception {
  private before = new Map<number, Counts>();

  /** What to tell after another second. */
  take(remotes: Counts[]): StreamReception[] {
    const lossy: StreamReception[] = [];
    for (const { ssrc, received, lost, gaps } of remotes) {
      const before = this.before.get(ssrc);
      if (before === undefined) continue;
      const lostPackets = lost - before.lost;
      if (lostPackets <= 0) continue;
      lossy.push({
        ssrc,
        expected_packets: Math.max(0, received - before.received) + lostPackets,
        lost_packets: lostPackets,
        gaps: Math.max(0, gaps - before.gaps),
      });
    }
    this.before = new Map(remotes.map((counts) => [counts.ssrc, counts]));
    return lossy;
  }
}
