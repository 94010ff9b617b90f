//! How a source is received, as RTCP tells its publisher (RFC 3550 §6.4.1, A.3).
//!
//! Counts are those of the source; here is only where they stood at the last report. What surprises:
//! packets that came twice are not counted twice, unlike in the RFC, so that a report tells the loss
//! that subscribers suffer.

use protocol::rtcp::{ReportBlock, to_short};
use protocol::rtp::{SequenceNumber, Ssrc};
use protocol::time::Instant;

/// What reports of one source are reckoned from.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reception {
    /// The first number, and what had been received before it.
    first: SequenceNumber,
    received_before: u64,
    /// Expected and received at the last report.
    reported: (u64, u64),
    /// The middle of the NTP time in the publisher's last sender report, and when that came.
    sender_report: Option<(u32, Instant)>,
}

impl Reception {
    /// Numbering starts, or starts anew; `received` are the packets before.
    pub(crate) const fn restart(&mut self, first: SequenceNumber, received: u64) {
        self.first = first;
        self.received_before = received;
        self.reported = (0, 0);
    }

    /// The publisher said what time it is.
    pub(crate) const fn heard_sender_report(&mut self, now: Instant, middle: u32) {
        self.sender_report = Some((middle, now));
    }

    /// What came since the last report; `None` where nothing did.
    pub(crate) fn block(
        &mut self,
        now: Instant,
        ssrc: Ssrc,
        highest: SequenceNumber,
        received: u64,
        jitter: u32,
    ) -> Option<ReportBlock> {
        let expected = (highest.0 + 1).saturating_sub(self.first.0);
        let received = received - self.received_before;
        let expected_since = expected.saturating_sub(self.reported.0);
        let received_since = received - self.reported.1;
        if received_since == 0 {
            return None;
        }
        self.reported = (expected, received);
        let lost_since = expected_since.saturating_sub(received_since);
        let fraction = (lost_since * 256).checked_div(expected_since).unwrap_or(0);
        let lost = expected.cast_signed() - received.cast_signed();
        let (last_sender_report, since) = self.sender_report.unwrap_or((0, now));
        Some(ReportBlock {
            ssrc,
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            cumulative_lost: i32::try_from(lost).unwrap_or(i32::MAX),
            highest_sequence: wire_with_rollovers(highest),
            jitter,
            last_sender_report,
            since_sender_report: to_short(now.saturating_since(since)),
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "reports carry the low 32 bits")]
const fn wire_with_rollovers(number: SequenceNumber) -> u32 {
    number.0 as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_ms(ms: u64) -> Instant {
        Instant::from_ns(ms * 1_000_000)
    }

    /// Fraction, cumulative loss and highest number at a second.
    fn told(
        reception: &mut Reception,
        second: u64,
        highest: u64,
        received: u64,
    ) -> Option<(u8, i32, u32)> {
        let now = at_ms(second * 1000);
        let block = reception.block(now, Ssrc(1), SequenceNumber(highest), received, 0)?;
        Some((block.fraction_lost, block.cumulative_lost, block.highest_sequence))
    }

    #[test]
    fn loss_is_told_of_the_interval_and_of_all_time() {
        let mut reception = Reception::default();
        reception.restart(SequenceNumber(65_530), 1000);
        assert_eq!(told(&mut reception, 1, 65_629, 1100), Some((0, 0, 65_629)));
        assert_eq!(told(&mut reception, 2, 65_729, 1150), Some((128, 50, 65_729)));
        assert_eq!(told(&mut reception, 3, 65_829, 1150), None, "nothing came");
        // What was lost in silence counts when something comes again.
        assert_eq!(told(&mut reception, 4, 65_929, 1250), Some((128, 150, 65_929)));
        // Late ones make it good, and packets before the first make it negative.
        assert_eq!(told(&mut reception, 5, 65_929, 1401), Some((0, -1, 65_929)));
    }

    #[test]
    fn a_restart_begins_at_nothing() {
        let mut reception = Reception::default();
        reception.restart(SequenceNumber(0), 0);
        told(&mut reception, 1, 99, 10);
        reception.restart(SequenceNumber(40_000), 10);
        assert_eq!(told(&mut reception, 2, 40_009, 20), Some((0, 0, 40_009)));
    }

    #[test]
    fn the_publishers_clock_is_given_back_with_its_age() {
        let mut reception = Reception::default();
        reception.heard_sender_report(at_ms(1000), 77);
        let block = reception.block(at_ms(1500), Ssrc(1), SequenceNumber(0), 1, 5);
        let block = block.expect("something came");
        assert_eq!((block.last_sender_report, block.since_sender_report), (77, 1 << 15));
        assert_eq!(block.jitter, 5);
    }
}
