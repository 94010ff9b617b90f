//! A network path with weather: everything that happens to datagrams between a musician and the
//! server, from one seed.

use core::time::Duration;

use protocol::time::Instant;

use crate::random::Random;

/// What happens to datagrams on their way. The default is a cable: nothing at all.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Weather {
    /// One way, the same for all.
    pub delay: Duration,
    /// Deviation of a normal delay on top, never below zero in total.
    pub jitter: Duration,
    /// How long a jitter lasts: 0 draws anew for every datagram.
    pub jitter_correlation: Duration,
    /// Probability that a datagram is lost alone.
    pub loss: f64,
    /// Probability that a burst of losses starts with a datagram.
    pub burst: f64,
    /// Mean length of a burst.
    pub burst_packets: f64,
    /// Probability that a datagram is held back by [`Self::reorder_by`], so that others overtake.
    pub reorder: f64,
    /// How long.
    pub reorder_by: Duration,
    /// Probability that a datagram arrives twice.
    pub duplicate: f64,
}

impl Weather {
    /// Nothing but a delay.
    #[must_use]
    pub fn delay_ms(ms: u64) -> Self {
        Self { delay: Duration::from_millis(ms), ..Self::default() }
    }

    /// A jitter that lasts some 5 ms, as queues make it.
    #[must_use]
    pub fn jitter_us(self, us: u64) -> Self {
        let jitter_correlation = Duration::from_millis(5);
        Self { jitter: Duration::from_micros(us), jitter_correlation, ..self }
    }

    /// Lone losses.
    #[must_use]
    pub fn loss(self, probability: f64) -> Self {
        Self { loss: probability, ..self }
    }

    /// Losses in a row.
    #[must_use]
    pub fn bursts(self, probability: f64, packets: f64) -> Self {
        Self { burst: probability, burst_packets: packets, ..self }
    }

    /// Datagrams that others overtake.
    #[must_use]
    pub fn reorder(self, probability: f64, by: Duration) -> Self {
        Self { reorder: probability, reorder_by: by, ..self }
    }

    /// Datagrams that arrive twice.
    #[must_use]
    pub fn duplicate(self, probability: f64) -> Self {
        Self { duplicate: probability, ..self }
    }
}

/// One direction of one musician's connection.
#[derive(Debug)]
pub struct Path {
    weather: Weather,
    random: Random,
    outage_until: Instant,
    burst_left: usize,
    jitter: f64,
    jittered_at: Instant,
    newest_arrival: Instant,
}

/// When the copies of one datagram arrive: none, one or two.
pub type Arrivals = [Option<Instant>; 2];

impl Path {
    /// A path whose weather draws from `random`.
    #[must_use]
    pub fn new(weather: Weather, random: Random) -> Self {
        Self {
            weather,
            random,
            outage_until: Instant::ZERO,
            burst_left: 0,
            jitter: 0.0,
            jittered_at: Instant::ZERO,
            newest_arrival: Instant::ZERO,
        }
    }

    /// Changes the weather from the next datagram on.
    pub fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// Loses everything that is sent before `end`.
    pub fn set_outage_until(&mut self, end: Instant) {
        self.outage_until = end;
    }

    /// Whether everything is lost at this moment.
    #[must_use]
    pub fn is_out(&self, now: Instant) -> bool {
        now < self.outage_until
    }

    /// The delay without its chances.
    #[must_use]
    pub const fn base_delay(&self) -> Duration {
        self.weather.delay
    }

    /// When something arrives that TCP repeats until it does: after an outage, if there is one.
    #[must_use]
    pub fn send_reliably(&self, now: Instant) -> Instant {
        now.max(self.outage_until) + self.weather.delay
    }

    /// Sends a datagram.
    pub fn send(&mut self, now: Instant) -> Arrivals {
        let jitter = self.next_jitter(now);
        let lost = self.next_loss() || self.is_out(now);
        let held_back = self.random.happens(self.weather.reorder);
        let twice = self.random.happens(self.weather.duplicate);
        if lost {
            return [None, None];
        }
        let delay = self.weather.delay.as_secs_f64() + jitter;
        let arrival = now + Duration::from_secs_f64(delay.max(0.0));
        if held_back {
            return [Some(arrival + self.weather.reorder_by), None];
        }
        // Queues keep the order: a shorter delay than that of the datagram before does not help.
        let arrival = arrival.max(self.newest_arrival);
        self.newest_arrival = arrival;
        [Some(arrival), twice.then(|| arrival + Duration::from_micros(300))]
    }

    /// An Ornstein-Uhlenbeck process: normal, and forgetting itself with the correlation time.
    fn next_jitter(&mut self, now: Instant) -> f64 {
        let since = now.saturating_since(self.jittered_at).as_secs_f64();
        let correlation = self.weather.jitter_correlation.as_secs_f64();
        let kept = if correlation == 0.0 { 0.0 } else { (-since / correlation).exp() };
        self.jitter = kept * self.jitter + (1.0 - kept * kept).sqrt() * self.random.gaussian();
        self.jittered_at = now;
        self.jitter * self.weather.jitter.as_secs_f64()
    }

    fn next_loss(&mut self) -> bool {
        let alone = self.random.happens(self.weather.loss);
        let burst = self.random.happens(self.weather.burst);
        let length = self.random.unit();
        if burst && self.burst_left == 0 {
            // Geometric lengths around the mean: most bursts are short.
            let mean = self.weather.burst_packets.max(1.0);
            let packets = (-mean * (1.0 - length).ln()).ceil().max(1.0);
            #[expect(clippy::cast_possible_truncation, reason = "a burst is a few packets")]
            #[expect(clippy::cast_sign_loss, reason = "at least one")]
            {
                self.burst_left = packets as usize;
            }
        }
        let in_burst = 0 < self.burst_left;
        self.burst_left = self.burst_left.saturating_sub(1);
        alone || in_burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends 10,000 datagrams, one each millisecond; gives the delays of what arrived first.
    fn delays_ms(weather: Weather, seed: u64) -> Vec<Option<f64>> {
        let mut path = Path::new(weather, Random::from_seed(seed));
        let sent = |i: u64| Instant::from_ns(i * 1_000_000);
        let delay = |i| {
            let [first, _] = path.send(sent(i));
            first.map(|at| at.saturating_since(sent(i)).as_secs_f64() * 1e3)
        };
        (0..10_000).map(delay).collect()
    }

    #[test]
    fn a_cable_delivers_everything_at_once() {
        assert!(delays_ms(Weather::default(), 1).iter().all(|delay| *delay == Some(0.0)));
    }

    #[test]
    fn loss_and_bursts_are_as_frequent_as_asked() {
        let lost = |weather| delays_ms(weather, 2).iter().filter(|d| d.is_none()).count();
        assert!((80..120).contains(&lost(Weather::default().loss(0.01))));
        let bursts = lost(Weather::default().bursts(0.002, 8.0));
        assert!((100..240).contains(&bursts), "{bursts}");
    }

    #[test]
    fn jitter_spreads_around_the_delay_and_keeps_the_order() {
        let delays = delays_ms(Weather::delay_ms(20).jitter_us(2_000), 3);
        let delays: Vec<f64> = delays.into_iter().flatten().collect();
        let mean = delays.iter().sum::<f64>() / delays.len() as f64;
        let squares: f64 = delays.iter().map(|d| (d - mean).powi(2)).sum();
        let deviation = (squares / delays.len() as f64).sqrt();
        assert!((19.5..21.0).contains(&mean) && (1.5..2.5).contains(&deviation));
        let in_order = |pair: &[f64]| pair[0] <= pair[1] + 1.0 + 1e-6;
        assert!(delays.windows(2).all(in_order));
    }

    #[test]
    fn a_seed_repeats_the_weather() {
        let weather = Weather::delay_ms(10).jitter_us(1_000).loss(0.1).bursts(0.01, 3.0);
        assert_eq!(delays_ms(weather, 4), delays_ms(weather, 4));
        assert_ne!(delays_ms(weather, 4), delays_ms(weather, 5));
    }

    #[test]
    fn an_outage_loses_everything_until_it_ends() {
        let mut path = Path::new(Weather::default(), Random::from_seed(1));
        path.set_outage_until(Instant::from_ns(10));
        assert_eq!(path.send(Instant::from_ns(9)), [None, None]);
        assert!(path.send(Instant::from_ns(10))[0].is_some());
    }
}
