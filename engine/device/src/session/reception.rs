//! What the server is told of how streams arrive: loss, once a second while there is any.
//!
//! The server has publishers repeat codec frames for those who lose many. What surprises: a stream
//! that is seen for the first time says nothing in its first second, because what the engine counts
//! may be older than this.

use core::time::Duration;
use std::collections::BTreeMap;

use engine::RemoteStats;
use protocol::rtp::Ssrc;
use protocol::signal::StreamReception;
use protocol::time::Instant;

/// What was told last.
#[derive(Debug, Default)]
pub(super) struct Reception {
    counts: BTreeMap<Ssrc, Counts>,
    due: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Counts {
    received: u64,
    lost: u64,
    gaps: u64,
}

impl Reception {
    /// What to tell, if it is time to and there is something.
    pub(super) fn report(
        &mut self,
        now: Instant,
        remotes: &[RemoteStats],
    ) -> Option<Vec<StreamReception>> {
        if self.due.is_some_and(|due| now < due) {
            return None;
        }
        self.due = Some(now + INTERVAL);
        let before = core::mem::take(&mut self.counts);
        let mut lossy = Vec::new();
        for stats in remotes {
            let RemoteStats { ssrc, received_packets, lost_packets, gaps, .. } = *stats;
            let counts = Counts { received: received_packets, lost: lost_packets, gaps };
            self.counts.insert(ssrc, counts);
            let Some(before) = before.get(&ssrc) else { continue };
            let since = |now: u64, before: u64| {
                u32::try_from(now.saturating_sub(before)).unwrap_or(u32::MAX)
            };
            let lost = since(counts.lost, before.lost);
            if 0 < lost {
                lossy.push(StreamReception {
                    ssrc,
                    expected_packets: since(counts.received, before.received).saturating_add(lost),
                    lost_packets: lost,
                    gaps: since(counts.gaps, before.gaps),
                });
            }
        }
        (!lossy.is_empty()).then_some(lossy)
    }
}

const INTERVAL: Duration = Duration::from_secs(1);
