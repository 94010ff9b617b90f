//! One incoming stream: order, loss, jitter, rate, and who subscribes to it.
//!
//! It never holds a packet back: what arrives late is forwarded late, and the subscriber's jitter
//! buffer decides. What surprises: a publisher may start its numbering anew under the same SSRC (an
//! engine that was rebuilt sends over the same data channel). Two consecutive packets far from the
//! expected number are taken for that (RFC 3550 A.1) and begin a new *epoch*, after which
//! subscribers' numbering is joined on afresh.

use protocol::control::PayloadTypes;
use protocol::id::{ParticipantId, TrackId};
use protocol::replay::ReplayWindow;
use protocol::rtp::{Packet, PayloadType, SequenceNumber, Ssrc};
use protocol::time::{Instant, MediaTime};
use protocol::units::SampleRate;

use crate::limits::{SOURCE_BURST_PACKETS_MAX, SOURCE_PACKETS_PER_SECOND_MAX};
use crate::rate::Bucket;
use crate::slab::Key;
use crate::subscriber::Stream;

/// How a payload is coded, in words that publisher and subscriber share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payload {
    Opus,
    Red,
}

/// Where a packet stands in its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// Rises whenever numbering or forwarding starts anew.
    pub(crate) epoch: u32,
    pub(crate) number: SequenceNumber,
    pub(crate) media_time: MediaTime,
}

/// Why a packet is not forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// Faster than any track.
    OverRate,
    /// Seen already, or too old to know.
    Duplicate,
    /// Numbered far off; its successor decides whether the publisher started anew.
    Astray,
    /// Neither of the publisher's payload types.
    PayloadType,
}

/// What [`Source::report`] tells of one interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) received_packets: u32,
    pub(crate) lost_packets: u32,
    pub(crate) jitter_us: u32,
}

pub(crate) struct Source {
    pub(crate) participant: ParticipantId,
    pub(crate) ssrc: Ssrc,
    pub(crate) track: TrackId,
    pub(crate) muted: bool,
    /// In the order of subscribing; each packet goes to all of them.
    pub(crate) subscribers: Vec<Key<Stream>>,
    payload_types: PayloadTypes,
    rate: Bucket,
    epoch: u32,
    window: ReplayWindow,
    media_time: MediaTime,
    /// The number that would make an astray packet the first of a new epoch.
    restart_at: Option<u16>,
    received: u64,
    reported_received: u64,
    /// The highest number before the interval that is being counted.
    reported_number: Option<SequenceNumber>,
    jitter: Jitter,
}

impl Source {
    pub(crate) fn new(
        participant: ParticipantId,
        ssrc: Ssrc,
        track: TrackId,
        payload_types: PayloadTypes,
        now: Instant,
    ) -> Self {
        Self {
            participant,
            ssrc,
            track,
            muted: false,
            subscribers: Vec::with_capacity(SUBSCRIBERS_EXPECTED),
            payload_types,
            rate: Bucket::new(SOURCE_PACKETS_PER_SECOND_MAX, SOURCE_BURST_PACKETS_MAX, now),
            epoch: 0,
            window: ReplayWindow::EMPTY,
            media_time: MediaTime::default(),
            restart_at: None,
            received: 0,
            reported_received: 0,
            reported_number: None,
            jitter: Jitter::default(),
        }
    }

    /// Counts a packet and finds its place.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
    ) -> Result<(Payload, Position), Rejected> {
        if !self.rate.admit(now) {
            return Err(Rejected::OverRate);
        }
        let payload = self.payload(packet.payload_type).ok_or(Rejected::PayloadType)?;
        let number = self.place(packet)?;
        self.received += 1;
        let media_time = self.media_time.extend(packet.timestamp);
        if self.window.highest() == Some(number) {
            self.media_time = media_time;
        }
        self.jitter.update(now, media_time);
        Ok((payload, Position { epoch: self.epoch, number, media_time }))
    }

    /// Has subscribers' numbering joined on afresh, as after a pause.
    pub(crate) const fn start_epoch(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// What arrived since the last report; `None` where nothing did and nothing is missing.
    pub(crate) fn report(&mut self) -> Option<Report> {
        let highest = self.window.highest()?;
        let before = self.reported_number.unwrap_or(highest);
        let expected = highest.0.saturating_sub(before.0);
        let received = self.received - self.reported_received;
        self.reported_received = self.received;
        self.reported_number = Some(highest);
        let lost = expected.saturating_sub(received);
        (0 < received || 0 < lost).then(|| Report {
            received_packets: u32::try_from(received).unwrap_or(u32::MAX),
            lost_packets: u32::try_from(lost).unwrap_or(u32::MAX),
            jitter_us: self.jitter.as_us(),
        })
    }

    fn payload(&self, payload_type: PayloadType) -> Option<Payload> {
        if payload_type == self.payload_types.opus {
            Some(Payload::Opus)
        } else if Some(payload_type) == self.payload_types.red {
            Some(Payload::Red)
        } else {
            None
        }
    }

    fn place(&mut self, packet: &Packet<'_>) -> Result<SequenceNumber, Rejected> {
        let wire = packet.sequence_number;
        let number = self.window.extend(wire);
        let ahead = self.window.highest().map(|highest| number.0.wrapping_sub(highest.0));
        let near = ahead.is_none_or(|ahead| {
            ahead < AHEAD_MAX_PACKETS || ahead.wrapping_neg() < ReplayWindow::PACKETS
        });
        if near {
            if !self.window.is_fresh(number) {
                return Err(Rejected::Duplicate);
            }
            if ahead.is_none() {
                self.join(number, packet);
            }
            self.window.mark(number);
            self.restart_at = None;
            return Ok(number);
        }
        if self.restart_at != Some(wire) {
            self.restart_at = Some(wire.wrapping_add(1));
            return Err(Rejected::Astray);
        }
        let number = SequenceNumber(u64::from(wire));
        self.start_epoch();
        self.restart_at = None;
        self.window = ReplayWindow::EMPTY;
        self.window.mark(number);
        self.join(number, packet);
        Ok(number)
    }

    /// Starts counting at a first packet.
    fn join(&mut self, number: SequenceNumber, packet: &Packet<'_>) {
        self.media_time = MediaTime::from_frames(i64::from(packet.timestamp));
        self.reported_number = Some(SequenceNumber(number.0.saturating_sub(1)));
        self.reported_received = self.received;
        self.jitter = Jitter::default();
    }
}

/// Interarrival jitter of RFC 3550 §6.4.1, in sixteenths of a frame as in its appendix A.8.
#[derive(Debug, Clone, Copy, Default)]
struct Jitter {
    transit: Option<i64>,
    sixteenths: i64,
}

impl Jitter {
    fn update(&mut self, now: Instant, media_time: MediaTime) {
        // Hertz divide out so that an hour of nanoseconds stays within 64 bits.
        let frames = now.as_ns() / 1_000 * (u64::from(SampleRate::WIRE.as_hz()) / 1_000) / 1_000;
        let transit = frames.cast_signed().wrapping_sub(media_time.as_frames());
        if let Some(before) = self.transit.replace(transit) {
            let change = transit.wrapping_sub(before).saturating_abs().min(JITTER_MAX_FRAMES);
            self.sixteenths += change - ((self.sixteenths + 8) >> 4);
        }
    }

    fn as_us(self) -> u32 {
        let us = self.sixteenths * 1_000_000 / 16 / i64::from(SampleRate::WIRE.as_hz());
        u32::try_from(us).unwrap_or(0)
    }
}

/// Room for subscribers from the start; more allocate when they subscribe.
const SUBSCRIBERS_EXPECTED: usize = 8;

/// Numbers that may be missing before a packet counts as astray: four seconds of the fastest track
/// (`MAX_DROPOUT` of RFC 3550 A.1).
const AHEAD_MAX_PACKETS: u64 = 3000;

/// One change of transit counts for at most a second, so that a jump of a clock is not a storm.
const JITTER_MAX_FRAMES: i64 = 48_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source::new(ParticipantId(1), Ssrc(1), TrackId(1), PayloadTypes::NATIVE, Instant::ZERO)
    }

    fn packet(number: u16, timestamp: u32) -> Packet<'static> {
        Packet {
            marker: false,
            payload_type: PayloadType::OPUS,
            sequence_number: number,
            timestamp,
            ssrc: Ssrc(1),
            payload: &[0],
        }
    }

    /// Receives packets 10 ms of arrival and 480 frames of media apart, numbered as given.
    fn receive_all(source: &mut Source, numbers: &[u16]) -> Vec<Result<(u32, u64), Rejected>> {
        let mut results = Vec::new();
        for (step, number) in numbers.iter().enumerate() {
            let step = u64::try_from(step).expect("small");
            let now = Instant::from_ns(step * 10_000_000);
            let result = source.receive(now, &packet(*number, u32::from(*number) * 480));
            results.push(result.map(|(_, position)| (position.epoch, position.number.0)));
        }
        results
    }

    #[test]
    fn numbers_extend_over_the_wrap_and_duplicates_are_named() {
        let results = receive_all(&mut source(), &[65_534, 65_535, 1, 0, 1, 65_535]);
        assert_eq!(
            results,
            [
                Ok((0, 65_534)),
                Ok((0, 65_535)),
                Ok((0, 65_537)),
                Ok((0, 65_536)),
                Err(Rejected::Duplicate),
                Err(Rejected::Duplicate)
            ]
        );
    }

    #[test]
    fn two_consecutive_packets_far_off_are_a_restart_and_one_is_astray() {
        let mut source = source();
        let results = receive_all(&mut source, &[40_000, 7, 40_001, 900, 901, 902]);
        assert_eq!(
            results,
            [
                Ok((0, 40_000)),
                Err(Rejected::Astray),
                Ok((0, 40_001)),
                Err(Rejected::Astray),
                Ok((1, 901)),
                Ok((1, 902))
            ]
        );
    }

    #[test]
    fn a_report_counts_what_is_missing_and_late_packets_make_it_good() {
        let mut source = source();
        receive_all(&mut source, &[10, 11, 14]);
        let report = source.report().expect("packets came");
        assert_eq!((report.received_packets, report.lost_packets), (3, 2));
        receive_all(&mut source, &[13, 15, 16]);
        let report = source.report().expect("packets came");
        assert_eq!((report.received_packets, report.lost_packets), (3, 0));
        assert_eq!(source.report(), None);
    }

    #[test]
    fn jitter_is_zero_for_even_arrival_and_grows_with_uneven() {
        let mut source = source();
        for step in 0..100_u16 {
            let now = Instant::from_ns(u64::from(step) * 10_000_000);
            source.receive(now, &packet(step, u32::from(step) * 480)).expect("in order");
        }
        assert_eq!(source.report().expect("packets came").jitter_us, 0);
        for step in 100..300_u16 {
            // Every second packet is 2 ms late: transit changes by 2 ms each time.
            let late_ns = u64::from(step % 2) * 2_000_000;
            let now = Instant::from_ns(u64::from(step) * 10_000_000 + late_ns);
            source.receive(now, &packet(step, u32::from(step) * 480)).expect("in order");
        }
        let jitter_us = source.report().expect("packets came").jitter_us;
        assert!((1_900..=2_000).contains(&jitter_us), "{jitter_us}");
    }

    #[test]
    fn what_is_over_the_rate_is_cut() {
        let mut source = source();
        let admitted = (0..2_000_u16)
            .filter(|number| source.receive(Instant::ZERO, &packet(*number, 0)).is_ok())
            .count();
        assert_eq!(admitted, usize::try_from(SOURCE_BURST_PACKETS_MAX).expect("small"));
    }

    #[test]
    fn a_payload_type_that_was_not_agreed_is_refused() {
        let mut odd = packet(1, 0);
        odd.payload_type = PayloadType(0);
        let result = source().receive(Instant::ZERO, &odd);
        assert_eq!(result, Err(Rejected::PayloadType));
    }
}
