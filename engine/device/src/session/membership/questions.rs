//! What a membership answers when it is asked how things stand.

use core::time::Duration;

use std::collections::BTreeMap;

use protocol::codec::Codec;
use protocol::id::ParticipantId;
use protocol::rtp::Ssrc;
use protocol::signal::{Finding, Participant, Source, Stream, TrackHearing};

use super::{LinkState, Membership, Phase, Uplink};

impl Membership {
    /// Where the conversation with signalling stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether we are in the room.
    pub(in crate::session) fn is_joined(&self) -> bool {
        self.phase == Phase::Joined
    }

    /// Whether a pass is to be got before the WebSocket is made: a seat needs none.
    pub(in crate::session) fn wants_pass(&self) -> bool {
        self.gets_passes && self.seat.is_none()
    }

    /// Whether media flows.
    pub fn link_is_up(&self) -> bool {
        self.link == LinkState::Up
    }

    /// Who we are in the room.
    pub fn me(&self) -> Option<ParticipantId> {
        self.me
    }

    /// Whether nobody hears us, by the word of whoever keeps order in the room.
    pub(super) fn is_silenced(&self) -> bool {
        self.me.and_then(|me| self.participants.get(&me)).is_some_and(|us| us.silenced)
    }

    /// How often the room was entered anew. Ids of participants and tracks mean nothing beyond the
    /// joining that they were told in.
    pub fn joinings(&self) -> u32 {
        self.joinings
    }

    /// Everybody in the room, oneself included.
    pub fn participants(&self) -> &BTreeMap<ParticipantId, Participant> {
        &self.participants
    }

    /// The streams that are received, by SSRC.
    pub fn streams(&self) -> &BTreeMap<Ssrc, Stream> {
        &self.streams
    }

    /// Where the packets of each codec come from.
    pub fn sources(&self) -> &[Source] {
        &self.us.sources
    }

    /// What is sent, and why where that is not simply what was asked for.
    pub fn encodings(&self) -> (&[Codec], Option<&str>) {
        (&self.encodings, self.reason.as_deref())
    }

    /// Whether the own track is muted for everybody.
    pub fn is_muted(&self) -> bool {
        self.muted
    }

    /// What costs the room delay or sound, as last told.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How each says that they hear the others, as last told.
    pub fn hearings(&self) -> &BTreeMap<ParticipantId, Vec<TrackHearing>> {
        &self.hearings
    }

    /// How somebody says that they hear the own track.
    pub fn hears_us(&self, listener: ParticipantId) -> Option<TrackHearing> {
        let track = self.track?;
        let told = self.hearings.get(&listener)?;
        told.iter().find(|hearing| hearing.track == track).copied()
    }

    /// The longest delay that somebody else says they need for somebody.
    pub fn room_least(&self) -> Duration {
        let others = self.hearings.iter().filter(|(listener, _)| Some(**listener) != self.me);
        let least = |hearing: &TrackHearing| {
            Some(hearing.delay_us?.saturating_sub(hearing.padding_us.unwrap_or(0)))
        };
        // Nobody is aligned with whoever is further away.
        let near = |least: &u32| *least <= ALIGNED_US_MAX;
        let longest = others.flat_map(|(_, tracks)| tracks).filter_map(least).filter(near).max();
        Duration::from_micros(longest.unwrap_or(0).into())
    }

    /// How the own packets reach the server, as last reported.
    pub fn uplink(&self) -> Option<Uplink> {
        self.uplink
    }
}

/// As far as *aligned* mode goes.
const ALIGNED_US_MAX: u32 = 300_000;
