//! What goes out: copies of packets, each written when it is asked for, and control datagrams.

use protocol::rtp::Packet;

use super::{Outgoing, Router};
use crate::transport::Link;

impl<L: Link> Router<L> {
    /// The next copy of a pending packet: one subscriber after the other, packet after packet.
    pub(super) fn poll_forwarded(&mut self, buffer: &mut [u8]) -> Option<Outgoing> {
        while let Some((pending, payload)) = self.pending.front() {
            let next = self
                .sources
                .get(pending.source)
                .and_then(|source| source.subscribers.get(pending.next_subscriber));
            let Some(&key) = next else {
                self.pending.pop();
                continue;
            };
            pending.next_subscriber += 1;
            let Some(stream) = self.streams.get_mut(key) else { continue };
            let Some(member) = self.members.get_mut(stream.member) else { continue };
            let Some(to) = member.link.address().filter(|_| member.up) else {
                self.counters.unsent_link_down += 1;
                continue;
            };
            let Some(payload_type) = stream.payload_type(pending.payload_kind) else {
                self.counters.unsent_payload += 1;
                continue;
            };
            let rewritten =
                stream.rewrite.rewrite(pending.source, pending.position, pending.arrived);
            let Some(rewritten) = rewritten else {
                self.counters.unsent_before_join += 1;
                continue;
            };
            let (headers, frames) = stream.needed(pending.payload_kind, payload);
            let packet = Packet {
                marker: pending.marker || rewritten.joined,
                capture_time: pending.capture_time.filter(|_| stream.payload_types.capture_time),
                payload_type,
                sequence_number: rewritten.number.wire(),
                timestamp: rewritten.media_time.rtp_timestamp(),
                ssrc: stream.ssrc,
                payload: headers,
            };
            if let Some(capture_time) = pending.capture_time {
                stream.captured = Some((packet.timestamp, capture_time));
            }
            let sealed = packet
                .write(buffer)
                .and_then(|len| append(buffer, len, frames))
                .and_then(|len| member.link.seal(buffer, len).ok());
            let Some(len) = sealed else {
                self.counters.unsent_not_sealed += 1;
                continue;
            };
            stream.count(headers.len() + frames.len());
            self.counters.forwarded_packets += 1;
            return Some(Outgoing { to, len, arrived: Some(pending.arrived) });
        }
        None
    }

    pub(super) fn poll_control(&mut self, buffer: &mut [u8]) -> Option<Outgoing> {
        while let Some((to, bytes)) = self.farewells.pop_front() {
            if let Some(out) = buffer.get_mut(..bytes.len()) {
                out.copy_from_slice(&bytes);
                self.counters.control_sent += 1;
                return Some(Outgoing { to, len: bytes.len(), arrived: None });
            }
        }
        if let Some(outgoing) = self.poll_answer(buffer) {
            return Some(outgoing);
        }
        while let Some(&key) = self.ready.front() {
            let Some(member) = self.members.get_mut(key) else {
                self.ready.pop_front();
                continue;
            };
            if let Some(transmit) = member.link.poll_transmit(buffer) {
                self.counters.control_sent += 1;
                return Some(Outgoing { to: transmit.to, len: transmit.len, arrived: None });
            }
            member.queued = false;
            self.ready.pop_front();
        }
        self.poll_report(buffer)
    }
}

/// Writes bytes behind the first `len`; gives the new length, or `None` where they do not fit.
fn append(buffer: &mut [u8], len: usize, bytes: &[u8]) -> Option<usize> {
    let end = len + bytes.len();
    buffer.get_mut(len..end)?.copy_from_slice(bytes);
    Some(end)
}
