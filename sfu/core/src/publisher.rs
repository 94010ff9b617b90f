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
use protocol::rtcp::ReportBlock;
use protocol::rtp::{Packet, PayloadType, SequenceNumber, Ssrc};
use protocol::time::{Instant, MediaTime};
use protocol::units::SampleRate;

use crate::limits::{
    SOURCE_AHEAD_PACKETS_MAX, SOURCE_BURST, SOURCE_PACKETS_PER_SECOND_MAX,
    SOURCE_RATE_TOLERANCE_DIVISOR,
};
use crate::rate::Bucket;
use crate::reception::Reception;
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
    /// Faster than was declared.
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
    /// Packets dropped for the rate since that was last told.
    over_rate: u32,
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
    pub(crate) reception: Reception,
}

impl Source {
    pub(crate) fn new(
        participant: ParticipantId,
        ssrc: Ssrc,
        track: TrackId,
        payload_types: PayloadTypes,
        packets_per_second: u32,
        now: Instant,
    ) -> Self {
        Self {
            participant,
            ssrc,
            track,
            muted: false,
            subscribers: Vec::with_capacity(SUBSCRIBERS_EXPECTED),
            payload_types,
            rate: rate(packets_per_second, now),
            over_rate: 0,
            epoch: 0,
            window: ReplayWindow::EMPTY,
            media_time: MediaTime::default(),
            restart_at: None,
            received: 0,
            reported_received: 0,
            reported_number: None,
            jitter: Jitter::default(),
            reception: Reception::default(),
        }
    }

    /// Counts a packet and finds its place.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
    ) -> Result<(Payload, Position), Rejected> {
        if !self.rate.admit(now) {
            self.over_rate = self.over_rate.saturating_add(1);
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

    /// How many packets were dropped for the rate since this was last asked.
    pub(crate) const fn take_over_rate(&mut self) -> u32 {
        core::mem::replace(&mut self.over_rate, 0)
    }

    /// What RTCP tells the publisher of the time since it last did; `None` where nothing came.
    pub(crate) fn report_block(&mut self, now: Instant) -> Option<ReportBlock> {
        let jitter = self.jitter.as_frames();
        self.reception.block(now, self.ssrc, self.window.highest()?, self.received, jitter)
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
            ahead < SOURCE_AHEAD_PACKETS_MAX || ahead.wrapping_neg() < ReplayWindow::PACKETS
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
        self.reception.restart(number, self.received);
    }
}

/// What is admitted of a source that declared so many packets per second.
fn rate(packets_per_second: u32, now: Instant) -> Bucket {
    let declared = packets_per_second.clamp(1, SOURCE_PACKETS_PER_SECOND_MAX);
    let tolerated = declared + declared.div_ceil(SOURCE_RATE_TOLERANCE_DIVISOR);
    let burst = SOURCE_BURST.as_millis() * u128::from(declared) / 1000;
    Bucket::new(tolerated, u32::try_from(burst).unwrap_or(declared).max(1), now)
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

    fn as_frames(self) -> u32 {
        u32::try_from(self.sixteenths >> 4).unwrap_or(0)
    }

    fn as_us(self) -> u32 {
        let us = self.sixteenths * 1_000_000 / 16 / i64::from(SampleRate::WIRE.as_hz());
        u32::try_from(us).unwrap_or(0)
    }
}

/// Room for subscribers from the start; more allocate when they subscribe.
const SUBSCRIBERS_EXPECTED: usize = 8;

/// One change of transit counts for at most a second, so that a jump of a clock is not a storm.
const JITTER_MAX_FRAMES: i64 = 48_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        source_of(1000)
    }

    fn source_of(packets_per_second: u32) -> Source {
        let (participant, ssrc, track) = (ParticipantId(1), Ssrc(1), TrackId(1));
        let payload_types = PayloadTypes::NATIVE;
        Source::new(participant, ssrc, track, payload_types, packets_per_second, Instant::ZERO)
    }

    fn packet(number: u16, timestamp: u32) -> Packet<'static> {
        Packet {
            marker: false,
            capture_time: None,
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

    /// How many of `packets`, evenly spread over `seconds` after a first burst, are taken.
    fn admitted(source: &mut Source, number: &mut u16, packets: u64, from_ns: u64, ns: u64) -> u64 {
        let mut admitted = 0;
        for step in 0..packets {
            let now = Instant::from_ns(from_ns + step * ns / packets);
            admitted += u64::from(source.receive(now, &packet(*number, 0)).is_ok());
            *number = number.wrapping_add(1);
        }
        admitted
    }

    #[test]
    fn what_is_over_the_declared_rate_is_cut_and_counted() {
        const SECOND: u64 = 1_000_000_000;
        for declared in [50, 100, 400, 750] {
            let mut source = source_of(declared);
            let (mut number, declared) = (1, u64::from(declared));
            // Half a second at once, and no more.
            assert_eq!(admitted(&mut source, &mut number, declared, 0, 1), declared / 2);
            assert_eq!(u64::from(source.take_over_rate()), declared - declared / 2);
            // Three times as much for a minute: what was declared comes through, and little more.
            let taken = admitted(&mut source, &mut number, 180 * declared, SECOND, 60 * SECOND);
            assert!((60 * declared..=62 * declared).contains(&taken), "{taken} of {declared}");
            assert_eq!(u64::from(source.take_over_rate()), 180 * declared - taken);
        }
    }

    #[test]
    fn a_fast_sound_card_and_a_stalled_network_lose_nothing() {
        const SECOND: u64 = 1_000_000_000;
        let mut source = source_of(750);
        let (mut number, mut sent, mut taken) = (1, 0, 0);
        // 500 ppm fast, and each ten seconds what half a second holds comes at its end.
        for round in 0..60 {
            for (at_ns, packets, ns) in [(0, 7_129, 95 * SECOND / 10), (10 * SECOND - 1, 375, 1)] {
                let from_ns = round * 10 * SECOND + at_ns;
                taken += admitted(&mut source, &mut number, packets, from_ns, ns);
                sent += packets;
            }
        }
        assert_eq!((taken, source.take_over_rate()), (sent, 0));
    }

    #[test]
    fn a_payload_type_that_was_not_agreed_is_refused() {
        let mut odd = packet(1, 0);
        odd.payload_type = PayloadType(0);
        let result = source().receive(Instant::ZERO, &odd);
        assert_eq!(result, Err(Rejected::PayloadType));
    }
}
