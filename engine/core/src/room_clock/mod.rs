//! The clock that everybody in a room shares: the SFU's, as each participant estimates it.
//!
//! Pure: it says when to ask and is told what was answered, by whoever owns the link. [`estimate`] makes a
//! line of the fastest messages, and bounds that hold for any path; [`average`] one of all of them; the one
//! that is better known is believed. [`RoomClock`] makes a clock of the lines: one that runs on where little
//! is wrong with it, corrected by running a little faster or slower, and that is set anew where it is far off
//! (a computer that slept, a server that was started again). What surprises: it is asked often at first, so
//! that a musician who has just come has the time within a second or two.

mod average;
mod estimate;
mod mapping;
mod round_trips;

use core::time::Duration;

use protocol::room_clock::Answer;
use protocol::time::{Instant, RoomTime};

use self::average::Average;
use self::estimate::{Estimate, Exchange, RATE_MAX, Window};
pub use self::mapping::RoomMapping;
pub(crate) use self::mapping::{ns_between, round, shifted, to_f64};
use self::round_trips::RoundTrips;

/// Follows the room's clock. Lives on one thread.
#[derive(Debug, Default)]
pub struct RoomClock {
    window: Window,
    average: Average,
    /// Where the window's numbers count from.
    epoch: Option<(Instant, RoomTime)>,
    estimate: Option<Estimate>,
    /// What is given out.
    mapping: Option<RoomMapping>,
    is_settled: bool,
    steps: u32,
    exchanges: u64,
    round_trips: RoundTrips,
    /// Requests since the link came up, or the clock was set.
    asked: u32,
    /// When the next request is due; `None` where there is no link.
    next: Option<Instant>,
}

/// How well the room's clock is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoomClockStats {
    /// Whether it is known as well as it is going to be: within half a millisecond, if both directions of the
    /// path are alike.
    pub settled: bool,
    /// How far off it is at most, if all the delay of the path were in one direction.
    pub bound: Duration,
    /// How far off it may be if both directions are alike.
    pub precision: Duration,
    /// By how much the room's clock is faster than the local one, in parts per million.
    pub rate_ppm: f32,
    /// How often one of the two clocks was set since this one began.
    pub steps: u32,
    /// Answers so far.
    pub exchanges: u64,
    /// The quickest way to the server and back of late.
    pub round_trip: Duration,
    /// What nine of ten differ from the one before by, at most.
    pub jitter: Duration,
}

impl RoomClock {
    /// The media link is up: exchanges begin, or begin anew.
    pub fn link_up(&mut self, now: Instant) {
        self.asked = 0;
        self.next = Some(now);
    }

    /// There is no link: nobody is asked. The clock runs on by what it knows.
    pub fn link_down(&mut self) {
        self.next = None;
    }

    /// When [`Self::request`] wants to be called next.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// Whether a request is to be sent now, written with the instant at which it leaves.
    pub fn request(&mut self, now: Instant) -> bool {
        if self.next.is_none_or(|next| now < next) {
            return false;
        }
        self.asked = self.asked.saturating_add(1);
        self.next = Some(now + interval(self.asked));
        true
    }

    /// Takes an answer that arrived at `now`. One that cannot be right is ignored.
    pub fn answered(&mut self, now: Instant, answer: &Answer) {
        let round_trip = ns_between(answer.sent, now);
        let at_server = answer.replied.ns_since(answer.received);
        let possible = 0..=i64::try_from(ROUND_TRIP_MAX.as_nanos()).unwrap_or(i64::MAX);
        // The server's clock may be so much faster than ours.
        let is_sane = possible.contains(&round_trip)
            && (0..=round_trip + round_trip / 1000 + SLACK_NS).contains(&at_server);
        if !is_sane {
            return;
        }
        self.exchanges += 1;
        self.round_trips.note(round_trip - at_server);
        let epoch = *self.epoch.get_or_insert((answer.sent, answer.received));
        let exchange = exchange(epoch, answer, now);
        if self.contradicts(&exchange) {
            self.start_anew(now, epoch, 0);
        }
        self.window.push(exchange);
        self.average.push(exchange);
        let is_bent = self.window.is_bent(self.rate());
        let Some((mut estimate, is_torn)) = self.best(exchange.arrived) else { return };
        if is_bent || is_torn {
            self.start_anew(now, epoch, AFTER_BEND);
            self.average.push(exchange);
            let Some((anew, _)) = self.best(exchange.arrived) else { return };
            estimate = anew;
        }
        self.estimate = Some(estimate);
        self.is_settled |= estimate.precision < SETTLED_NS && SETTLED_SPAN_NS < self.window.span();
        self.discipline(now, epoch, estimate);
    }

    /// The room's clock over the local one; `None` before the first answer.
    #[must_use]
    pub const fn mapping(&self) -> Option<RoomMapping> {
        self.mapping
    }

    /// How well it is known at `now`; `None` before the first answer. What is not confirmed becomes less
    /// certain.
    #[must_use]
    pub fn stats(&self, now: Instant) -> Option<RoomClockStats> {
        let (estimate, mapping) = (self.estimate?, self.mapping?);
        let epoch = self.epoch?;
        let at = to_f64(ns_between(epoch.0, now));
        let unseen = (at - estimate.at).max(0.0);
        // What is given out is not always what was estimated last.
        let given = ahead(epoch, &mapping, now);
        let (low, high) = estimate.bounds;
        let spread = RATE_MAX * unseen;
        let bound = (high + spread - given).max(given - low + spread);
        let off = given - (estimate.offset + estimate.rate * unseen);
        let (round_trip, jitter) = self.round_trips.summary();
        Some(RoomClockStats {
            settled: self.is_settled,
            bound: to_duration(bound),
            precision: to_duration(estimate.precision + off.abs() + WANDER * unseen),
            #[expect(clippy::cast_possible_truncation, reason = "a few hundred")]
            rate_ppm: (estimate.rate * 1e6) as f32,
            steps: self.steps,
            exchanges: self.exchanges,
            round_trip,
            jitter,
        })
    }

    /// What is believed: the fastest messages, or the mean of all where that is better known; and whether
    /// exchanges had to be forgotten for it.
    fn best(&mut self, at: f64) -> Option<(Estimate, bool)> {
        let (by_fastest, is_torn) = self.window.estimate(at, self.average.rate())?;
        let by_average = self.average.at(at).filter(|average| average.2 < by_fastest.precision);
        let Some((offset, rate, precision)) = by_average else {
            return Some((by_fastest, is_torn));
        };
        let (low, high) = by_fastest.bounds;
        let rate = rate.clamp(-RATE_MAX, RATE_MAX);
        let offset = offset.clamp(low, high);
        Some((Estimate { offset, rate, precision, ..by_fastest }, is_torn))
    }

    fn rate(&self) -> f64 {
        self.estimate.map_or(0.0, |estimate| estimate.rate)
    }

    /// Whether an exchange leaves none of the room that those before it left.
    fn contradicts(&self, exchange: &Exchange) -> bool {
        let Some(estimate) = self.estimate else { return false };
        let drift = |at: f64| RATE_MAX * (at - estimate.at).abs() + CONTRADICTION_NS;
        let (low, high) = estimate.bounds;
        high + drift(exchange.arrived) < exchange.lower
            || exchange.upper < low - drift(exchange.sent)
    }

    /// Forgets what was before one of the clocks was set, and asks often again.
    fn start_anew(&mut self, now: Instant, epoch: (Instant, RoomTime), kept: usize) {
        self.window.keep_last(kept);
        self.average.forget_offset();
        // The rate is that of crystals, which nobody sets.
        let at = to_f64(ns_between(epoch.0, now));
        let rest = self.window.estimate(at, self.average.rate());
        self.estimate = rest.map(|(estimate, _)| estimate).or(self.estimate);
        self.is_settled = false;
        self.steps += 1;
        self.asked = 0;
        self.next = self.next.map(|next| next.min(now + interval(0)));
        self.mapping = None;
    }

    /// Brings what is given out nearer to what was estimated.
    fn discipline(&mut self, now: Instant, epoch: (Instant, RoomTime), estimate: Estimate) {
        let off = self.mapping.map(|mapping| estimate.offset - ahead(epoch, &mapping, now));
        let slewed = off.filter(|off| self.is_settled && off.abs() < SLEWED_MAX_NS);
        let (offset, more) = match slewed {
            Some(off) => (estimate.offset - off, (off / SLEW_NS).clamp(-SLEW_MAX, SLEW_MAX)),
            None => (estimate.offset, 0.0),
        };
        let passed = ns_between(epoch.0, now);
        let room = epoch.1.plus_ns(passed + round(offset));
        self.mapping = Some(RoomMapping::new(now, room, estimate.rate + more));
    }
}

/// What the room's clock is ahead of the local one, beside what it was at the epoch.
fn ahead(epoch: (Instant, RoomTime), mapping: &RoomMapping, now: Instant) -> f64 {
    to_f64(mapping.room(now).ns_since(epoch.1) - ns_between(epoch.0, now))
}

fn exchange(epoch: (Instant, RoomTime), answer: &Answer, now: Instant) -> Exchange {
    let (sent, arrived) = (ns_between(epoch.0, answer.sent), ns_between(epoch.0, now));
    Exchange {
        sent: to_f64(sent),
        upper: to_f64(answer.received.ns_since(epoch.1) - sent),
        arrived: to_f64(arrived),
        lower: to_f64(answer.replied.ns_since(epoch.1) - arrived),
    }
}

/// How long after the so many-th request the next one follows: a hundred a second for three seconds, twenty for
/// twelve, then four. Three hundred are what half a millisecond takes where delays vary by five, and twelve
/// seconds what it takes to know the rate as well. They are 8 kB a second, both ways, beside 50 of music.
fn interval(asked: u32) -> Duration {
    Duration::from_millis(match asked {
        0..300 => 10,
        300..540 => 50,
        _ => 250,
    })
}

fn to_duration(ns: f64) -> Duration {
    Duration::from_secs_f64((ns * 1e-9).clamp(0.0, 3600.0))
}

/// Longer is no answer any more.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(2);

/// Clocks are read in steps, and not at the very moment.
const SLACK_NS: i64 = 50_000;

/// Half a millisecond, after most of a second.
const SETTLED_NS: f64 = 500_000.0;
const SETTLED_SPAN_NS: f64 = 0.8e9;

/// By so much a single exchange must be impossible for a clock to have been set.
const CONTRADICTION_NS: f64 = 300_000.0;

/// Exchanges that are kept where the latest ones showed that a clock was set.
const AFTER_BEND: usize = 8;

/// What is wrong is made good over half a second, by running off by 1 in 1000 at most; what is off by more than
/// 20 ms is set.
const SLEW_NS: f64 = 0.5e9;
const SLEW_MAX: f64 = 1e-3;
const SLEWED_MAX_NS: f64 = 20e6;

/// What an estimated rate may be wrong by: 2 ppm.
const WANDER: f64 = 2e-6;
