//! What exchanges say of the room's clock: an offset, a rate, and how wrong both can be.
//!
//! A message takes time, never less than none. So the moment at which the server received a request is
//! an upper bound of what the room's clock showed when it was sent, and the moment at which it answered
//! a lower bound of what it showed when the answer came. The line that is the room's clock runs below all
//! the former and above all the latter; jitter only ever moves bounds away from it. Of all lines between
//! them the one is taken that leaves most room, in its middle: where the fastest messages in both directions
//! took equally long, that is the truth. What surprises: no asymmetry of the path can put the truth
//! outside the bounds, so they hold however the delay is shared between the directions.

use std::collections::VecDeque;

/// One exchange, in nanoseconds since an epoch of the window's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Exchange {
    /// When the request was sent, on the local clock...
    pub(super) sent: f64,
    /// ...and what the room's clock was ahead of the local one then, at most.
    pub(super) upper: f64,
    /// When the answer came, on the local clock...
    pub(super) arrived: f64,
    /// ...and what the room's clock was ahead then, at least.
    pub(super) lower: f64,
}

/// What the room's clock is ahead of the local one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    /// At this local moment, in nanoseconds since the window's epoch, by so many nanoseconds.
    pub(super) at: f64,
    pub(super) offset: f64,
    /// By how much more for each nanosecond.
    pub(super) rate: f64,
    /// What the offset is at most and at least, whatever the path does.
    pub(super) bounds: (f64, f64),
    /// How far off the offset may be if both directions are alike: what the fastest messages differ by.
    pub(super) precision: f64,
}

/// The latest exchanges.
#[derive(Debug, Default)]
pub(super) struct Window {
    exchanges: VecDeque<Exchange>,
}

impl Window {
    /// Keeps only the latest so many.
    pub(super) fn keep_last(&mut self, count: usize) {
        let older = self.exchanges.len().saturating_sub(count);
        self.exchanges.drain(..older);
    }

    /// From the first request to the latest answer, in nanoseconds.
    pub(super) fn span(&self) -> f64 {
        match (self.exchanges.front(), self.exchanges.back()) {
            (Some(first), Some(last)) => last.arrived - first.sent,
            _ => 0.0,
        }
    }

    /// Takes in an exchange, the latest so far, and forgets what is too old.
    pub(super) fn push(&mut self, exchange: Exchange) {
        self.exchanges.push_back(exchange);
        let is_old = |first: &Exchange| first.sent < exchange.arrived - WINDOW_NS;
        while EXCHANGES_MAX < self.exchanges.len() || self.exchanges.front().is_some_and(is_old) {
            self.exchanges.pop_front();
        }
    }

    /// Whether the latest exchanges lie higher, or lower, than the ones before by more than messages that
    /// took longer could explain: then one of the two clocks was set.
    pub(super) fn is_bent(&self, rate: f64) -> bool {
        let at = self.exchanges.back().map_or(0.0, |last| last.arrived);
        let before = self.exchanges.partition_point(|exchange| exchange.sent < at - LATEST_NS);
        if before.min(self.exchanges.len() - before) < LATEST_MIN {
            return false;
        }
        let old = Band::of(self.exchanges.iter().take(before), at, rate);
        let new = Band::of(self.exchanges.iter().skip(before), at, rate);
        let least = BEND_MIN_NS + BEND_SHARE * (old.upper - old.lower);
        let up = (new.lower - old.lower).min(new.upper - old.upper);
        let down = (old.lower - new.lower).min(old.upper - new.upper);
        least < up.max(down)
    }

    /// The best line at a local moment not before the latest exchange; `None` where there is none.
    /// `usual` is the rate that is believed where little speaks against it, and how far off that may be.
    /// Exchanges that contradict later ones are forgotten, and whether they did by more than a rate that
    /// wanders is said.
    pub(super) fn estimate(&mut self, at: f64, usual: (f64, f64)) -> Option<(Estimate, bool)> {
        let mut is_torn = false;
        loop {
            let rate = self.best_rate(usual)?;
            let band = Band::of(&self.exchanges, at, rate);
            if 0.0 <= band.width() {
                return Some((self.settle(at, rate, usual.1, band), is_torn));
            }
            is_torn |= band.width() < -TORN_NS;
            // A clock's rate wanders; what is left must not be empty.
            let kept = self.exchanges.len() * 3 / 4;
            if kept == 0 {
                self.exchanges.clear();
                return None;
            }
            self.keep_last(kept);
        }
    }

    fn settle(&self, at: f64, rate: f64, usual_off: f64, band: Band) -> Estimate {
        let steepest = self.last_possible(rate, RATE_MAX);
        let flattest = self.last_possible(rate, -RATE_MAX);
        // Both rise with the rate: all exchanges are before `at`.
        let upper = Band::of(&self.exchanges, at, steepest).upper + WANDER_NS;
        let lower = Band::of(&self.exchanges, at, flattest).lower - WANDER_NS;
        Estimate {
            at,
            offset: f64::midpoint(band.lower, band.upper),
            rate,
            bounds: (lower, upper),
            precision: self.precision(at, rate) + self.turned(at, rate, usual_off),
        }
    }

    /// The rate that leaves most room, or one that is nearer to the usual one where that costs little.
    fn best_rate(&self, (usual, off): (f64, f64)) -> Option<f64> {
        self.exchanges.front()?;
        let at = self.middle();
        let price = (PRICE * self.precision(at, usual) / off).max(PRICE_MIN * self.span());
        let worth =
            |rate: f64| Band::of(&self.exchanges, at, rate).width() - price * (rate - usual).abs();
        // The worth is concave, so a third of what is left can be ruled out each time.
        let (mut low, mut high) = (-RATE_MAX, RATE_MAX);
        for _ in 0..SEARCH_STEPS {
            let third = (high - low) / 3.0;
            if worth(low + third) < worth(high - third) {
                low += third;
            } else {
                high -= third;
            }
        }
        Some(f64::midpoint(low, high))
    }

    /// How far the rate may go from one that is possible towards `end` and still be possible.
    fn last_possible(&self, possible: f64, end: f64) -> f64 {
        let at = self.middle();
        let is_possible = |rate: f64| 0.0 <= Band::of(&self.exchanges, at, rate).width();
        if is_possible(end) {
            return end;
        }
        let (mut yes, mut no) = (possible, end);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(yes, no);
            if is_possible(middle) { yes = middle } else { no = middle }
        }
        no
    }

    /// How far apart the fastest messages in each direction are: what the next faster one would move
    /// the bounds by, and the offset by half of it for each.
    fn precision(&self, at: f64, rate: f64) -> f64 {
        let spread = |bound: fn(&Exchange, f64, f64) -> f64| {
            let mut fastest = [f64::INFINITY; FASTEST];
            for exchange in &self.exchanges {
                let mut value = bound(exchange, at, rate);
                for place in &mut fastest {
                    if value < *place {
                        core::mem::swap(place, &mut value);
                    }
                }
            }
            fastest[FASTEST - 1] - fastest[0]
        };
        (spread(Exchange::upper_at) + spread(|exchange, at, rate| -exchange.lower_at(at, rate)))
            / 2.0
    }

    /// What a rate that is off may add to the offset: from the middle of the exchanges to a moment.
    fn turned(&self, at: f64, rate: f64, usual_off: f64) -> f64 {
        let by_span = 2.0 * self.precision(self.middle(), rate) / self.span().max(1.0);
        usual_off.min(by_span) * (at - self.middle())
    }

    fn middle(&self) -> f64 {
        self.exchanges.front().map_or(0.0, |first| first.sent + self.span() / 2.0)
    }
}

impl Exchange {
    /// What the upper bound would be at another moment, were the rate this.
    fn upper_at(&self, at: f64, rate: f64) -> f64 {
        self.upper + rate * (at - self.sent)
    }

    fn lower_at(&self, at: f64, rate: f64) -> f64 {
        self.lower + rate * (at - self.arrived)
    }
}

/// The room that exchanges leave at one moment.
#[derive(Debug, Clone, Copy)]
struct Band {
    lower: f64,
    upper: f64,
}

impl Band {
    fn of<'a>(exchanges: impl IntoIterator<Item = &'a Exchange>, at: f64, rate: f64) -> Self {
        let all = Self { lower: f64::NEG_INFINITY, upper: f64::INFINITY };
        exchanges.into_iter().fold(all, |band, exchange| Self {
            lower: band.lower.max(exchange.lower_at(at, rate)),
            upper: band.upper.min(exchange.upper_at(at, rate)),
        })
    }

    fn width(self) -> f64 {
        self.upper - self.lower
    }
}

/// How long an exchange says something: a minute, in which a rate that wanders by 1 ppm bends the line
/// by 7.5 µs.
const WINDOW_NS: f64 = 60e9;

/// Exchanges that are kept: those of a minute, however it began. Each estimate goes over all of them some eighty times.
const EXCHANGES_MAX: usize = 512;

/// What a wandering rate, and clocks that are read a little late, may add to the bounds.
const WANDER_NS: f64 = 20_000.0;

/// By so much more than that exchanges contradict each other only where a clock was set.
const TORN_NS: f64 = 200_000.0;

/// How much two clocks differ at most: 500 ppm.
pub(super) const RATE_MAX: f64 = 500e-6;

/// What a rate must leave more room by to be believed instead of the usual one: for each standard deviation
/// that it is off, so much of what the fastest messages differ by. More, and clocks of 150 ppm were learned late;
/// less, and noise was learned (0.15 to 1 were tried, over 60 seeds of 5 ms of jitter: errors up to 0.75 ms with 1, 0.27 with
/// this).
const PRICE: f64 = 0.3;

/// And at least so much of what a line that turns by their difference moves from end to end: the truth gains
/// half of that where the fastest messages lie at both ends.
const PRICE_MIN: f64 = 0.03;

/// 1000 ppm times (2/3)^24 is 0.06 ppm, and 500 ppm halved so often 0.03: 2 µs in a minute.
const SEARCH_STEPS: usize = 24;
const HALVINGS: usize = 14;

/// So many of the fastest messages are compared.
const FASTEST: usize = 3;

/// The exchanges of two seconds, against all before them, say whether a clock was set; so many of both are
/// needed.
const LATEST_NS: f64 = 2e9;
const LATEST_MIN: usize = 6;

/// Below a millisecond and a tenth of the round trip it may be the network.
const BEND_MIN_NS: f64 = 1e6;
const BEND_SHARE: f64 = 0.1;
