//! Clocks in virtual time: the one that all events lie on, and each musician's own two.
//!
//! A musician's sound card and operating system count time independently and a little wrong. What
//! surprises: an engine is never shown virtual time, only what its own clocks would say.

use core::cmp::Ordering;
use core::time::Duration;
use std::collections::BinaryHeap;

use protocol::time::Instant;
use protocol::units::SampleRate;

/// When a sound card calls back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoundCard {
    /// Frames per callback.
    pub period_frames: usize,
    /// How fast its clock runs against virtual time; a real one is within ±100 ppm.
    pub drift_ppm: f64,
    /// How far a slow wander (temperature) bends the rate either way, once a minute.
    pub wander_ppm: f64,
    /// When the first callback comes, less than a period: cards are never in step.
    pub phase: Duration,
}

impl SoundCard {
    /// A card without faults.
    #[must_use]
    pub const fn exact(period_frames: usize) -> Self {
        Self { period_frames, drift_ppm: 0.0, wander_ppm: 0.0, phase: Duration::ZERO }
    }

    /// When the frame with this number passes the card, seen from the callback that carries it:
    /// the moment it reaches the loudspeaker if it is rendered. One that is captured reached the
    /// microphone one period earlier.
    #[must_use]
    pub fn time_of_frame(&self, frame: f64) -> f64 {
        let rate = f64::from(SampleRate::WIRE.as_hz());
        let nominal = frame / rate;
        // The integral of a rate that wanders as a sine of one minute.
        let turn = core::f64::consts::TAU / 60.0;
        let wander = self.wander_ppm * 1e-6 * (1.0 - (turn * nominal).cos()) / turn;
        self.phase.as_secs_f64() + nominal * (1.0 - self.drift_ppm * 1e-6) - wander
    }

    /// When callback number `n` comes.
    #[must_use]
    pub fn callback(&self, n: u64) -> Instant {
        let seconds = self.time_of_frame(n as f64 * self.period_frames as f64);
        Instant::ZERO + Duration::from_secs_f64(seconds.max(0.0))
    }
}

/// What a musician's operating system says: virtual time from another epoch, at another rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SystemClock {
    /// What it says at virtual time zero.
    pub epoch: Duration,
    /// How fast it runs against virtual time.
    pub drift_ppm: f64,
}

impl SystemClock {
    /// A clock without faults that does not start at zero.
    #[must_use]
    pub const fn exact() -> Self {
        Self { epoch: Duration::from_secs(7), drift_ppm: 0.0 }
    }

    /// What it says at a virtual instant.
    #[must_use]
    pub fn at(&self, virtual_now: Instant) -> Instant {
        #[expect(clippy::cast_possible_truncation, reason = "a run is far shorter than 2^63 ns")]
        let gained_ns = (virtual_now.as_ns() as f64 * self.drift_ppm * 1e-6).round() as i64;
        Instant::from_ns(virtual_now.as_ns().saturating_add_signed(gained_ns)) + self.epoch
    }

    /// The virtual instant at which it says this, to the nanosecond or so.
    #[must_use]
    pub fn when(&self, local: Instant) -> Instant {
        let since = local.saturating_since(Instant::ZERO + self.epoch);
        let seconds = since.as_secs_f64() / (1.0 + self.drift_ppm * 1e-6);
        // One nanosecond late rather than early: a timer that fires early would fire again.
        Instant::ZERO + Duration::from_secs_f64(seconds) + Duration::from_nanos(1)
    }
}

/// What is going to happen, in order; events of one instant keep the order they were added in.
#[derive(Debug)]
pub struct Agenda<E> {
    now: Instant,
    added: u64,
    events: BinaryHeap<Entry<E>>,
}

#[derive(Debug)]
struct Entry<E> {
    at: Instant,
    number: u64,
    event: E,
}

impl<E> Entry<E> {
    const fn place(&self) -> (Instant, u64) {
        (self.at, self.number)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives its greatest first.
        other.place().cmp(&self.place())
    }
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self { now: Instant::ZERO, added: 0, events: BinaryHeap::new() }
    }
}

impl<E> Agenda<E> {
    /// Adds an event; one that should have happened happens next.
    pub fn add(&mut self, at: Instant, event: E) {
        self.added += 1;
        self.events.push(Entry { at: at.max(self.now), number: self.added, event });
    }

    /// Jumps to the next event that is not after `end`, or to `end` itself.
    pub fn next_until(&mut self, end: Instant) -> Option<E> {
        if self.events.peek().is_some_and(|first| first.at <= end) {
            let first = self.events.pop()?;
            self.now = first.at;
            Some(first.event)
        } else {
            self.now = self.now.max(end);
            None
        }
    }

    /// The present.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_card_calls_back_early() {
        let fast = SoundCard { drift_ppm: 100.0, ..SoundCard::exact(480) };
        // After 100 s at +100 ppm it is 10 ms ahead.
        let ahead = Duration::from_secs(100)
            .saturating_sub(Duration::from_nanos(fast.callback(100 * 100).as_ns()));
        assert!(ahead.abs_diff(Duration::from_millis(10)) < Duration::from_micros(1), "{ahead:?}");
    }

    #[test]
    fn a_system_clock_reads_back_what_it_said() {
        let clock = SystemClock { epoch: Duration::from_secs(3), drift_ppm: -40.0 };
        let now = Instant::from_ns(12_345_678_901);
        assert!(clock.when(clock.at(now)).as_ns().abs_diff(now.as_ns()) < 3);
    }

    #[test]
    fn events_come_in_order_and_time_jumps() {
        let mut agenda = Agenda::default();
        let at = Instant::from_ns;
        agenda.add(at(20), 'b');
        agenda.add(at(10), 'a');
        agenda.add(at(20), 'c');
        agenda.add(at(40), 'd');
        let until_30: Vec<_> = core::iter::from_fn(|| agenda.next_until(at(30))).collect();
        assert_eq!((until_30, agenda.now()), (vec!['a', 'b', 'c'], at(30)));
    }
}
