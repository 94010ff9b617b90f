//! A participant, the server and the path between them, in virtual time.

use std::collections::VecDeque;

use engine::{RoomClock, RoomClockStats};
use protocol::room_clock::Answer;
use protocol::time::{Instant, RoomTime};

/// How long a message takes beyond the shortest.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Jitter {
    /// Up to so many milliseconds, all alike.
    Uniform(f64),
    /// So many in the mean, now and then many more.
    Exponential(f64),
    /// So many as the standard deviation, around what the path takes; never less than half of that.
    Normal(f64),
}

/// A participant, the server, and the path between them, in virtual time.
pub(crate) struct World {
    pub(crate) clock: RoomClock,
    pub(crate) seed: u64,
    /// Seconds of true time, which is the local clock.
    pub(crate) now_s: f64,
    /// What the room's clock is ahead of it, in seconds, and by how much it is faster.
    pub(crate) ahead_s: f64,
    pub(crate) rate: f64,
    /// How fast that changes, in 1/s: goes on as a sine of a minute.
    pub(crate) wander: f64,
    pub(crate) forth_ms: f64,
    pub(crate) back_ms: f64,
    pub(crate) jitter: Jitter,
    /// When answers arrive, in the order of asking.
    pub(crate) answers: VecDeque<(f64, Answer)>,
}

/// What was seen at each look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) at_s: f64,
    pub(crate) error_s: f64,
    pub(crate) stats: RoomClockStats,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut clock = RoomClock::default();
        clock.link_up(Instant::ZERO);
        Self {
            clock,
            seed,
            now_s: 0.0,
            ahead_s: 0.0,
            rate: 0.0,
            wander: 0.0,
            forth_ms: 10.0,
            back_ms: 10.0,
            jitter: Jitter::Uniform(0.0),
            answers: VecDeque::new(),
        }
    }

    fn random(&mut self) -> f64 {
        // SplitMix64.
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let bits = (self.seed ^ (self.seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn takes_s(&mut self, base_ms: f64) -> f64 {
        let more = match self.jitter {
            Jitter::Uniform(ms) => ms * self.random(),
            Jitter::Exponential(ms) => -ms * (1.0 - self.random()).ln(),
            Jitter::Normal(ms) => {
                let twelve: f64 = (0..12).map(|_| self.random()).sum();
                (ms * (twelve - 6.0)).max(-base_ms / 2.0)
            }
        };
        (base_ms + more) / 1e3
    }

    pub(crate) fn local(&self) -> Instant {
        local(self.now_s)
    }

    fn rate_now(&self) -> f64 {
        self.rate
            + self.wander * 60.0 / core::f64::consts::TAU
                * (self.now_s / 60.0 * core::f64::consts::TAU).sin()
    }

    fn pass(&mut self, s: f64) {
        self.ahead_s += s * self.rate_now();
        self.now_s += s;
    }

    /// Lives for so long, looking twenty times a second.
    pub(crate) fn live(&mut self, s: f64) -> Vec<Look> {
        let (mut looks, end_s) = (Vec::new(), self.now_s + s);
        let mut look_s = self.now_s;
        while self.now_s < end_s {
            self.pass(0.001);
            let now = self.local();
            if self.clock.request(now) {
                let forth = self.takes_s(self.forth_ms);
                let back = self.takes_s(self.back_ms);
                let served_s = self.now_s + forth;
                let at_server = |s: f64| {
                    let more_s = (s - self.now_s) * self.rate_now();
                    room(s, self.ahead_s + more_s)
                };
                let answer = Answer {
                    sent: now,
                    received: at_server(served_s),
                    replied: at_server(served_s + 50e-6),
                };
                self.answers.push_back((served_s + 50e-6 + back, answer));
            }
            while let Some(at) = self.answers.iter().position(|(s, _)| *s <= self.now_s) {
                let Some((s, answer)) = self.answers.remove(at) else { break };
                self.clock.answered(local(s), &answer);
            }
            if look_s <= self.now_s {
                look_s += 0.05;
                let now = self.local();
                if let (Some(mapping), Some(stats)) = (self.clock.mapping(), self.clock.stats(now))
                {
                    let truth = room(self.now_s, self.ahead_s);
                    let error_s = mapping.room(now).ns_since(truth) as f64 * 1e-9;
                    looks.push(Look { at_s: self.now_s, error_s, stats });
                }
            }
        }
        looks
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ns of minutes")]
fn local(s: f64) -> Instant {
    Instant::from_ns((s * 1e9).round() as u64)
}

#[expect(clippy::cast_possible_truncation, reason = "ns of minutes")]
fn room(s: f64, ahead_s: f64) -> RoomTime {
    RoomTime::from_ns(EPOCH_NS).plus_ns(((s + ahead_s) * 1e9).round() as i64)
}

/// Some moment in 2026.
const EPOCH_NS: i64 = 1_790_000_000_000_000_000;

/// The worst error from a moment on.
pub(crate) fn worst_ms(looks: &[Look], from_s: f64) -> f64 {
    let late = looks.iter().filter(|look| from_s <= look.at_s);
    late.map(|look| look.error_s.abs() * 1e3).fold(0.0, f64::max)
}
