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
use crate::sdp::Offer;

/// One link, from `OpenLink` to `CloseLink`.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) local: LinkParameters,
    pub(crate) remote: LinkParameters,
    pub(crate) kind: LinkKind,
    pub(crate) data_channel: bool,
    /// The SFU says that nothing can come over it any more, restarted or not.
    pub(crate) over: bool,
    /// What the participant receives with.
    pub(crate) received: PayloadTypes,
    /// What the participant sends with.
    pub(crate) sent: PayloadTypes,
    /// Where tracks are received, in order of making.
    pub(crate) slots: Vec<Slot>,
    /// Slots so far, on a link with SDP; those that are gone included.
    slots_ever: usize,
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
    pub(crate) packets_per_second: u32,
    pub(crate) muted: bool,
}

/// A stream as the SFU knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AppliedStream {
    pub(crate) publisher: ParticipantId,
    pub(crate) source: Ssrc,
    pub(crate) payload_types: PayloadTypes,
    pub(crate) redundant_frames: u8,
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
            over: false,
            received: PayloadTypes::NATIVE,
            sent: PayloadTypes::NATIVE,
            slots: Vec::new(),
            slots_ever: 0,
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

    /// How many slots there will have been after an offer.
    pub(crate) fn slots_ever_with(&self, offer: &Offer) -> usize {
        self.slots_ever + offer.receiving().filter(|mid| self.slot_at(mid).is_none()).count()
    }

    /// Takes over the m-lines and payload types of an offer: new receiving m-lines become slots,
    /// m-lines that stopped receiving lose their track, and what is not in the offer is forgotten:
    /// names may change (a stopped m-line is used again, an offer is taken back), and whoever
    /// changes them for fun must not fill the memory.
    pub(crate) fn take_offer(
        &mut self,
        offer: &Offer,
        random: &mut Random,
        taken: impl Fn(Ssrc) -> bool,
    ) {
        self.received = offer.received;
        self.sent = offer.sent;
        let is_there = |slot: &Slot| {
            offer.lines.iter().any(|line| slot.mid.as_deref() == Some(line.mid.as_str()))
        };
        self.slots.retain(is_there);
        self.slots_ever = self.slots_ever_with(offer);
        for slot in &mut self.slots {
            slot.usable = false;
        }
        for mid in offer.receiving() {
            let known = |slot: &&mut Slot| slot.mid.as_deref() == Some(mid);
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
            let mid = Some(mid.to_owned());
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
        self.slot_at(mid).filter(|slot| slot.usable)
    }

    /// The slot of an m-line.
    fn slot_at(&self, mid: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.mid.as_deref() == Some(mid))
    }

    /// The slot that receives a track.
    pub(crate) fn slot_of(&self, track: TrackId) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.track == Some(track))
    }

    /// The track that a stream carries.
    pub(crate) fn track_of(&self, ssrc: Ssrc) -> Option<TrackId> {
        self.slots.iter().find(|slot| slot.ssrc == ssrc)?.track
    }

    /// Whether this end already uses the SSRC for something that it sends.
    pub(crate) fn has_slot(&self, ssrc: Ssrc) -> bool {
        self.slots.iter().any(|slot| slot.ssrc == ssrc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp;
    use crate::sdp::samples::CHROMIUM;

    fn sdp_link(offer: &Offer) -> Link {
        let kind = LinkKind::Sdp { offered: offer.session_id.clone(), answered: 1, version: 0 };
        Link::new(offer.remote.clone(), offer.remote.clone(), kind, true)
    }

    /// The sample with other names for its three slots.
    fn renamed(round: usize) -> Offer {
        let name = |slot| format!("slot{slot}-{round}");
        let group = format!("BUNDLE 0 {} {} {} 4", name(1), name(2), name(3));
        let mut text = CHROMIUM.replacen("BUNDLE 0 1 2 3 4", &group, 1);
        for slot in 1..4 {
            text = text.replacen(&format!("a=mid:{slot}"), &format!("a=mid:{}", name(slot)), 1);
        }
        sdp::parse(&text).expect("a good offer")
    }

    #[test]
    fn a_slot_is_forgotten_with_its_m_line() {
        let mut random = Random::new([1; 32]);
        let mut link = sdp_link(&renamed(0));
        for round in 0..100 {
            assert_eq!(link.slots_ever_with(&renamed(round)), 3 * (round + 1));
            link.take_offer(&renamed(round), &mut random, |_| false);
            assert_eq!((link.slots.len(), link.usable_slots()), (3, 3));
        }
        let before = link.slots.clone();
        link.take_offer(&renamed(99), &mut random, |_| false);
        assert_eq!(link.slots, before, "the same offer changes nothing");
        assert_eq!(link.slots_ever_with(&renamed(99)), 300);
    }

    #[test]
    fn a_slot_that_pauses_keeps_its_ssrc() {
        let mut random = Random::new([1; 32]);
        let paused = CHROMIUM.replace("a=recvonly", "a=inactive");
        let paused = sdp::parse(&paused).expect("a good offer");
        let receiving = sdp::parse(CHROMIUM).expect("a good offer");
        let mut link = sdp_link(&receiving);
        link.take_offer(&receiving, &mut random, |_| false);
        let first = link.slots.clone();
        link.take_offer(&paused, &mut random, |_| false);
        assert_eq!(link.usable_slots(), 0);
        link.take_offer(&receiving, &mut random, |_| false);
        assert_eq!(link.slots, first);
    }
}
