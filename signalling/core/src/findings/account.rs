//! What is known of one participant: what their app says, and what the SFU says of their packets.
//!
//! Numbers that no device and no network has are not believed: what an app says of itself cannot make a sentence absurd.

use std::collections::BTreeMap;

use protocol::id::TrackId;
use protocol::signal::{DeviceReport, NetworkReport, TrackHearing};
use protocol::time::Instant;

use super::average::Share;
use crate::limits::{ACCOUNT_OLD, BELIEVED_US_MAX, FINDING_GOES, UPLINK_OLD};
use crate::redundancy::Loss;

/// What is known of one participant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    heard_at: Option<Instant>,
    /// Whether something was said since the downlink was looked at last.
    is_fresh: bool,
    tracks: BTreeMap<TrackId, TrackHearing>,
    device: DeviceReport,
    missed: Share,
    network: Option<NetworkReport>,
    downlink: Share,
    uplink_at: Option<Instant>,
    uplink: BTreeMap<TrackId, Uplink>,
    over_rate_at: Option<Instant>,
}

/// Of whom nothing is known.
pub(super) static NOTHING: Account = Account {
    heard_at: None,
    is_fresh: false,
    tracks: BTreeMap::new(),
    device: DeviceReport {
        period_us: None,
        input_latency_us: None,
        output_latency_us: None,
        missed: 0,
        load_permille: None,
        left_out: 0,
    },
    missed: Share::NONE,
    network: None,
    downlink: Share::NONE,
    uplink_at: None,
    uplink: BTreeMap::new(),
    over_rate_at: None,
};

#[derive(Debug, Clone, Copy, Default)]
struct Uplink {
    lost: Share,
    jitter_us: u32,
}

impl Account {
    /// Takes what the app said.
    pub(super) fn hear(
        &mut self,
        now: Instant,
        tracks: &[TrackHearing],
        device: Option<DeviceReport>,
        network: Option<NetworkReport>,
    ) {
        self.heard_at = Some(now);
        self.is_fresh = true;
        self.tracks = tracks.iter().map(|hearing| (hearing.track, believed(*hearing))).collect();
        let device = device.unwrap_or_default();
        self.missed.add(device.missed.min(1000), 0);
        self.device = DeviceReport {
            period_us: device.period_us.filter(is_believed),
            input_latency_us: device.input_latency_us.filter(is_believed),
            output_latency_us: device.output_latency_us.filter(is_believed),
            ..device
        };
        self.network = network.filter(|network| {
            is_believed(&network.round_trip_us) && is_believed(&network.jitter_us)
        });
    }

    /// Takes what the SFU said of a track.
    pub(super) fn hear_uplink(&mut self, now: Instant, track: TrackId, loss: Loss, jitter_us: u32) {
        // A track that is gone is not spoken of any more.
        if self.uplink_at.is_none_or(|at| at + UPLINK_OLD <= now) {
            self.uplink.clear();
        }
        self.uplink_at = Some(now);
        let uplink = self.uplink.entry(track).or_default();
        uplink.lost.add(loss.lost_packets, loss.expected_packets);
        uplink.jitter_us = jitter_us;
    }

    /// The SFU dropped packets because there were too many: what is missing then was not lost.
    pub(super) const fn hear_over_rate(&mut self, now: Instant) {
        self.over_rate_at = Some(now);
    }

    /// What was lost on the way from the server in the latest report.
    pub(super) fn note_downlink(&mut self, permille: u32) {
        self.is_fresh = false;
        self.downlink.add(permille, 1000);
    }

    /// Whether nothing was said for so long that it says nothing.
    pub(super) fn is_old(&self, now: Instant) -> bool {
        self.heard_lately(now).is_none() && self.uplink_lately(now).is_none()
    }

    /// What was said of the tracks of others; nothing where that is old.
    pub(super) fn tracks(&self, now: Instant) -> impl Iterator<Item = &TrackHearing> {
        self.heard_lately(now).into_iter().flat_map(|account| account.tracks.values())
    }

    /// How a track is heard.
    pub(super) fn hearing(&self, now: Instant, track: TrackId) -> Option<&TrackHearing> {
        self.heard_lately(now)?.tracks.get(&track)
    }

    pub(super) fn device(&self, now: Instant) -> DeviceReport {
        self.heard_lately(now).map(|account| account.device).unwrap_or_default()
    }

    /// How often the device ran out of audio, of late.
    pub(super) fn missed(&self, now: Instant) -> u32 {
        self.heard_lately(now).map_or(0, |account| account.missed.parts())
    }

    pub(super) fn network(&self, now: Instant) -> Option<NetworkReport> {
        self.heard_lately(now)?.network
    }

    /// Whether there is a report that [`Self::note_downlink`] was not told of.
    pub(super) const fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// What was lost on the way from the server, in a thousand, of late.
    pub(super) fn downlink_permille(&self, now: Instant) -> u32 {
        self.heard_lately(now).map_or(0, |account| account.downlink.permille())
    }

    /// What is lost on the way to the server of the worst track, in a thousand, of late; `None` where the SFU says
    /// nothing.
    pub(super) fn uplink_permille(&self, now: Instant) -> Option<u32> {
        if self.over_rate_at.is_some_and(|at| now < at + FINDING_GOES) {
            return None;
        }
        self.uplink_lately(now)?.uplink.values().map(|uplink| uplink.lost.permille()).max()
    }

    /// The jitter of packets on the way to the server, by the SFU (RFC 3550).
    pub(super) fn uplink_jitter_us(&self, now: Instant) -> Option<u32> {
        self.uplink_lately(now)?.uplink.values().map(|uplink| uplink.jitter_us).max()
    }

    fn heard_lately(&self, now: Instant) -> Option<&Self> {
        self.heard_at.filter(|at| now < *at + ACCOUNT_OLD).map(|_| self)
    }

    fn uplink_lately(&self, now: Instant) -> Option<&Self> {
        self.uplink_at.filter(|at| now < *at + UPLINK_OLD).map(|_| self)
    }
}

fn believed(hearing: TrackHearing) -> TrackHearing {
    TrackHearing {
        lost_permille: hearing.lost_permille.min(1000),
        network_us: hearing.network_us.filter(is_believed),
        spare_us: hearing.spare_us.filter(is_believed),
        ..hearing
    }
}

const fn is_believed(us: &u32) -> bool {
    *us <= BELIEVED_US_MAX
}
