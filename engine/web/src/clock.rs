//! The room's clock for the thread that owns a browser's data channel: a session's shell has no part in it.
//!
//! Times are nanoseconds since 1970 by the browser's own count (`performance.timeOrigin` and
//! `performance.now()`), which is the local clock: every thread of a page can compute them.

use engine::RoomClock;
use protocol::room_clock::{Answer, Question};
use protocol::rtcp;
use protocol::time::Instant;

/// Bytes of the buffer for one message either way.
pub(crate) const MESSAGE_BYTES: usize = 256;
/// Numbers that [`ClockShell::update_numbers`] writes.
pub(crate) const CLOCK_NUMBERS: usize = 10;

/// A clock and the buffers through which JavaScript exchanges messages and numbers with it.
#[derive(Debug)]
pub(crate) struct ClockShell {
    clock: RoomClock,
    message: [u8; MESSAGE_BYTES],
    numbers: [f64; CLOCK_NUMBERS],
}

impl Default for ClockShell {
    fn default() -> Self {
        let (message, numbers) = ([0; MESSAGE_BYTES], [0.0; CLOCK_NUMBERS]);
        Self { clock: RoomClock::default(), message, numbers }
    }
}

impl ClockShell {
    /// The buffer for one message.
    pub(crate) fn message_mut(&mut self) -> &mut [u8] {
        &mut self.message
    }

    /// The way to the server opened or closed.
    pub(crate) fn set_link(&mut self, now_ns: f64, up: bool) {
        if up {
            self.clock.link_up(instant(now_ns));
        } else {
            self.clock.link_down();
        }
    }

    /// When the next question is due; NaN for never.
    pub(crate) fn timeout_ns(&self) -> f64 {
        let due = self.clock.poll_timeout();
        // 256 ns coarse: rather the next one than the one before, at which nothing would be due.
        #[expect(clippy::cast_precision_loss, reason = "256 ns, in which nobody is interested")]
        let ns = due.map_or(f64::NAN, |at| (at.as_ns() as f64).next_up());
        ns
    }

    /// Writes the question that is due, to leave at once; gives its length, 0 for none.
    pub(crate) fn question(&mut self, now_ns: f64) -> usize {
        let now = instant(now_ns);
        if !self.clock.request(now) {
            return 0;
        }
        Question { sent: now }.write(&mut self.message).unwrap_or(0)
    }

    /// Takes the message in the buffer's first bytes; gives whether there was an answer in it.
    pub(crate) fn answered(&mut self, now_ns: f64, bytes: usize) -> bool {
        let Some(message) = self.message.get(..bytes) else { return false };
        let Ok(mut packets) = rtcp::parse(message) else { return false };
        let Some(answer) = packets.find_map(|packet| Answer::read(&packet)) else { return false };
        self.clock.answered(instant(now_ns), &answer);
        true
    }

    /// Writes what is known; gives whether anything is.
    pub(crate) fn update_numbers(&mut self, now_ns: f64) -> bool {
        let now = instant(now_ns);
        let (Some(mapping), Some(stats)) = (self.clock.mapping(), self.clock.stats(now)) else {
            return false;
        };
        let local_ns = i64::try_from(now.as_ns()).unwrap_or(i64::MAX);
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
        let (ahead_ns, exchanges) =
            ((mapping.room(now).as_ns() - local_ns) as f64, stats.exchanges as f64);
        self.numbers = [
            ahead_ns / 1e6,
            mapping.rate(),
            f64::from(u8::from(stats.settled)),
            stats.bound.as_secs_f64() * 1e3,
            stats.precision.as_secs_f64() * 1e3,
            f64::from(stats.rate_ppm),
            f64::from(stats.steps),
            exchanges,
            stats.round_trip.as_secs_f64() * 1e3,
            stats.jitter.as_secs_f64() * 1e3,
        ];
        true
    }

    /// What [`Self::update_numbers`] wrote; `web/src/audio/room_clock.ts` names the places.
    pub(crate) fn numbers(&self) -> &[f64] {
        &self.numbers
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, as wanted")]
fn instant(now_ns: f64) -> Instant {
    Instant::from_ns(now_ns as u64)
}

#[cfg(test)]
mod tests {
    use protocol::time::RoomTime;

    use super::*;

    #[test]
    fn questions_are_answered_and_the_clock_is_told_in_numbers() {
        let mut clock = ClockShell::default();
        let mut now_ns = 1.8e18;
        assert!(clock.timeout_ns().is_nan() && clock.question(now_ns) == 0);
        clock.set_link(now_ns, true);
        assert!(!clock.update_numbers(now_ns));
        for _ in 0..100 {
            now_ns = clock.timeout_ns().max(now_ns);
            let bytes = clock.question(now_ns);
            let packet = rtcp::parse(&clock.message[..bytes]).expect("written properly").next();
            let question = Question::read(&packet.expect("one")).expect("a question");
            // 4 ms there and back; the server's clock is 70 ms ahead of the browser's.
            let at_server =
                i64::try_from(question.sent.as_ns()).expect("this century") + 72_000_000;
            let time = RoomTime::from_ns(at_server);
            let answer = Answer { sent: question.sent, received: time, replied: time };
            let bytes = answer.write(clock.message_mut()).expect("fits");
            assert!(clock.answered(now_ns + 4e6, bytes));
        }
        assert!(clock.update_numbers(now_ns + 4e6));
        let &[ahead_ms, _, settled, bound_ms, precision_ms, _, steps, exchanges, round_trip_ms, _] =
            clock.numbers()
        else {
            panic!("{:?}", clock.numbers());
        };
        assert!((ahead_ms - 70.0).abs() < 0.05, "{ahead_ms}");
        assert!((2.0..2.2).contains(&bound_ms) && precision_ms < 0.1, "{:?}", clock.numbers());
        assert_eq!((settled, steps, exchanges, round_trip_ms.round()), (1.0, 0.0, 100.0, 4.0));
        // Anything else is no answer, and longer than the buffer is nothing.
        clock.message_mut()[..4].copy_from_slice(&[0x80, 201, 0, 0]);
        assert!(!clock.answered(now_ns, 4) && !clock.answered(now_ns, MESSAGE_BYTES + 1));
        clock.set_link(now_ns, false);
        assert!(clock.timeout_ns().is_nan());
    }
}
