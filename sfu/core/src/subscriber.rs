//! One outgoing stream: its SSRC at the subscriber, its numbering, and what is behind it.

use protocol::control::PayloadTypes;
use protocol::red;
use protocol::rtcp::{NtpTime, ReportBlock, SenderInfo};
use protocol::rtp::{PayloadType, SequenceNumber, Ssrc};
use protocol::time::{Instant, ShortTime};

use crate::feedback::Feedback;
use crate::member::MemberKey;
use crate::publisher::{Payload, Source};
use crate::rewrite::Rewrite;
use crate::slab::Key;

/// A stream that a subscriber receives. It is remembered until its link closes: subscribed again,
/// its numbers go on.
pub(crate) struct Stream {
    pub(crate) member: MemberKey,
    pub(crate) ssrc: Ssrc,
    pub(crate) source: Option<Key<Source>>,
    pub(crate) payload_types: PayloadTypes,
    /// Redundant blocks that its RED payloads keep.
    pub(crate) redundant_frames: u8,
    pub(crate) rewrite: Rewrite,
    pub(crate) feedback: Feedback,
    sent: Sent,
    /// When a frame of the latest packet that says it was captured: its timestamp, and the moment.
    pub(crate) captured: Option<(u32, ShortTime)>,
}

/// What was sent into a stream, as sender reports tell it: wrapping.
#[derive(Debug, Clone, Copy, Default)]
struct Sent {
    packets: u32,
    octets: u32,
    /// Packets at the last report.
    reported: u32,
}

impl Stream {
    pub(crate) fn new(member: MemberKey, ssrc: Ssrc, payload_types: PayloadTypes) -> Self {
        Self {
            member,
            ssrc,
            source: None,
            payload_types,
            redundant_frames: 0,
            rewrite: Rewrite::new(start(ssrc)),
            feedback: Feedback::default(),
            sent: Sent::default(),
            captured: None,
        }
    }

    /// The subscriber's payload type; `None` where it does not take such payloads.
    pub(crate) const fn payload_type(&self, payload: Payload) -> Option<PayloadType> {
        match payload {
            Payload::Opus => Some(self.payload_types.opus),
            Payload::Red => self.payload_types.red,
        }
    }

    /// What of a payload the subscriber needs, in two parts that follow each other.
    pub(crate) fn needed<'a>(&self, kind: Payload, payload: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        match kind {
            Payload::Opus => (payload, &[]),
            Payload::Red => red::keep(payload, usize::from(self.redundant_frames)),
        }
    }

    /// Counts a packet that was sent.
    pub(crate) const fn count(&mut self, payload_bytes: usize) {
        self.sent.packets = self.sent.packets.wrapping_add(1);
        self.sent.octets = self.sent.octets.wrapping_add(low_bits(payload_bytes));
    }

    /// Whether anything was ever sent.
    pub(crate) const fn was_heard(&self) -> bool {
        self.sent.packets != 0
    }

    /// What a sender report says; `None` where nothing was sent since the last.
    pub(crate) fn sender_info(&mut self, epoch: NtpTime, now: Instant) -> Option<SenderInfo> {
        if self.sent.packets == self.sent.reported {
            return None;
        }
        let rtp_timestamp = self.rewrite.media_time_at(now)?.rtp_timestamp();
        self.sent.reported = self.sent.packets;
        let Sent { packets, octets, .. } = self.sent;
        Some(SenderInfo { ntp: epoch.at(now), rtp_timestamp, packets, octets })
    }

    /// Takes in what the subscriber says of it.
    pub(crate) fn hear_report(&mut self, now: NtpTime, block: &ReportBlock) {
        let first = SequenceNumber(u64::from(start(self.ssrc)));
        self.feedback.hear(now, first, self.rewrite.highest(), block);
    }
}

/// The number before a stream's first. Any below 2^14 will do, and one that differs between streams
/// tells them apart in a trace. It need not be secret: the payload is encrypted with a key of its
/// own.
const fn start(ssrc: Ssrc) -> u16 {
    (ssrc.0 & 0x3fff) as u16
}

#[expect(clippy::cast_possible_truncation, reason = "a payload fits a datagram")]
const fn low_bits(bytes: usize) -> u32 {
    bytes as u32
}
