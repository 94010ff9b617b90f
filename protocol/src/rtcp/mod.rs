//! RTCP (RFC 3550 §6): compound packets of reports, descriptions and farewells, read and written.
//!
//! A compound packet is checked as a whole before any of it is handed out: what parses has no
//! length that leads beyond its end. What surprises: the rule that a compound packet begins with a
//! report is not held against the sender, because reduced-size RTCP (RFC 5506) breaks it too.

mod parse;
mod write;

use core::time::Duration;

use crate::rtp::Ssrc;
use crate::time::{Instant, RoomTime};

pub use self::parse::{MalformedRtcp, Packet, Packets, ReportBlocks, Sources, parse};
pub use self::write::Writer;

/// The SSRC from which the SFU reports on every link. No stream has it: signalling never chooses
/// it and refuses publishers who do, and the SFU refuses commands with it.
pub const SFU_SSRC: Ssrc = Ssrc(0x766a_616d);

/// The canonical name (RFC 3550 §6.5.1) of the SFU and of every stream that it sends, in RTCP as in
/// SDP answers: they have one sender and one clock.
pub const CANONICAL_NAME: &str = "vjam";

/// Report blocks that one report can hold: its count has five bits.
pub const REPORT_BLOCKS_MAX: usize = 31;

/// Sources that one BYE can name.
pub const BYE_SOURCES_MAX: usize = 31;

/// A moment in NTP's 64-bit format (RFC 3550 §4): seconds since 1900 before the point, 2^-32 s
/// after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// A moment so long after the Unix epoch.
    #[must_use]
    pub const fn from_unix(since_epoch: Duration) -> Self {
        Self((UNIX_EPOCH_S << 32).wrapping_add(to_fixed(since_epoch)))
    }

    /// The moment so much later.
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.wrapping_add(to_fixed(duration)))
    }

    /// The moment that an instant stands for, where `self` is that of [`Instant::ZERO`].
    #[must_use]
    pub const fn at(self, instant: Instant) -> Self {
        self.plus(Duration::from_nanos(instant.as_ns()))
    }

    /// The same moment as a room's clock has it; NTP's era is taken to be the first, to 2036, or the second.
    #[must_use]
    pub const fn room(self) -> RoomTime {
        // The uppermost bit was set in 1968: without it the moment is in the second era.
        let seconds = (self.0 >> 32) + if self.0 >> 63 == 0 { 1 << 32 } else { 0 };
        let since_1970 = seconds.cast_signed() - UNIX_EPOCH_S.cast_signed();
        let ns = ((self.0 & 0xffff_ffff) * 1_000_000_000 + (1 << 31)) >> 32;
        RoomTime::from_ns(since_1970 * 1_000_000_000 + ns.cast_signed())
    }

    /// A moment of a room's clock.
    #[must_use]
    pub const fn from_room(time: RoomTime) -> Self {
        let seconds = time.as_ns().div_euclid(1_000_000_000) + UNIX_EPOCH_S.cast_signed();
        let ns = time.as_ns().rem_euclid(1_000_000_000).cast_unsigned();
        Self(seconds.cast_unsigned() << 32 | ((ns << 32) / 1_000_000_000))
    }

    /// The middle 32 bits, as reports repeat them: units of 2^-16 s, wrapping after 18 hours.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the middle 32 bits are what is asked for")]
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// A duration in units of 2^-16 s, as a report says how long ago a sender report came; 18 hours at
/// most.
#[must_use]
pub fn to_short(duration: Duration) -> u32 {
    u32::try_from(to_fixed(duration) >> 16).unwrap_or(u32::MAX)
}

/// The duration of so many units of 2^-16 s.
#[must_use]
pub const fn from_short(units: u32) -> Duration {
    Duration::from_nanos((units as u64 * 1_000_000_000) >> 16)
}

/// 2^-32 s; wraps after 136 years.
const fn to_fixed(duration: Duration) -> u64 {
    duration
        .as_secs()
        .wrapping_shl(32)
        .wrapping_add(((duration.subsec_nanos() as u64) << 32) / 1_000_000_000)
}

/// Seconds from 1900 to 1970.
const UNIX_EPOCH_S: u64 = 2_208_988_800;

/// What a receiver says about one stream (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportBlock {
    /// The stream.
    pub ssrc: Ssrc,
    /// Packets lost since the last report, in 256ths of those expected.
    pub fraction_lost: u8,
    /// Packets lost since the beginning: 24 bits with a sign, negative where duplicates outweigh.
    pub cumulative_lost: i32,
    /// The highest sequence number in the low 16 bits, rollovers above.
    pub highest_sequence: u32,
    /// Interarrival jitter in units of the timestamp.
    pub jitter: u32,
    /// [`NtpTime::middle`] of the last sender report that came; 0 for none.
    pub last_sender_report: u32,
    /// How long ago it came, in units of 2^-16 s; see [`from_short`].
    pub since_sender_report: u32,
}

/// What a sender says about its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SenderInfo {
    /// When the report was written...
    pub ntp: NtpTime,
    /// ...and the same moment on the stream's clock.
    pub rtp_timestamp: u32,
    /// Packets sent since the beginning, wrapping.
    pub packets: u32,
    /// Bytes of payload in them, wrapping.
    pub octets: u32,
}

/// Bytes of one report block.
pub const BLOCK_BYTES: usize = 24;

/// Bytes of a sender report without blocks.
pub const SENDER_REPORT_BYTES: usize = 28;

/// Bytes that a canonical name takes for each source.
#[must_use]
pub const fn canonical_name_bytes(name: &str) -> usize {
    // The word of the SSRC, type, length, name, at least one zero.
    4 + (2 + name.len() + 1).next_multiple_of(4)
}

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
const APPLICATION: u8 = 204;
const CNAME: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: SenderInfo =
        SenderInfo { ntp: NtpTime(0x0123_4567_89ab_cdef), rtp_timestamp: 7, packets: 8, octets: 9 };

    fn block(ssrc: u32, cumulative_lost: i32) -> ReportBlock {
        ReportBlock {
            ssrc: Ssrc(ssrc),
            fraction_lost: 200,
            cumulative_lost,
            highest_sequence: 0x1_0002,
            jitter: 3,
            last_sender_report: 4,
            since_sender_report: 5,
        }
    }

    fn packets(bytes: &[u8]) -> Vec<Packet<'_>> {
        parse(bytes).expect("well formed").collect()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut out = [0; 200];
        let mut writer = Writer::new(&mut out);
        let blocks = [block(1, -2), block(2, 0x7f_ffff)];
        writer.receiver_report(SFU_SSRC, blocks).expect("fits");
        writer.sender_report(Ssrc(6), &INFO, []).expect("fits");
        writer.canonical_names([Ssrc(6), SFU_SSRC], "vjam").expect("fits");
        writer.bye([Ssrc(6), Ssrc(7)]).expect("fits");
        let len = writer.len();
        assert_eq!(len, 8 + 2 * BLOCK_BYTES + SENDER_REPORT_BYTES + 4 + 2 * 12 + 12);
        assert_eq!(canonical_name_bytes("vjam"), 12);
        let packets = packets(&out[..len]);
        let [
            Packet::ReceiverReport { ssrc, blocks: read },
            Packet::SenderReport { ssrc: sender, info, blocks: none },
            Packet::Other { packet_type: SOURCE_DESCRIPTION },
            Packet::Bye(gone),
        ] = packets.as_slice()
        else {
            panic!("{packets:?}")
        };
        assert_eq!((*ssrc, *sender, *info), (SFU_SSRC, Ssrc(6), INFO));
        assert!(read.clone().eq(blocks) && none.clone().next().is_none());
        assert!(gone.clone().eq([Ssrc(6), Ssrc(7)]));
    }

    #[test]
    fn names_are_as_in_rfc_3550() {
        let mut out = [0xff; 64];
        let mut writer = Writer::new(&mut out);
        writer.canonical_names([Ssrc(1)], "ab").expect("fits");
        // The name ends with its word, so that a whole word of zeros follows.
        let expected = [0x81, 202, 0, 3, 0, 0, 0, 1, 1, 2, b'a', b'b', 0, 0, 0, 0];
        assert_eq!(out[..16], expected);
    }

    #[test]
    fn what_does_not_fit_leaves_the_rest_alone() {
        let mut out = [0; 20];
        let mut writer = Writer::new(&mut out);
        writer.receiver_report(Ssrc(1), []).expect("fits");
        assert_eq!(writer.sender_report(Ssrc(2), &INFO, []), None);
        assert_eq!(writer.bye((0..3).map(Ssrc)), None);
        assert_eq!(writer.len(), 8);
        let mut out = [0; 4000];
        assert_eq!(Writer::new(&mut out).bye((0..32).map(Ssrc)), None);
        let blocks = (0..32).map(|ssrc| block(ssrc, 0));
        assert_eq!(Writer::new(&mut out).receiver_report(Ssrc(1), blocks), None);
    }

    #[test]
    fn lies_about_counts_and_lengths_are_named() {
        let broken = |bytes: &[u8]| parse(bytes).err();
        assert_eq!(broken(&[]), Some(MalformedRtcp::Truncated));
        assert_eq!(broken(&[0x80, 201, 0]), Some(MalformedRtcp::Truncated));
        // One word is promised, none is there; then no word for the SSRC; then no block.
        assert_eq!(broken(&[0x80, 201, 0, 1]), Some(MalformedRtcp::Truncated));
        assert_eq!(broken(&[0x80, 201, 0, 0]), Some(MalformedRtcp::Truncated));
        assert_eq!(broken(&[0x81, 201, 0, 1, 0, 0, 0, 1]), Some(MalformedRtcp::Truncated));
        assert_eq!(broken(&[0x82, 203, 0, 1, 0, 0, 0, 1]), Some(MalformedRtcp::Truncated));
        assert_eq!(broken(&[0x80, 201, 0xff, 0xff, 0, 0, 0, 1]), Some(MalformedRtcp::Truncated));
        assert_eq!(broken(&[0x40, 201, 0, 1, 0, 0, 0, 1]), Some(MalformedRtcp::Version(1)));
        // A good packet does not excuse what follows it.
        let tail = [0x80, 201, 0, 1, 0, 0, 0, 1, 0x80, 200, 0, 1, 0, 0, 0, 1];
        assert_eq!(broken(&tail), Some(MalformedRtcp::Truncated));
        // A type that is skipped is still as long as it says.
        assert!(matches!(packets(&[0x80, 206, 0, 0])[..], [Packet::Other { packet_type: 206 }]));
    }

    #[test]
    fn padding_is_cut_off_and_must_fit() {
        let padded = |padding: u8| [0xa0, 201, 0, 2, 0, 0, 0, 9, 0, 0, 0, padding];
        assert!(parse(&padded(4)).is_ok());
        for padding in [0, 3, 8, 12, 255] {
            assert!(parse(&padded(padding)).is_err(), "{padding}");
        }
        let mut inside = padded(4).to_vec();
        inside.extend([0x80, 201, 0, 1, 0, 0, 0, 9]);
        assert_eq!(parse(&inside).err(), Some(MalformedRtcp::Padding));
    }

    #[test]
    fn what_applications_add_is_written_and_read_back() {
        let mut out = [0; 64];
        let mut writer = Writer::new(&mut out);
        writer.application(3, Ssrc(9), *b"test", &[1, 2, 3, 4]).expect("fits");
        assert_eq!(writer.application(32, Ssrc(9), *b"test", &[]), None, "a subtype has five bits");
        assert_eq!(writer.application(0, Ssrc(9), *b"test", &[1]), None, "not whole words");
        let len = writer.len();
        assert_eq!(out[..12], [0x83, 204, 0, 3, 0, 0, 0, 9, b't', b'e', b's', b't']);
        let packets = packets(&out[..len]);
        let [Packet::Application { subtype, ssrc, name, data }] = packets[..] else {
            panic!("{packets:?}")
        };
        assert_eq!((subtype, ssrc, &name, data), (3, Ssrc(9), b"test", &[1, 2, 3, 4][..]));
        assert_eq!(parse(&[0x80, 204, 0, 1, 0, 0, 0, 9]).err(), Some(MalformedRtcp::Truncated));
    }

    #[test]
    fn a_rooms_time_is_ntp_time_and_back() {
        for ns in [0, 1, 999_999_999, 1_790_000_000_123_456_789, 2_200_000_000_000_000_001] {
            let time = RoomTime::from_ns(ns);
            let back = NtpTime::from_room(time).room();
            assert!(back.ns_since(time).abs() <= 1, "{ns}: {back:?}");
        }
        let unix = NtpTime::from_unix(Duration::from_millis(1_500));
        assert_eq!(unix.room(), RoomTime::from_ns(1_500_000_000));
    }

    #[test]
    fn ntp_time_counts_from_1900_in_fixed_point() {
        let noon = NtpTime::from_unix(Duration::from_millis(1_500));
        assert_eq!(noon.0, (2_208_988_801 << 32) + (1 << 31));
        let later = noon.at(Instant::from_ns(250_000_000));
        assert_eq!(later.0 - noon.0, 1 << 30);
        assert_eq!(later.middle() - noon.middle(), 1 << 14);
        assert_eq!(to_short(Duration::from_millis(500)), 1 << 15);
        assert_eq!(from_short(1 << 15), Duration::from_millis(500));
        assert_eq!(to_short(Duration::MAX), u32::MAX);
    }
}
