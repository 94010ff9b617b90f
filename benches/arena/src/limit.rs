//! What a listener could have had who knew the trace beforehand: the best constant delay.
//!
//! Constant means that the playhead moves exactly as fast as the publisher's clock, so drift costs
//! nothing. It is held to the same callbacks as everybody: a frame must be there when the callback
//! that plays it begins. What surprises: a packet that is a little late loses only the frames that
//! were due before it came.

use crate::trace::{PERIOD, Trace};

/// How much a constant delay conceals in one trace.
pub(crate) struct Limit {
    /// The delay that each packet needs to be played whole, longest first; lost ones left out.
    needs: Vec<f64>,
    lost: usize,
    minutes: f64,
}

impl Limit {
    pub(crate) fn new(trace: &Trace) -> Self {
        let mut needs = Vec::new();
        let mut lost = 0;
        for (packet, arrival) in trace.arrivals.iter().enumerate() {
            let captured = trace.captured(packet);
            if !(trace.from..trace.to - TAIL).contains(&captured) {
                continue;
            }
            match arrival {
                None => lost += 1,
                Some(at) => {
                    let callback = ((at - trace.phase) / PERIOD).ceil() * PERIOD + trace.phase;
                    needs.push(callback - captured - trace.least);
                }
            }
        }
        needs.sort_by(|a, b| b.total_cmp(a));
        Self { needs, lost, minutes: (trace.to - TAIL - trace.from) / 60_000.0 }
    }

    /// Concealed milliseconds per minute at a delay.
    pub(crate) fn concealed(&self, delay: f64) -> f64 {
        let late = self.needs.iter().take_while(|need| delay < **need);
        let missing: f64 = late.map(|need| (need - delay).min(PERIOD)).sum();
        (missing + self.lost as f64 * PERIOD) / self.minutes
    }

    /// The shortest delay that conceals no more than so many milliseconds per minute; the longest
    /// that makes a difference if none does.
    pub(crate) fn delay(&self, concealed: f64) -> f64 {
        let (mut low, mut high) = (0.0, self.needs.first().copied().unwrap_or(0.0));
        // 2^-40 of any delay is nothing.
        for _ in 0..40 {
            let middle = (low + high) / 2.0;
            if concealed < self.concealed(middle) { low = middle } else { high = middle }
        }
        high
    }
}

/// Packets captured later may not have arrived when the trace ends.
const TAIL: f64 = 1000.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::FAMILIES;
    use crate::trace::Plan;

    fn trace(name: &str, drift_ppm: f64) -> Trace {
        let plan = Plan { measured: 30_000.0, settle: 1000.0, seed: 1, drift_ppm };
        let family = FAMILIES.iter().find(|family| family.name == name);
        Trace::new(family.expect("it is there"), &plan)
    }

    #[test]
    fn more_delay_conceals_less() {
        let limit = Limit::new(&trace("wifi-bad", 0.0));
        let concealed: Vec<f64> = (0..60).map(|ms| limit.concealed(f64::from(ms))).collect();
        assert!(concealed.is_sorted_by(|a, b| b <= a), "{concealed:?}");
        assert!(concealed[59] < concealed[0] / 10.0);
    }

    #[test]
    fn the_delay_for_a_concealment_has_that_concealment() {
        let limit = Limit::new(&trace("wifi", 60.0));
        for wanted in [30.0, 100.0, 300.0] {
            let found = limit.concealed(limit.delay(wanted));
            assert!((0.9 * wanted..=wanted).contains(&found), "{found} for {wanted}");
        }
    }

    #[test]
    fn on_a_clean_line_a_period_is_enough() {
        let limit = Limit::new(&trace("loopback", 60.0));
        let delay = limit.delay(0.0);
        assert!((PERIOD..1.2 * PERIOD).contains(&delay), "{delay}");
    }

    #[test]
    fn what_is_lost_no_delay_brings_back() {
        let limit = Limit::new(&trace("outage", 0.0));
        assert!(0.0 < limit.concealed(1e6));
        assert!(limit.delay(0.0) < 100.0);
    }
}
