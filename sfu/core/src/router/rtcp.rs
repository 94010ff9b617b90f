//! RTCP of all links: what they are told once a second, and what is made of what they tell.
//!
//! Every link is told how its sources are received, and of every stream that it was sent something
//! of, how much; all of it from the SFU's own SSRC, so that the sealer never uses that of a stream
//! for RTCP. Links have phases of their own and do not report together. Nothing here is on the way
//! of a forwarded packet: a timer says who is due, and the reports are written when there is nothing
//! else to send.
//!
//! What surprises: no stream ends with a BYE before its link does. A stream that carries nothing may
//! carry something else in a moment, under the same SSRC (a browser's slots), and its numbers go on.

use core::net::SocketAddr;
use std::collections::VecDeque;

use protocol::control::Event;
use protocol::id::ParticipantId;
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::rtcp::{
    self, BYE_SOURCES_MAX, CANONICAL_NAME, NtpTime, Packet, REPORT_BLOCKS_MAX, ReportBlock,
    SENDER_REPORT_BYTES, SFU_SSRC, SenderInfo, Writer, canonical_name_bytes,
};
use protocol::rtp::Ssrc;
use protocol::time::Instant;

use super::{Outgoing, Router};
use crate::limits::{FAREWELLS_MAX, RTCP_FAREWELL_STREAMS_MAX, RTCP_INTERVAL, RTCP_STREAMS_MAX};
use crate::member::{Member, MemberKey};
use crate::publisher::Source;
use crate::slab::{Key, Slab};
use crate::subscriber::Stream;
use crate::transport::{Link, RTCP_OVERHEAD_BYTES};

/// Who is told next, and who is being told.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// Every link once, the soonest first.
    due: VecDeque<(Instant, MemberKey)>,
    ready: VecDeque<Ready>,
}

/// A link that is being told, in one packet or several.
#[derive(Debug, Clone, Copy)]
struct Ready {
    member: MemberKey,
    now: Instant,
    /// The streams before this one were reported; none of the sources were, where it is the first.
    next_stream: usize,
}

impl Reports {
    /// Has a new link told, beginning at a moment of its own within the interval.
    pub(crate) fn add(&mut self, now: Instant, participant: ParticipantId, key: MemberKey) {
        // The golden ratio in 64 bits spreads neighbors farthest.
        let spread = u64::from(participant.0).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44;
        let phase = RTCP_INTERVAL.mul_f64(spread as f64 / f64::from(1 << 20));
        self.schedule(now + phase, key);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due.front().map(|due| due.0)
    }

    /// Usually at the end: all have the same interval.
    fn schedule(&mut self, at: Instant, key: MemberKey) {
        let position = self.due.partition_point(|due| due.0 <= at);
        self.due.insert(position, (at, key));
    }
}

impl<L: Link> Router<L> {
    /// Finds who is due.
    pub(super) fn queue_reports(&mut self, now: Instant) {
        while let Some((at, key)) = self.reports.due.front().copied().filter(|due| due.0 <= now) {
            self.reports.due.pop_front();
            let Some(member) = self.members.get(key) else { continue };
            if member.up {
                self.reports.ready.push_back(Ready { member: key, now, next_stream: 0 });
                self.tell_captures(now, key);
            }
            // After a stall what was missed is not made up for, and the phase stays.
            let missed = now.saturating_since(at).as_nanos() / RTCP_INTERVAL.as_nanos() + 1;
            let next = at + RTCP_INTERVAL * u32::try_from(missed).unwrap_or(u32::MAX);
            self.reports.schedule(next, key);
        }
    }

    /// The next compound packet of reports, written into `buffer`.
    pub(super) fn poll_report(&mut self, buffer: &mut [u8]) -> Option<Outgoing> {
        while let Some(ready) = self.reports.ready.front_mut() {
            let Some(member) = self.members.get_mut(ready.member) else {
                self.reports.ready.pop_front();
                continue;
            };
            let written = write_reports(
                self.epoch,
                ready,
                member,
                &mut self.sources,
                &mut self.streams,
                unsealed(buffer),
            );
            let address = member.link.address().filter(|_| member.up);
            let (Some(len), Some(to)) = (written, address) else {
                self.reports.ready.pop_front();
                continue;
            };
            if let Ok(len) = member.link.seal_rtcp(buffer, len) {
                self.counters.rtcp_sent += 1;
                return Some(Outgoing { to, len, arrived: None });
            }
            self.reports.ready.pop_front();
        }
        None
    }

    /// Tells a link that is about to close that its streams end.
    pub(crate) fn say_goodbye(&mut self, member: &mut Member<L>) {
        let Some(to) = member.link.address().filter(|_| member.up) else { return };
        let was_heard = |key: Key<Stream>| self.streams.get(key).is_some_and(Stream::was_heard);
        let ended: Vec<Ssrc> = member
            .streams
            .iter()
            .filter(|(_, key)| was_heard(*key))
            .map(|(ssrc, _)| *ssrc)
            .take(RTCP_FAREWELL_STREAMS_MAX)
            .chain([SFU_SSRC])
            .collect();
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        let Some(len) = write_farewell(&ended, unsealed(&mut buffer)) else { return };
        if let Ok(len) = member.link.seal_rtcp(&mut buffer, len) {
            self.counters.rtcp_sent += 1;
            self.push_farewell(to, &buffer[..len]);
        }
    }

    /// Puts a datagram of a link that closes where it outlives the link.
    pub(crate) fn push_farewell(&mut self, to: SocketAddr, datagram: &[u8]) {
        if FAREWELLS_MAX <= self.farewells.len() {
            self.farewells.pop_front();
        }
        self.farewells.push_back((to, datagram.to_vec()));
    }

    pub(super) fn handle_rtcp(
        &mut self,
        now: Instant,
        arrived: Instant,
        from: SocketAddr,
        datagram: &mut [u8],
    ) {
        let Some(&key) = self.by_address.get(&from) else {
            self.counters.dropped_unknown_address += 1;
            return;
        };
        let Some(member) = self.members.get_mut(key) else { return };
        if !member.rtcp_rate.admit(arrived) {
            self.counters.dropped_rtcp_rate += 1;
            return;
        }
        let len = match member.link.open_rtcp(datagram) {
            Ok(len) => len,
            Err(error) => return self.count_unopened(error),
        };
        let Ok(packets) = rtcp::parse(&datagram[..len]) else {
            self.counters.dropped_malformed += 1;
            return;
        };
        self.counters.rtcp_received += 1;
        let mut is_answered = false;
        for packet in packets {
            match packet {
                Packet::SenderReport { ssrc, info, blocks } => {
                    self.hear_sender(arrived, key, ssrc, &info);
                    blocks.for_each(|block| self.hear_receiver(arrived, key, &block));
                }
                Packet::ReceiverReport { ssrc: _, blocks } => {
                    blocks.for_each(|block| self.hear_receiver(arrived, key, &block));
                }
                Packet::Application { .. } => {
                    // One answer for each datagram: nobody gets more than they send.
                    if let Some(answer) =
                        self.answer(now, arrived, &packet).filter(|_| !is_answered)
                    {
                        is_answered = true;
                        self.queue_answer(key, answer);
                    }
                }
                // A source ends when signalling says so, or its link.
                Packet::Bye(_) | Packet::Other { .. } => {}
            }
        }
    }

    fn hear_sender(&mut self, arrived: Instant, key: MemberKey, ssrc: Ssrc, info: &SenderInfo) {
        let source = self.members.get(key).and_then(|member| member.source(ssrc));
        match source.and_then(|source| self.sources.get_mut(source)) {
            Some(source) => source.reception.heard_sender_report(arrived, info.ntp.middle()),
            None => self.counters.rtcp_foreign += 1,
        }
    }

    fn hear_receiver(&mut self, arrived: Instant, key: MemberKey, block: &ReportBlock) {
        let stream = self.members.get(key).and_then(|member| member.stream(block.ssrc));
        match stream.and_then(|stream| self.streams.get_mut(stream)) {
            Some(stream) => stream.hear_report(self.epoch.at(arrived), block),
            None => self.counters.rtcp_foreign += 1,
        }
    }

    /// What subscribers told since they were last asked after.
    pub(super) fn downlinks(&mut self) -> Vec<Event> {
        let members = &self.members;
        let told = self.streams.iter_mut().filter_map(|(_, stream)| {
            let heard = stream.feedback.take()?;
            Some(Event::Downlink {
                participant: members.get(stream.member)?.participant,
                ssrc: stream.ssrc,
                expected_packets: heard.expected_packets,
                lost_packets: heard.lost_packets,
                jitter_us: heard.jitter_us,
                round_trip_us: heard.round_trip_us,
            })
        });
        told.collect()
    }
}

/// Writes what a link is to be told from `ready` on, which moves on; gives the length, `None` where
/// there is nothing left to tell.
fn write_reports<L>(
    epoch: NtpTime,
    ready: &mut Ready,
    member: &Member<L>,
    sources: &mut Slab<Source>,
    streams: &mut Slab<Stream>,
    out: &mut [u8],
) -> Option<usize> {
    let room = out.len();
    let mut writer = Writer::new(out);
    let mut blocks = 0;
    let first = ready.next_stream == 0;
    let told = member.sources.iter().filter(|_| first).filter_map(|(_, key)| {
        let block = sources.get_mut(*key)?.report_block(ready.now)?;
        blocks += 1;
        Some(block)
    });
    writer.receiver_report(SFU_SSRC, told.take(REPORT_BLOCKS_MAX))?;

    // The names at the end are of the SFU and of every stream before them.
    let mut names = [SFU_SSRC; 1 + RTCP_STREAMS_MAX];
    let mut reported = 0;
    while let Some((ssrc, key)) = member.streams.get(ready.next_stream) {
        let after = writer.len() + SENDER_REPORT_BYTES;
        if reported == RTCP_STREAMS_MAX || room < after + names_bytes(reported + 2) {
            break;
        }
        ready.next_stream += 1;
        let info = streams.get_mut(*key).and_then(|stream| stream.sender_info(epoch, ready.now));
        if let Some(info) = info {
            writer.sender_report(*ssrc, &info, [])?;
            reported += 1;
            names[reported] = *ssrc;
        }
    }
    // A link without streams is done as well: the first packet has told of all its sources.
    ready.next_stream = ready.next_stream.max(1);
    if blocks == 0 && reported == 0 {
        return None;
    }
    writer.canonical_names(names[..=reported].iter().copied(), CANONICAL_NAME)?;
    Some(writer.len())
}

/// Writes that streams end, the SFU's own among them.
fn write_farewell(ended: &[Ssrc], out: &mut [u8]) -> Option<usize> {
    let mut writer = Writer::new(out);
    writer.receiver_report(SFU_SSRC, [])?;
    writer.canonical_names([SFU_SSRC], CANONICAL_NAME)?;
    for ended in ended.chunks(BYE_SOURCES_MAX) {
        writer.bye(ended.iter().copied())?;
    }
    Some(writer.len())
}

/// The part of a buffer that an RTCP packet may take before it is sealed.
pub(super) fn unsealed(buffer: &mut [u8]) -> &mut [u8] {
    let len = buffer.len().min(DATAGRAM_BYTES_MAX).saturating_sub(RTCP_OVERHEAD_BYTES);
    &mut buffer[..len]
}

/// Bytes of a packet that names so many sources.
const fn names_bytes(sources: usize) -> usize {
    4 + sources * canonical_name_bytes(CANONICAL_NAME)
}

const _: () = assert!(RTCP_STREAMS_MAX < REPORT_BLOCKS_MAX, "a name for each and one for the SFU");
