//! What a path does to packets, one effect after the other.
//!
//! Times are milliseconds since the start. An effect that has a life of its own (a queue, a bad
//! spell) draws it by the clock; one that treats every packet by itself draws once for each. Clocks
//! that run a little faster therefore meet the same weather.

use crate::random::Random;

/// When a packet leaves an effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    /// At that time, behind those that came before.
    On(f64),
    /// At that time, overtaken or overtaking if need be.
    Around(f64),
    Lost,
}

/// Something on the way.
pub(crate) trait Effect {
    /// What becomes of a packet that comes at `now`. Called with rising times, but for packets that
    /// went around.
    fn pass(&mut self, now: f64) -> Fate;
}

/// Each packet takes a little longer, exponentially distributed.
pub(crate) struct Noise {
    pub(crate) mean: f64,
    pub(crate) random: Random,
}

impl Effect for Noise {
    fn pass(&mut self, now: f64) -> Fate {
        Fate::On(now + self.random.exponential(self.mean))
    }
}

/// Now and then nothing passes for a while; what came then follows in one burst.
pub(crate) struct Blocks {
    every: f64,
    shortest: f64,
    longest: f64,
    random: Random,
    next: f64,
    until: f64,
}

impl Blocks {
    /// A block on average every so many milliseconds, of a length between the two.
    pub(crate) fn new(every: f64, (shortest, longest): (f64, f64), mut random: Random) -> Self {
        let next = random.exponential(every);
        Self { every, shortest, longest, random, next, until: 0.0 }
    }
}

impl Effect for Blocks {
    fn pass(&mut self, now: f64) -> Fate {
        while self.next <= now {
            let length = self.random.between_log(self.shortest, self.longest);
            self.until = self.until.max(self.next + length);
            self.next += self.random.exponential(self.every);
        }
        Fate::On(now.max(self.until))
    }
}

/// Packets are let through at regular moments only.
pub(crate) struct Grants {
    pub(crate) period: f64,
}

impl Effect for Grants {
    fn pass(&mut self, now: f64) -> Fate {
        Fate::On((now / self.period).ceil() * self.period)
    }
}

/// Packets are lost, several in a row.
pub(crate) struct Loss {
    /// Part of all packets.
    pub(crate) rate: f64,
    /// Mean number in a row.
    pub(crate) burst: f64,
    pub(crate) random: Random,
    pub(crate) losing: bool,
}

impl Loss {
    pub(crate) fn new(rate: f64, burst: f64, random: Random) -> Self {
        Self { rate, burst, random, losing: false }
    }
}

impl Effect for Loss {
    fn pass(&mut self, now: f64) -> Fate {
        // A two-state chain: `1 / burst` leaves the bad state, and so many enter it that the rate
        // comes out.
        let leave = 1.0 / self.burst;
        let enter = leave * self.rate / (1.0 - self.rate);
        let change = if self.losing { leave } else { enter };
        self.losing ^= self.random.chance(change);
        if self.losing { Fate::Lost } else { Fate::On(now) }
    }
}

/// Some packets take another way, which is longer.
pub(crate) struct Detours {
    /// Part of all packets.
    pub(crate) rate: f64,
    pub(crate) longer: (f64, f64),
    pub(crate) random: Random,
}

impl Effect for Detours {
    fn pass(&mut self, now: f64) -> Fate {
        let longer = self.random.between(self.longer.0, self.longer.1);
        if self.random.chance(self.rate) { Fate::Around(now + longer) } else { Fate::On(now) }
    }
}

/// The way is longer within some spans.
pub(crate) struct Longer {
    pub(crate) spans: Vec<(f64, f64)>,
    pub(crate) by: f64,
}

impl Effect for Longer {
    fn pass(&mut self, now: f64) -> Fate {
        Fate::On(if within(&self.spans, now).is_some() { now + self.by } else { now })
    }
}

/// The way grows longer and shorter, slowly.
pub(crate) struct Wander {
    pub(crate) by: f64,
    pub(crate) period: f64,
}

impl Effect for Wander {
    fn pass(&mut self, now: f64) -> Fate {
        let phase = now / self.period * std::f64::consts::TAU;
        Fate::On(now + self.by * (0.5 - 0.5 * phase.cos()))
    }
}

/// A queue that somebody's upload fills within some spans: up to `peak` in two seconds, then to and
/// fro between half of it and all as the upload's congestion control finds its way, every 1.5 s.
pub(crate) struct Bloat {
    pub(crate) spans: Vec<(f64, f64)>,
    pub(crate) peak: f64,
}

impl Effect for Bloat {
    fn pass(&mut self, now: f64) -> Fate {
        let level = |since: f64| {
            if since < 2000.0 {
                since / 2000.0
            } else {
                1.0 - 0.5 * (1.0 - ((since - 2000.0) / 1500.0).fract())
            }
        };
        let depth = match self.spans.iter().rev().find(|span| span.0 <= now) {
            None => 0.0,
            Some((start, end)) if now < *end => self.peak * level(now - start),
            // It empties as fast as time passes.
            Some((start, end)) => (self.peak * level(end - start) - (now - end)).max(0.0),
        };
        Fate::On(now + depth)
    }
}

/// Nothing passes at all within some spans.
pub(crate) struct Outages {
    pub(crate) spans: Vec<(f64, f64)>,
}

impl Effect for Outages {
    fn pass(&mut self, now: f64) -> Fate {
        if within(&self.spans, now).is_some() { Fate::Lost } else { Fate::On(now) }
    }
}

/// A change of access point within some spans: the first third is lost, the rest comes at the end.
pub(crate) struct Roams {
    pub(crate) spans: Vec<(f64, f64)>,
}

impl Effect for Roams {
    fn pass(&mut self, now: f64) -> Fate {
        match within(&self.spans, now) {
            None => Fate::On(now),
            Some((start, end)) if now < start + (end - start) / 3.0 => Fate::Lost,
            Some((_, end)) => Fate::On(end),
        }
    }
}

/// An effect that is there within some spans only.
pub(crate) struct During<E> {
    pub(crate) spans: Vec<(f64, f64)>,
    pub(crate) effect: E,
}

impl<E: Effect> Effect for During<E> {
    fn pass(&mut self, now: f64) -> Fate {
        // It lives on outside, unseen.
        let fate = self.effect.pass(now);
        if within(&self.spans, now).is_some() { fate } else { Fate::On(now) }
    }
}

/// The span that a moment lies in.
fn within(spans: &[(f64, f64)], now: f64) -> Option<(f64, f64)> {
    let span = spans.iter().rev().find(|span| span.0 <= now)?;
    (now < span.1).then_some(*span)
}

/// Spans until `end`: a pause of about `pause` before each, and a length between the two.
pub(crate) fn spans(
    (from, end): (f64, f64),
    pause: f64,
    (shortest, longest): (f64, f64),
    random: &mut Random,
) -> Vec<(f64, f64)> {
    let mut spans = Vec::new();
    let mut at = from + random.between(0.3, 0.7) * pause;
    while at < end {
        let length = random.between(shortest, longest);
        spans.push((at, at + length));
        at += length + random.between(0.7, 1.3) * pause;
    }
    spans
}

/// A chain of effects, then a constant.
pub(crate) struct Path {
    pub(crate) effects: Vec<Box<dyn Effect>>,
    pub(crate) base: f64,
    last: f64,
}

impl Path {
    pub(crate) fn new(base: f64, effects: Vec<Box<dyn Effect>>) -> Self {
        Self { effects, base, last: 0.0 }
    }

    /// When a packet that is sent now arrives; `None` for never.
    pub(crate) fn arrival(&mut self, now: f64) -> Option<f64> {
        let (mut at, mut around) = (now, false);
        // All effects see every packet, lost ones too, so that their randomness stays in step.
        let mut lost = false;
        for effect in &mut self.effects {
            match effect.pass(at) {
                Fate::On(later) => at = later,
                Fate::Around(later) => (at, around) = (later, true),
                Fate::Lost => lost = true,
            }
        }
        if lost {
            return None;
        }
        if !around {
            self.last = self.last.max(at);
            at = self.last;
        }
        Some(at + self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random() -> Random {
        Random::new(7, 1)
    }

    fn passes(mut effect: impl Effect, packets: u32) -> Vec<Fate> {
        (0..packets).map(|index| effect.pass(f64::from(index))).collect()
    }

    #[test]
    fn noise_has_its_mean() {
        let mut noise = Noise { mean: 2.0, random: random() };
        let sum: f64 = (0..20_000)
            .map(|_| match noise.pass(10.0) {
                Fate::On(at) => at - 10.0,
                Fate::Around(_) | Fate::Lost => panic!("it only holds up"),
            })
            .sum();
        let mean = sum / 20_000.0;
        assert!((1.9..2.1).contains(&mean), "{mean}");
    }

    #[test]
    fn loss_has_its_rate_and_its_bursts() {
        let fates = passes(Loss::new(0.05, 3.0, random()), 100_000);
        let lost = |fate: &&Fate| **fate == Fate::Lost;
        let count = fates.iter().filter(lost).count();
        let bursts = fates.windows(2).filter(|two| two[0] != Fate::Lost && two[1] == Fate::Lost);
        let mean = count as f64 / bursts.count() as f64;
        assert!((4500..5500).contains(&count), "{count}");
        assert!((2.7..3.3).contains(&mean), "{mean}");
    }

    #[test]
    fn a_block_holds_back_and_lets_go_at_once() {
        let fates = passes(Blocks::new(500.0, (20.0, 20.0), random()), 10_000);
        let held = fates.iter().enumerate().filter(|(at, fate)| **fate != Fate::On(*at as f64));
        // 20 of them hold for 20 ms each, less where two overlap.
        let count = held.count();
        assert!((250..550).contains(&count), "{count}");
        let (first, _) = fates
            .iter()
            .enumerate()
            .find(|(at, fate)| **fate != Fate::On(*at as f64))
            .expect("some are held");
        assert_eq!(fates[first], fates[first + 1]);
    }

    #[test]
    fn grants_come_on_a_grid() {
        let fates = passes(Grants { period: 5.0 }, 12);
        assert_eq!(fates[0], Fate::On(0.0));
        assert_eq!(fates[1], Fate::On(5.0));
        assert_eq!(fates[5], Fate::On(5.0));
        assert_eq!(fates[6], Fate::On(10.0));
    }

    #[test]
    fn bloat_rises_and_drains() {
        let mut bloat = Bloat { spans: vec![(1000.0, 6000.0)], peak: 40.0 };
        let mut depth = |now: f64| match bloat.pass(now) {
            Fate::On(at) => at - now,
            Fate::Around(_) | Fate::Lost => panic!("it only holds up"),
        };
        assert_eq!(depth(999.0), 0.0);
        assert_eq!(depth(2000.0), 20.0);
        assert!((39.0..=40.0).contains(&depth(2999.0)));
        assert_eq!(depth(3000.0), 20.0);
        let at_end = depth(5999.0);
        assert!(depth(6010.0) < at_end);
        assert_eq!(depth(6100.0), 0.0);
    }

    #[test]
    fn packets_keep_their_order_unless_they_went_around() {
        let detours = Detours { rate: 0.1, longer: (2.0, 2.0), random: random() };
        let noise = Noise { mean: 3.0, random: random() };
        let arrivals = |effects: Vec<Box<dyn Effect>>| -> Vec<f64> {
            let mut path = Path::new(10.0, effects);
            (0..5000).filter_map(|index| path.arrival(f64::from(index))).collect()
        };
        assert!(arrivals(vec![Box::new(noise)]).is_sorted());
        let around = arrivals(vec![Box::new(detours)]);
        let overtaken = around.windows(2).filter(|two| two[1] < two[0]).count();
        assert!((400..600).contains(&overtaken), "{overtaken}");
    }

    #[test]
    fn a_roam_loses_a_third_and_holds_the_rest() {
        let mut roams = Roams { spans: vec![(30.0, 60.0)] };
        assert_eq!(roams.pass(29.0), Fate::On(29.0));
        assert_eq!(roams.pass(39.0), Fate::Lost);
        assert_eq!(roams.pass(41.0), Fate::On(60.0));
        assert_eq!(roams.pass(60.0), Fate::On(60.0));
    }
}
