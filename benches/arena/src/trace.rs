//! Which packet arrives when: what every algorithm is given alike.
//!
//! A packet is 64 frames. It is captured, stamped and sent at one moment, the publisher's callback;
//! delay is counted from there, less the trace's least delay, which no algorithm can do anything
//! about.

use crate::family::Family;
use crate::random::Random;

/// Frames in a packet, and in the listener's period.
pub(crate) const FRAMES: usize = 64;

/// Milliseconds of that by the listener's clock.
pub(crate) const PERIOD: f64 = FRAMES as f64 / 48.0;

/// What is played of each family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plan {
    /// Milliseconds that are measured.
    pub(crate) measured: f64,
    /// Milliseconds before them, in which everybody may settle.
    pub(crate) settle: f64,
    pub(crate) seed: u64,
    /// How much faster the publisher's clock runs than the listener's.
    pub(crate) drift_ppm: f64,
}

/// One path for one pair of clocks, packet by packet.
#[derive(Debug)]
pub(crate) struct Trace {
    /// When each packet was captured, by true time, which is the listener's.
    captured: f64,
    /// When each packet arrived.
    pub(crate) arrivals: Vec<Option<f64>>,
    /// The packets in the order of their arrival, with its time.
    pub(crate) order: Vec<(f64, usize)>,
    pub(crate) marks: Vec<Mark>,
    /// The least delay of all packets.
    pub(crate) least: f64,
    /// The listener's first callback; one follows every [`PERIOD`].
    pub(crate) phase: f64,
    /// When measuring starts and ends.
    pub(crate) from: f64,
    pub(crate) to: f64,
}

/// A change of the path that an algorithm must answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mark {
    pub(crate) at: f64,
    pub(crate) kind: MarkKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MarkKind {
    /// Packets take longer from here on.
    Worse,
    /// They are as quick again as they were before the latest [`Self::Worse`].
    Better,
    /// They come again after they did not come at all.
    Back,
}

impl Trace {
    pub(crate) fn new(family: &Family, plan: &Plan) -> Self {
        let to = plan.settle + plan.measured;
        let stream = family
            .name
            .bytes()
            .fold(0_u64, |hash, byte| hash.wrapping_mul(257).wrapping_add(u64::from(byte)));
        let seed = Random::new(plan.seed, stream);
        let mut weather = (family.weather)(&mut Seeds { seed, next: 0 }, (plan.settle, to));
        let captured = PERIOD / (1.0 + plan.drift_ppm * 1e-6);
        let mut arrivals = Vec::new();
        let mut at = 0.0;
        while at < to {
            let sent = weather.stalls.arrival(at).unwrap_or(at);
            arrivals.push(weather.path.arrival(sent));
            at = arrivals.len() as f64 * captured;
        }
        let mut order: Vec<(f64, usize)> = arrivals
            .iter()
            .enumerate()
            .filter_map(|(packet, arrival)| Some(((*arrival)?, packet)))
            .collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let delays = order.iter().map(|(at, packet)| at - *packet as f64 * captured);
        let least = delays.fold(f64::INFINITY, f64::min);
        // Any phase is as good as another, but it must not be one that suits somebody.
        let phase = PERIOD * Random::new(plan.seed, stream ^ 0xface).part();
        let marks = weather.marks;
        Self { captured, arrivals, order, marks, least, phase, from: plan.settle, to }
    }

    /// When a packet was captured.
    pub(crate) fn captured(&self, packet: usize) -> f64 {
        packet as f64 * self.captured
    }

    /// When a frame, counted in fractions by the publisher, was captured.
    pub(crate) fn captured_frame(&self, frame: f64) -> f64 {
        frame / FRAMES as f64 * self.captured
    }

    /// The frame that was captured at a moment.
    pub(crate) fn frame_at(&self, at: f64) -> f64 {
        at / self.captured * FRAMES as f64
    }

    /// Moments of the listener's callbacks, first to last.
    pub(crate) fn callbacks(&self) -> impl Iterator<Item = f64> + use<> {
        let (phase, to) = (self.phase, self.to);
        (0_u32..).map(move |count| phase + f64::from(count) * PERIOD).take_while(move |at| *at < to)
    }
}

/// Hands out a seed for each effect, so that none depends on what another draws.
pub(crate) struct Seeds {
    seed: Random,
    next: u64,
}

impl Seeds {
    pub(crate) fn random(&mut self) -> Random {
        self.next += 1;
        // Below 2^53, exactly.
        let part = self.seed.clone().part() * (1_u64 << 53) as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive number of 53 bits"
        )]
        let seed = part as u64;
        Random::new(seed, self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::FAMILIES;

    fn plan(drift_ppm: f64) -> Plan {
        Plan { measured: 60_000.0, settle: 10_000.0, seed: 3, drift_ppm }
    }

    #[test]
    fn a_seed_repeats_a_trace_and_another_does_not() {
        for family in &FAMILIES {
            let first = Trace::new(family, &plan(60.0));
            assert_eq!(first.order, Trace::new(family, &plan(60.0)).order, "{}", family.name);
            let other = Trace::new(family, &Plan { seed: 4, ..plan(60.0) });
            assert_ne!(first.order, other.order, "{}", family.name);
        }
    }

    #[test]
    fn clocks_change_when_packets_are_captured_and_little_else() {
        for family in &FAMILIES {
            let [even, fast] = [0.0, 1000.0].map(|ppm| Trace::new(family, &plan(ppm)));
            assert!(even.arrivals.len() + 50 <= fast.arrivals.len(), "{}", family.name);
            assert!((even.least - fast.least).abs() < 1.0, "{}", family.name);
        }
    }

    #[test]
    fn delay_and_loss_are_what_the_families_say() {
        // Mean delay above the least one in ms, and loss in percent; the ranges hold for any seed.
        let expected = [
            ("loopback", 0.0..0.1, 0.0..0.001),
            ("wired", 0.01..0.3, 0.0..0.02),
            ("wifi", 0.2..2.0, 0.0..0.1),
            ("wifi-bad", 0.4..8.0, 0.02..1.0),
            ("docsis", 2.0..20.0, 0.0..0.1),
            ("lte", 3.0..14.0, 0.0..0.1),
            ("intercontinental", 0.2..3.0, 0.0..0.2),
            ("route", 4.0..11.0, 0.0..0.02),
            ("outage", 0.01..0.3, 0.3..1.5),
            ("stalls", 0.05..1.5, 0.0..0.02),
        ];
        for (name, delay, loss) in expected {
            let family = FAMILIES.iter().find(|family| family.name == name).expect("it is there");
            for seed in 1..4 {
                let trace = Trace::new(family, &Plan { seed, ..plan(0.0) });
                let delays = trace.order.iter().map(|(at, packet)| at - trace.captured(*packet));
                let mean = delays.sum::<f64>() / trace.order.len() as f64 - trace.least;
                assert!(delay.contains(&mean), "{name}: {mean} ms");
                let lost = trace.arrivals.iter().filter(|arrival| arrival.is_none()).count();
                let percent = 100.0 * lost as f64 / trace.arrivals.len() as f64;
                assert!(loss.contains(&percent), "{name}: {percent} %");
            }
        }
    }

    #[test]
    fn only_one_family_reorders() {
        for family in &FAMILIES {
            let trace = Trace::new(family, &plan(0.0));
            let overtaken = trace.order.windows(2).filter(|two| two[1].1 < two[0].1).count();
            assert_eq!(0 < overtaken, family.name == "intercontinental", "{}", family.name);
        }
    }
}
