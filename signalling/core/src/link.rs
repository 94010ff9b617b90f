//! The media link of one participant as signalling knows it: what was agreed, which stream
//! carries which track, and what the SFU was told so far.
//!
//! No packet passes here. What surprises: nothing tells the SFU about single changes. What should
//! be is computed anew each time ([`crate::settle`]) and compared with what the SFU was told.

use std::collections::BTreeMap;

use protocol::control::PayloadTypes;
use protocol::id::{ParticipantId, TrackId};
use protocol::limits::SUBSCRIBER_STREAMS_MAX;
use protocol::rtp::Ssrc;
use protocol::signal::LinkParameters;

use crate::random::Random;
use crate::sdp::{LineKind, Offer};

/// One link, from `OpenLink` to `CloseLink`.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) local: LinkParameters,
    pub(crate) remote: LinkParameters,
    pub(crate) kind: LinkKind,
    pub(crate) data_channel: bool,
    /// What the participant receives with.
    pub(crate) received: PayloadTypes,
    /// What the participant sends with.
    pub(crate) sent: PayloadTypes,
    /// Where tracks are received, in order of making.
    pub(crate) slots: Vec<Slot>,
    /// The sources that the SFU accepts.
    pub(crate) sources: BTreeMap<Ssrc, AppliedSource>,
    /// What the SFU forwards into each of the participant's streams.
    pub(crate) streams: BTreeMap<Ssrc, AppliedStream>,
}

/// How a link was described.
#[derive(Debug, Clone)]
pub(crate) enum LinkKind {
    /// Without SDP: streams are made as tracks come.
    Direct,
    /// With SDP: streams exist as far as the app offered m-lines.
    Sdp {
        /// The app's session id: another one means another peer connection.
        offered: String,
        /// Ours, constant for the link.
        answered: u32,
        /// Answers so far.
        version: u32,
    },
}

/// A place where the participant receives one track at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Constant for as long as the link exists.
    pub(crate) ssrc: Ssrc,
    /// The m-line, on a link with SDP.
    pub(crate) mid: Option<String>,
    /// Whether the m-line receives at the moment.
    pub(crate) usable: bool,
    /// What is received there.
    pub(crate) track: Option<TrackId>,
}

/// A source as the SFU knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AppliedSource {
    pub(crate) track: TrackId,
    pub(crate) payload_types: PayloadTypes,
    pub(crate) muted: bool,
}

/// A stream as the SFU knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AppliedStream {
    pub(crate) publisher: ParticipantId,
    pub(crate) source: Ssrc,
    pub(crate) payload_types: PayloadTypes,
}

impl Link {
    /// A link that the SFU is about to be told of.
    pub(crate) fn new(
        local: LinkParameters,
        remote: LinkParameters,
        kind: LinkKind,
        data_channel: bool,
    ) -> Self {
        Self {
            local,
            remote,
            kind,
            data_channel,
            received: PayloadTypes::NATIVE,
            sent: PayloadTypes::NATIVE,
            slots: Vec::new(),
            sources: BTreeMap::new(),
            streams: BTreeMap::new(),
        }
    }

    /// The session id and version of the next answer; nothing to say on a link without SDP.
    pub(crate) fn count_answer(&mut self) -> (u32, u32) {
        match &mut self.kind {
            LinkKind::Direct => (0, 0),
            LinkKind::Sdp { answered, version, .. } => {
                *version = version.wrapping_add(1);
                (*answered, *version)
            }
        }
    }

    /// Takes over the m-lines and payload types of an offer: new receiving m-lines become slots,
    /// m-lines that receive no longer lose their track.
    pub(crate) fn take_offer(
        &mut self,
        offer: &Offer,
        random: &mut Random,
        taken: impl Fn(Ssrc) -> bool,
    ) {
        self.received = offer.received;
        self.sent = offer.sent;
        for slot in &mut self.slots {
            slot.usable = false;
        }
        for line in &offer.lines {
            let LineKind::Audio(direction, _) = &line.kind else { continue };
            if !direction.app_receives {
                continue;
            }
            let known = |slot: &&mut Slot| slot.mid.as_deref() == Some(&line.mid);
            if let Some(slot) = self.slots.iter_mut().find(known) {
                slot.usable = true;
                continue;
            }
            let slots = &self.slots;
            let ssrc = random.ssrc(|ssrc| {
                taken(ssrc)
                    || offer.ssrcs.contains(&ssrc)
                    || slots.iter().any(|slot| slot.ssrc == ssrc)
            });
            let mid = Some(line.mid.clone());
            self.slots.push(Slot { ssrc, mid, usable: true, track: None });
        }
        for slot in self.slots.iter_mut().filter(|slot| !slot.usable) {
            slot.track = None;
        }
    }

    /// Gives each of `tracks` a slot, those that have one keeping it; gives how many found none.
    pub(crate) fn assign_slots(
        &mut self,
        tracks: &[TrackId],
        random: &mut Random,
        taken: impl Fn(Ssrc) -> bool,
    ) -> usize {
        for slot in &mut self.slots {
            slot.track = slot.track.filter(|track| tracks.contains(track));
        }
        let mut without = 0;
        for track in tracks {
            if self.slots.iter().any(|slot| slot.track == Some(*track)) {
                continue;
            }
            match self.free_slot(random, &taken) {
                Some(slot) => slot.track = Some(*track),
                None => without += 1,
            }
        }
        without
    }

    /// A slot for another track. On a link without SDP it is a new one as long as there may be
    /// more, so that no SSRC changes hands while packets of its last track are on their way.
    fn free_slot(
        &mut self,
        random: &mut Random,
        taken: impl Fn(Ssrc) -> bool,
    ) -> Option<&mut Slot> {
        let is_direct = matches!(self.kind, LinkKind::Direct);
        if is_direct && self.slots.len() < SUBSCRIBER_STREAMS_MAX {
            let slots = &self.slots;
            let ssrc =
                random.ssrc(|ssrc| taken(ssrc) || slots.iter().any(|slot| slot.ssrc == ssrc));
            self.slots.push(Slot { ssrc, mid: None, usable: true, track: None });
            return self.slots.last_mut();
        }
        self.slots.iter_mut().find(|slot| slot.usable && slot.track.is_none())
    }

    /// The slots that could receive something.
    pub(crate) fn usable_slots(&self) -> usize {
        self.slots.iter().filter(|slot| slot.usable).count()
    }

    /// The slot of an m-line that receives at the moment.
    pub(crate) fn usable_slot(&self, mid: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.usable && slot.mid.as_deref() == Some(mid))
    }

    /// The slot that receives a track.
    pub(crate) fn slot_of(&self, track: TrackId) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.track == Some(track))
    }

    /// Whether this end already uses the SSRC for something that it sends.
    pub(crate) fn has_slot(&self, ssrc: Ssrc) -> bool {
        self.slots.iter().any(|slot| slot.ssrc == ssrc)
    }
}
