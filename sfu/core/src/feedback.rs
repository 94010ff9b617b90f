//! How one outgoing stream is received, as its subscriber tells by RTCP.
//!
//! What surprises: a subscriber's rollovers are not believed. A browser that builds its receiver
//! anew counts them from nothing; which of our numbers it means is clear from the low 16 bits.

use core::time::Duration;

use protocol::rtcp::{NtpTime, ReportBlock, from_short};
use protocol::rtp::SequenceNumber;
use protocol::units::SampleRate;

/// What was told since [`Feedback::take`] last took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) expected_packets: u32,
    pub(crate) lost_packets: u32,
    pub(crate) jitter_us: u32,
    pub(crate) round_trip_us: Option<u32>,
}

/// The reports about one stream.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Feedback {
    /// The highest number and the cumulative loss of the last report.
    last: Option<(SequenceNumber, i32)>,
    fresh: Option<Heard>,
}

impl Feedback {
    /// Takes in a report on a stream whose numbers go from after `first` to `highest`.
    pub(crate) fn hear(
        &mut self,
        now: NtpTime,
        first: SequenceNumber,
        highest: SequenceNumber,
        block: &ReportBlock,
    ) {
        let told = wire_of(block.highest_sequence);
        let behind = u64::from(highest.wire().wrapping_sub(told));
        let Some(number) = highest.0.checked_sub(behind).filter(|number| first.0 <= *number) else {
            return;
        };
        let (number_before, lost_before) = self.last.unwrap_or((first, 0));
        self.last = Some((SequenceNumber(number), block.cumulative_lost));
        let expected = number.saturating_sub(number_before.0);
        let lost = block.cumulative_lost.saturating_sub(lost_before).max(0).cast_unsigned();
        let expected = u32::try_from(expected).unwrap_or(u32::MAX);
        let jitter_us = u64::from(block.jitter) * 1_000_000 / u64::from(SampleRate::WIRE.as_hz());
        let before = self.fresh;
        self.fresh = Some(Heard {
            expected_packets: before.map_or(0, |heard| heard.expected_packets) + expected,
            // Nobody can lose more than was sent.
            lost_packets: before.map_or(0, |heard| heard.lost_packets) + lost.min(expected),
            jitter_us: u32::try_from(jitter_us).unwrap_or(u32::MAX),
            round_trip_us: round_trip(now, block)
                .and_then(|duration| u32::try_from(duration.as_micros()).ok())
                .or_else(|| before.and_then(|heard| heard.round_trip_us)),
        });
    }

    /// What was told since it was last taken; `None` where nothing was.
    pub(crate) const fn take(&mut self) -> Option<Heard> {
        self.fresh.take()
    }
}

/// RFC 3550 §6.4.1: now, less when the sender report was sent, less how long it lay there.
fn round_trip(now: NtpTime, block: &ReportBlock) -> Option<Duration> {
    if block.last_sender_report == 0 {
        return None;
    }
    let elapsed = from_short(now.middle().wrapping_sub(block.last_sender_report));
    let lay = from_short(block.since_sender_report);
    (elapsed < SENDER_REPORT_AGE_MAX).then(|| elapsed.checked_sub(lay)).flatten()
}

#[expect(clippy::cast_possible_truncation, reason = "the sequence number is the low 16 bits")]
const fn wire_of(highest_sequence: u32) -> u16 {
    highest_sequence as u16
}

/// Older reports are not repeated by anybody: browsers tell every five seconds of one that is a
/// second old. Beyond, the number is taken for nonsense.
const SENDER_REPORT_AGE_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(feedback: &mut Feedback, sent_up_to: u64, highest_sequence: u32, lost: i32) {
        let block =
            ReportBlock { highest_sequence, cumulative_lost: lost, ..ReportBlock::default() };
        let (first, highest) = (SequenceNumber(100), SequenceNumber(sent_up_to));
        feedback.hear(NtpTime::default(), first, highest, &block);
    }

    fn counts(feedback: &mut Feedback) -> Option<(u32, u32)> {
        feedback.take().map(|heard| (heard.expected_packets, heard.lost_packets))
    }

    #[test]
    fn intervals_add_up_until_they_are_taken() {
        let mut feedback = Feedback::default();
        hear(&mut feedback, 250, 200, 5);
        hear(&mut feedback, 350, 300, 9);
        assert_eq!(counts(&mut feedback), Some((200, 9)));
        assert_eq!(counts(&mut feedback), None);
        hear(&mut feedback, 420, 400, 9);
        assert_eq!(counts(&mut feedback), Some((100, 0)));
    }

    #[test]
    fn rollovers_and_restarts_of_the_receiver_do_not_matter() {
        let mut feedback = Feedback::default();
        hear(&mut feedback, 70_000, 69_990, 0);
        feedback.take();
        // The receiver was built anew: no rollover, no loss so far.
        hear(&mut feedback, 70_100, 70_090 - 65_536, 0);
        assert_eq!(counts(&mut feedback), Some((100, 0)));
        hear(&mut feedback, 70_200, 70_190 - 65_536, 1_000_000);
        assert_eq!(counts(&mut feedback), Some((100, 100)), "not more than was sent");
    }

    #[test]
    fn numbers_that_were_never_sent_say_nothing() {
        let mut feedback = Feedback::default();
        hear(&mut feedback, 150, 99, 0);
        hear(&mut feedback, 150, 151, 0);
        assert_eq!(counts(&mut feedback), None);
    }

    #[test]
    fn the_round_trip_is_what_is_left_of_the_time_since_the_report() {
        let sent = NtpTime::from_unix(Duration::from_secs(1_000_000));
        let after = |ms| sent.plus(Duration::from_millis(ms));
        let block = |lay_ms| ReportBlock {
            last_sender_report: sent.middle(),
            since_sender_report: protocol::rtcp::to_short(Duration::from_millis(lay_ms)),
            ..ReportBlock::default()
        };
        let ms = |duration: Duration| duration.as_micros().div_ceil(1000);
        assert_eq!(round_trip(after(1030), &block(1000)).map(ms), Some(30));
        assert_eq!(round_trip(after(900), &block(1000)), None, "before it was sent");
        assert_eq!(round_trip(after(61_000), &block(0)), None);
        assert_eq!(round_trip(after(30), &ReportBlock::default()), None, "it knows of no report");
    }
}
