//! What comes in: whose is a datagram, and is there a packet in it.
//!
//! What surprises: an address belongs to a participant only after authentic STUN came from it, and
//! stays so for a while even if another participant authenticates from it, because whoever can
//! forge an address could otherwise cut its owner off.

use core::net::SocketAddr;

use protocol::control::Event;
use protocol::datagram::Kind;
use protocol::limits::PAYLOAD_BYTES_MAX;
use protocol::rtp::{HEADER_BYTES, Packet, Ssrc};
use protocol::time::Instant;

use super::Router;
use crate::member::MemberKey;
use crate::pending::{Pending, Pushed};
use crate::publisher::{Rejected, Source};
use crate::slab::Key;
use crate::transport::{Link, LinkEvent, OpenError};

impl<L: Link> Router<L> {
    pub(super) fn handle_rtp(&mut self, arrived: Instant, from: SocketAddr, datagram: &mut [u8]) {
        let Some(&key) = self.by_address.get(&from) else {
            self.counters.dropped_unknown_address += 1;
            return;
        };
        let Some(ssrc) = ssrc_of(datagram) else {
            self.counters.dropped_malformed += 1;
            return;
        };
        let Some(member) = self.members.get_mut(key) else { return };
        // Before the packet is opened: a stream that nobody announced is not worth a cipher.
        let Some(source) = member.source(ssrc) else {
            self.counters.dropped_unknown_ssrc += 1;
            return;
        };
        match member.link.open_rtp(datagram) {
            Ok(len) => self.accept(arrived, source, &datagram[..len]),
            Err(error) => self.count_unopened(error),
        }
    }

    /// Takes in a genuine packet of a source, from RTP or from a data channel.
    fn accept(&mut self, arrived: Instant, key: Key<Source>, packet: &[u8]) {
        self.counters.received_packets += 1;
        let Ok(packet) = Packet::parse(packet) else {
            self.counters.dropped_malformed += 1;
            return;
        };
        if packet.payload.is_empty() {
            self.counters.dropped_empty += 1;
            return;
        }
        if PAYLOAD_BYTES_MAX < packet.payload.len() {
            self.counters.dropped_malformed += 1;
            return;
        }
        let Some(source) = self.sources.get_mut(key) else { return };
        let (payload_kind, position) = match source.receive(arrived, &packet) {
            Ok(received) => received,
            Err(rejected) => {
                *match rejected {
                    Rejected::OverRate => &mut self.counters.dropped_source_rate,
                    Rejected::Duplicate => &mut self.counters.dropped_replayed,
                    Rejected::Astray => &mut self.counters.dropped_astray,
                    Rejected::PayloadType => &mut self.counters.dropped_payload_type,
                } += 1;
                return;
            }
        };
        if source.muted {
            self.counters.dropped_muted += 1;
            return;
        }
        if source.subscribers.is_empty() {
            self.counters.dropped_unsubscribed += 1;
            return;
        }
        let pending = Pending {
            source: key,
            arrived,
            position,
            payload_kind,
            marker: packet.marker,
            capture_time: packet.capture_time,
            next_subscriber: 0,
        };
        let pushed = self.pending.push(pending, packet.payload);
        if pushed == Pushed::OldestDropped {
            self.counters.dropped_pending += 1;
        }
    }

    pub(super) fn handle_stun(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let owner = self.by_address.get(&from).copied();
        let named = L::receiver_ufrag(datagram).and_then(|ufrag| self.by_ufrag.get(ufrag)).copied();
        let Some(key) = named else {
            self.counters.dropped_stun += 1;
            return;
        };
        let admitted = if owner == Some(key) {
            self.admit_own(now, key)
        } else {
            self.admit_stranger(now, key)
        };
        if !admitted {
            return;
        }
        if let Some(owner) = owner.filter(|owner| *owner != key)
            && self.members.get(owner).is_some_and(|member| member.holds(from, now))
        {
            self.counters.dropped_address_held += 1;
            return;
        }
        if !self.handle_control(now, key, from, datagram) {
            self.counters.dropped_stun += 1;
            return;
        }
        if let Some(owner) = owner.filter(|owner| *owner != key)
            && let Some(member) = self.members.get_mut(owner)
        {
            member.release(from);
        }
        if let Some(member) = self.members.get_mut(key) {
            if let Some(forgotten) = member.hold(from, now) {
                self.by_address.remove(&forgotten);
            }
            self.by_address.insert(from, key);
        }
    }

    pub(super) fn handle_dtls(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let Some(&key) = self.by_address.get(&from) else {
            self.counters.dropped_unknown_address += 1;
            return;
        };
        if self.admit_own(now, key) {
            self.handle_control(now, key, from, datagram);
        }
    }

    /// Whether a link's own rate allows another control datagram.
    fn admit_own(&mut self, now: Instant, key: MemberKey) -> bool {
        let admitted =
            self.members.get_mut(key).is_some_and(|member| member.control_rate.admit(now));
        self.counters.dropped_control_rate += u64::from(!admitted);
        admitted
    }

    /// Whether another STUN message for a link may come from an address that is not its own: first
    /// as far as the link goes, so that one whose name is known does not cost all others theirs.
    fn admit_stranger(&mut self, now: Instant, key: MemberKey) -> bool {
        let Some(member) = self.members.get_mut(key) else { return false };
        if !member.stranger_rate.admit(now) {
            self.counters.dropped_stranger_link_rate += 1;
            return false;
        }
        let admitted = self.stranger_stun.admit(now);
        self.counters.dropped_stranger_rate += u64::from(!admitted);
        admitted
    }

    /// Gives a STUN or DTLS datagram to a link; whether it was accepted.
    fn handle_control(
        &mut self,
        now: Instant,
        key: MemberKey,
        from: SocketAddr,
        datagram: &[u8],
    ) -> bool {
        let Some(member) = self.members.get_mut(key) else { return false };
        let accepted = member.link.handle_datagram(now, from, datagram);
        if accepted {
            self.counters.control_received += 1;
        }
        self.pump(now, key);
        accepted
    }

    /// Takes in what a link has to say after anything was done to it.
    pub(crate) fn pump(&mut self, now: Instant, key: MemberKey) {
        loop {
            let Some(member) = self.members.get_mut(key) else { return };
            let participant = member.participant;
            match member.link.poll_event() {
                None => break,
                Some(LinkEvent::Up) => {
                    member.up = true;
                    for (ssrc, stream) in &member.streams {
                        member.link.declare(*ssrc);
                        if let Some(stream) = self.streams.get_mut(*stream) {
                            stream.rewrite.rejoin();
                        }
                    }
                    self.push_event(Event::LinkUp { participant });
                }
                Some(LinkEvent::Down) => {
                    member.up = false;
                    self.push_event(Event::LinkDown { participant });
                }
                Some(LinkEvent::Closed) => {
                    member.up = false;
                    let local_ufrag = member.ufrag.clone();
                    self.push_event(Event::LinkClosed { participant, local_ufrag });
                }
                Some(LinkEvent::Message(message)) if Kind::of(&message) == Kind::Rtcp => {
                    self.handle_rtcp_message(now, key, &message);
                }
                Some(LinkEvent::Message(message)) => {
                    let source = ssrc_of(&message).and_then(|ssrc| member.source(ssrc));
                    match source {
                        Some(source) => self.accept(now, source, &message),
                        None => self.counters.dropped_unknown_ssrc += 1,
                    }
                }
            }
        }
        let Some(member) = self.members.get_mut(key) else { return };
        if !member.queued {
            member.queued = true;
            self.ready.push_back(key);
        }
        let due = member.link.poll_timeout();
        self.schedule_round(due);
    }

    pub(super) fn count_unopened(&mut self, error: OpenError) {
        *match error {
            OpenError::Malformed => &mut self.counters.dropped_malformed,
            OpenError::Replayed => &mut self.counters.dropped_replayed,
            OpenError::Forged | OpenError::NotUp => &mut self.counters.dropped_forged,
        } += 1;
    }
}

/// The stream of a packet whose header is not checked yet.
fn ssrc_of(packet: &[u8]) -> Option<Ssrc> {
    let header = packet.first_chunk::<HEADER_BYTES>()?;
    Some(Ssrc(u32::from_be_bytes([header[8], header[9], header[10], header[11]])))
}
