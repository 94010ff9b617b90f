//! A network path with weather: everything that happens to datagrams between a musician and the
//! server, from one seed.
//!
//! Pure: instants come in and go out. What surprises: order is kept by default, because queues keep
//! it; only what is held back, and what a trace says, is overtaken.

use core::time::Duration;

use protocol::time::Instant;

use crate::jitter::Jitter;
use crate::random::Random;
use crate::trace::{Fate, Trace};
use crate::weather::Weather;

/// One direction of one musician's connection.
#[derive(Debug)]
pub struct Path {
    weather: Weather,
    random: Random,
    /// For what came into this module later: it draws aside, so that what a seed gave stays.
    aside: Random,
    trace: Option<Trace>,
    sent: usize,
    outage_until: Instant,
    burst_left: usize,
    jitter: Jitter,
    next_spike_at: Option<Instant>,
    spike_over_at: Instant,
    newest_arrival: Instant,
    /// When the last datagram in the queue has left.
    busy_until: Instant,
}

/// When the copies of one datagram arrive: none, one or two.
pub type Arrivals = [Option<Instant>; 2];

impl Path {
    /// A path whose weather draws from `random`.
    #[must_use]
    pub fn new(weather: Weather, random: Random) -> Self {
        let mut aside = random.clone().fork();
        Self {
            weather,
            random,
            jitter: Jitter::new(aside.fork()),
            aside,
            trace: None,
            sent: 0,
            outage_until: Instant::ZERO,
            burst_left: 0,
            next_spike_at: None,
            spike_over_at: Instant::ZERO,
            newest_arrival: Instant::ZERO,
            busy_until: Instant::ZERO,
        }
    }

    /// Replays a trace: its delays come on top of the weather's, in the place of jitter and spikes,
    /// and are kept even where one datagram overtakes another; its losses come beside the weather's.
    #[must_use]
    pub fn replaying(self, trace: Trace) -> Self {
        Self { trace: Some(trace), ..self }
    }

    /// Changes the weather from the next datagram on.
    pub fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
        self.next_spike_at = None;
    }

    /// Loses everything that is sent before `end`.
    pub fn set_outage_until(&mut self, end: Instant) {
        self.outage_until = end;
    }

    /// Whether everything is lost at this moment.
    #[must_use]
    pub fn is_out(&self, now: Instant) -> bool {
        let (every, outage) = (as_ns(self.weather.outage_every), as_ns(self.weather.outage));
        let in_turn = now.as_ns().checked_rem(every);
        let again = in_turn.is_some_and(|elapsed| every.saturating_sub(outage) <= elapsed);
        now < self.outage_until || 0 < outage && again
    }

    /// The delay without its chances.
    #[must_use]
    pub const fn base_delay(&self) -> Duration {
        self.weather.delay
    }

    /// When something arrives that TCP repeats until it does: with the first repetition after an
    /// outage, if there is one. Each comes twice as long after the one before (RFC 6298 §5.5).
    #[must_use]
    pub fn send_reliably(&self, now: Instant) -> Instant {
        let (mut sent, mut wait) = (now, RETRANSMISSION_TIMEOUT);
        for _ in 0..RETRANSMISSIONS_MAX {
            if !self.is_out(sent) {
                break;
            }
            sent = sent + wait;
            wait *= 2;
        }
        sent + self.weather.delay
    }

    /// Sends a datagram with a payload of this size.
    ///
    /// Instants must not fall; whoever drives a path does so in the order of sending.
    pub fn send(&mut self, now: Instant, bytes: usize) -> Arrivals {
        let jitter = self.jitter.next(now, &self.weather, &mut self.random);
        let spike = self.next_spike(now);
        let departure = self.next_turn(now, bytes);
        let recorded = self.next_recorded();
        let lost = self.next_loss() || recorded == Some(Fate::Lost);
        let held_back = self.random.happens(self.weather.reorder);
        let twice = self.random.happens(self.weather.duplicate);
        let Some(departure) = departure.filter(|_| !lost && !self.is_out(now)) else {
            return [None, None];
        };
        let departure = departure + self.detour(now);
        let again = |arrival: Instant| twice.then(|| arrival + DUPLICATE_AFTER);
        if let Some(Fate::Delayed(delay)) = recorded {
            let arrival = departure + self.weather.delay + delay;
            return [Some(arrival), again(arrival)];
        }
        let delay = self.weather.delay.as_secs_f64() + jitter + spike.as_secs_f64();
        let arrival = departure + Duration::from_secs_f64(delay.max(0.0));
        if held_back {
            return [Some(arrival + self.weather.reorder_by), None];
        }
        // Queues keep the order: a shorter delay than that of the datagram before does not help.
        let arrival = arrival.max(self.newest_arrival);
        self.newest_arrival = arrival;
        [Some(arrival), again(arrival)]
    }

    /// What the trace says of this datagram, where there is one.
    fn next_recorded(&mut self) -> Option<Fate> {
        let fate = self.trace.as_ref()?.fate(self.sent);
        self.sent += 1;
        Some(fate)
    }

    /// How much of a stall is left.
    fn next_spike(&mut self, now: Instant) -> Duration {
        let per_second = self.weather.spikes_per_second;
        if per_second == 0.0 {
            return Duration::ZERO;
        }
        let mut wait = || Duration::from_secs_f64(self.aside.exponential() / per_second);
        let mut next = self.next_spike_at.unwrap_or_else(|| now + wait());
        while next <= now {
            self.spike_over_at = self.spike_over_at.max(next + self.weather.spike);
            next = next + wait();
        }
        self.next_spike_at = Some(next);
        self.spike_over_at.saturating_since(now)
    }

    /// By how much the route that is taken at the moment is longer.
    fn detour(&self, now: Instant) -> Duration {
        let turn = now.as_ns().checked_div(as_ns(self.weather.detour_every));
        if turn.is_some_and(|turn| turn % 2 == 1) { self.weather.detour } else { Duration::ZERO }
    }

    /// When a datagram has left; `None` where the queue is too long for it.
    fn next_turn(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        let rate = self.weather.bits_per_second;
        if rate == 0 {
            return Some(now);
        }
        let on_the_line = |bytes: u64| {
            let ns = u128::from(bytes) * 8 * 1_000_000_000 / u128::from(rate);
            Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
        };
        // What is idle saves up for a bucket's worth of datagrams that do not wait.
        let saved = as_ns(on_the_line(self.weather.bucket_bytes));
        let start = self.busy_until.max(Instant::from_ns(now.as_ns().saturating_sub(saved)));
        if self.weather.queue < start.saturating_since(now) {
            return None;
        }
        self.busy_until = start + on_the_line((bytes + HEADERS_BYTES) as u64);
        Some(self.busy_until.max(now))
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
        alone || in_burst && !self.aside.happens(self.weather.burst_spared)
    }
}

fn as_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Of IPv4 and UDP.
const HEADERS_BYTES: usize = 28;

/// How long TCP waits before it sends something for the second time: Linux's least.
const RETRANSMISSION_TIMEOUT: Duration = Duration::from_millis(200);

/// How often TCP repeats before it gives up: Linux's default.
const RETRANSMISSIONS_MAX: usize = 15;

/// How long after a datagram its copy comes.
const DUPLICATE_AFTER: Duration = Duration::from_micros(300);

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends 10,000 datagrams, one each millisecond; gives the delays of what arrived first.
    fn delays_ms(weather: Weather, seed: u64) -> Vec<Option<f64>> {
        let mut path = Path::new(weather, Random::from_seed(seed));
        let sent = |i: u64| Instant::from_ns(i * 1_000_000);
        let delay = |i| {
            let [first, _] = path.send(sent(i), 100);
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
        assert_eq!(path.send(Instant::from_ns(9), 100), [None, None]);
        assert!(path.send(Instant::from_ns(10), 100)[0].is_some());
    }

    #[test]
    fn tcp_is_through_with_its_next_repetition_after_an_outage() {
        let mut path = Path::new(Weather::delay_ms(5), Random::from_seed(1));
        let at_ms = |ms: u64| Instant::from_ns(ms * 1_000_000);
        path.set_outage_until(at_ms(1_000));
        assert_eq!(path.send_reliably(at_ms(0)), at_ms(1_400 + 5));
        assert_eq!(path.send_reliably(at_ms(1_000)), at_ms(1_005));
    }

    #[test]
    fn a_narrow_path_delays_what_it_carries_and_loses_the_rest() {
        // 1 ms for each datagram of 125 bytes, one of them each half millisecond.
        let weather = Weather::default().narrow(1_000_000, Duration::from_millis(3));
        let mut path = Path::new(weather, Random::from_seed(1));
        let mut lost = 0;
        for i in 0..100 {
            let sent = Instant::from_ns(i * 500_000);
            match path.send(sent, 125 - HEADERS_BYTES) {
                [Some(arrival), None] => {
                    assert!(arrival.saturating_since(sent) <= Duration::from_millis(4));
                }
                [None, None] => lost += 1,
                twice => panic!("{twice:?}"),
            }
        }
        assert!((44..=48).contains(&lost), "{lost} of 100");
    }

    #[test]
    fn a_seed_gives_what_it_always_gave() {
        let weather = Weather::delay_ms(10).jitter_us(1_500).loss(0.05).bursts(0.01, 4.0);
        let weather = weather.reorder(0.1, Duration::from_millis(2)).duplicate(0.1);
        let mut path = Path::new(weather.narrow(1_000_000, AN_HOUR), Random::from_seed(6));
        let mut digest = 0_u64;
        for i in 0..1_000 {
            for arrival in path.send(Instant::from_ns(i * 1_000_000), 100).into_iter().flatten() {
                digest = digest.wrapping_mul(31).wrapping_add(arrival.as_ns() / 1_000);
            }
        }
        // Scenarios of the simulator are tuned to what their seeds give.
        assert_eq!(digest, GOLDEN, "{digest:#x}");
    }

    #[test]
    fn a_burst_loses_only_what_it_does_not_spare() {
        let lost = |burst_spared| {
            let weather = Weather { burst_spared, ..Weather::default().bursts(0.01, 8.0) };
            delays_ms(weather, 2).iter().filter(|delay| delay.is_none()).count()
        };
        let (all, some) = (lost(0.0), lost(0.75));
        assert!((all / 5..all / 3).contains(&some), "{some} of {all}");
        assert_eq!(lost(1.0), 0);
    }

    #[test]
    fn what_comes_within_a_spike_is_delivered_at_its_end() {
        let weather = Weather::delay_ms(5).spikes(2.0, Duration::from_millis(20));
        let delays = delays_ms(weather, 7);
        let delays: Vec<f64> = delays.into_iter().flatten().collect();
        let longest = delays.iter().fold(0.0_f64, |longest, delay| longest.max(*delay));
        assert!((23.0..=25.0).contains(&longest), "{longest}");
        // Ten seconds: twenty spikes of twenty datagrams, some within another.
        let late = delays.iter().filter(|delay| 5.0 < **delay).count();
        assert!((200..600).contains(&late), "{late}");
        // They arrive together: each waits a millisecond less than the one before it.
        let together = |pair: &&[f64]| (pair[0] - pair[1] - 1.0).abs() < 1e-6;
        let falls = delays.windows(2).filter(together).count();
        assert!(late * 3 / 4 < falls && falls <= late, "{falls} of {late}");
    }

    #[test]
    fn outages_come_again() {
        let ms = Duration::from_millis;
        let mut path =
            Path::new(Weather::default().outages(ms(200), ms(1_000)), Random::from_seed(1));
        let got_through = |at_ms: u64| path.send(Instant::from_ns(at_ms * 1_000_000), 100)[0];
        let through: Vec<bool> =
            [0, 799, 800, 999, 1_000, 1_799, 1_800].map(got_through).map(|a| a.is_some()).into();
        assert_eq!(through, [true, true, false, false, true, true, false]);
    }

    #[test]
    fn tcp_gives_up_on_a_path_that_is_never_there_when_it_tries() {
        // Every repetition falls into an outage.
        let ms = Duration::from_millis;
        let path = Path::new(Weather::default().outages(ms(100), ms(200)), Random::from_seed(1));
        assert!(Instant::ZERO + ms(200) * 0x7fff <= path.send_reliably(Instant::ZERO + ms(150)));
    }

    #[test]
    fn a_route_changes_there_and_back() {
        let ms = Duration::from_millis;
        let weather = Weather::delay_ms(10).detours(ms(12), ms(2_000));
        let delays = delays_ms(weather, 1);
        let at = |i: usize| delays[i].map(f64::round);
        assert_eq!(
            [at(0), at(1_999), at(2_000), at(3_999)].map(Option::unwrap_or_default),
            [10.0, 10.0, 22.0, 22.0]
        );
        // The queue of the longer route has to be over first: nobody overtakes.
        assert_eq!(
            [at(4_000), at(4_006), at(4_012)].map(Option::unwrap_or_default),
            [21.0, 15.0, 10.0]
        );
    }

    #[test]
    fn a_bucket_is_emptied_before_the_rate_counts() {
        // 1 ms for each datagram of 125 bytes, and four of them at once.
        let narrow = Weather::default().narrow(1_000_000, Duration::from_secs(1));
        let mut path = Path::new(Weather { bucket_bytes: 500, ..narrow }, Random::from_seed(1));
        let mut waits_ms = |at_ms: u64| -> Vec<u128> {
            let sent = Instant::from_ns(at_ms * 1_000_000);
            let mut wait = || {
                let [arrival, _] = path.send(sent, 125 - HEADERS_BYTES);
                arrival.map_or(u128::MAX, |arrival| arrival.saturating_since(sent).as_millis())
            };
            (0..6).map(|_| wait()).collect()
        };
        assert_eq!(waits_ms(1_000), [0, 0, 0, 0, 1, 2]);
        assert_eq!(waits_ms(1_004), [0, 0, 1, 2, 3, 4]);
        assert_eq!(waits_ms(2_000), [0, 0, 0, 0, 1, 2]);
    }

    #[test]
    fn a_trace_says_what_becomes_of_each() {
        let trace = Trace::parse("9000\n2000\nlost").expect("it is a trace");
        let jittery = Weather::delay_ms(1).jitter_us(3_000).spikes(50.0, Duration::from_millis(9));
        let mut path = Path::new(jittery, Random::from_seed(1)).replaying(trace);
        let mut delay = |i: u64| {
            let sent = Instant::from_ns(i * 1_000_000);
            let [arrival, again] = path.send(sent, 100);
            assert_eq!(again, None);
            arrival.map(|arrival| arrival.saturating_since(sent).as_micros())
        };
        let delays: Vec<_> = (0..5).map(&mut delay).collect();
        assert_eq!(delays, [Some(10_000), Some(3_000), None, Some(10_000), Some(3_000)]);
    }

    const AN_HOUR: Duration = Duration::from_secs(3_600);

    /// Of the weather, the seed and the moments of its test.
    const GOLDEN: u64 = 0xa279_090a_94e3_938b;
}
