//! What a network does to packets, as a function of time and a seed.

/// Delay, loss, duplication and order of packets.
pub(crate) struct Weather {
    /// Milliseconds of delay on a grid of 1 ms; beyond its end it begins again.
    pub(crate) track: Vec<f64>,
    /// Parts of one.
    pub(crate) loss: f64,
    /// Packets that are lost in a row, in the mean; up to 1 means that each is lost for itself.
    pub(crate) burst_packets: f64,
    pub(crate) duplication: f64,
    /// Part of the packets that are held back by so many milliseconds and may be overtaken.
    pub(crate) reorder: (f64, f64),
    /// Nothing passes between these two moments, in ms: what came is delivered at the end.
    pub(crate) stall: Option<(f64, f64)>,
    /// Nothing passes at all between these two moments, in ms.
    pub(crate) outage: Option<(f64, f64)>,
    /// Between these two moments (ms) everything takes so much longer (ms).
    pub(crate) detour: Option<(f64, f64, f64)>,
    pub(crate) last_ns: u64,
    pub(crate) random: Random,
    /// Whether the latest packet was lost.
    pub(crate) losing: bool,
    /// Packets that were sent, and the numbers of those that were lost.
    pub(crate) sent: usize,
    pub(crate) lost: Vec<usize>,
}

impl Weather {
    pub(crate) fn constant(delay_ms: f64) -> Self {
        Self {
            track: vec![delay_ms],
            loss: 0.0,
            burst_packets: 1.0,
            duplication: 0.0,
            reorder: (0.0, 0.0),
            stall: None,
            outage: None,
            detour: None,
            last_ns: 0,
            random: Random(1),
            losing: false,
            sent: 0,
            lost: Vec::new(),
        }
    }

    /// Loses part of the packets, so many in a row in the mean, by a seed of its own.
    pub(crate) fn losing(self, loss: f64, burst_packets: f64, seed: u64) -> Self {
        Self { loss, burst_packets, random: Random(seed), ..self }
    }

    /// A network that is slower by `more_ms` for a moment every 48 ms: a playout delay that is known
    /// to the frame, and long enough for most of what is repeated.
    pub(crate) fn swaying(delay_ms: f64, more_ms: f64) -> Self {
        let track = (0..48).map(|ms| if ms == 47 { delay_ms + more_ms } else { delay_ms });
        Self { track: track.collect(), ..Self::constant(0.0) }
    }

    /// Gaussian jitter with a correlation time of 5 ms, and now and then a queue of `spike_ms`
    /// that drains at 1 ms per ms.
    pub(crate) fn jitter(
        seed: u64,
        delay_ms: f64,
        sd_ms: f64,
        spikes_per_s: f64,
        spike_ms: f64,
    ) -> Self {
        let mut random = Random(seed);
        let keep = (-1.0_f64 / 5.0).exp();
        let (mut z, mut queue) = (random.gauss(), 0.0_f64);
        let mut next = random.wait(spikes_per_s);
        let mut track = Vec::new();
        for ms in 0..131_072 {
            z = keep * z + (1.0 - keep * keep).sqrt() * random.gauss();
            queue = (queue - 1.0).max(0.0);
            while next <= f64::from(ms) {
                queue = queue.max(spike_ms);
                next += random.wait(spikes_per_s);
            }
            track.push((delay_ms + sd_ms * z + queue).max(0.0));
        }
        Self { track, random, ..Self::constant(0.0) }
    }

    /// Jitter between two moments (ms) only.
    pub(crate) fn spell(seed: u64, delay_ms: f64, sd_ms: f64, from: usize, until: usize) -> Self {
        let mut weather = Self::jitter(seed, delay_ms, sd_ms, 0.0, 0.0);
        let quiet = |ms: &usize| !(from..until).contains(ms);
        for ms in (0..weather.track.len()).filter(quiet) {
            weather.track[ms] = delay_ms;
        }
        weather
    }

    /// 10 ms, sd 2 ms, 0.1 % loss.
    pub(crate) fn wifi(seed: u64) -> Self {
        Self { loss: 0.001, ..Self::jitter(seed, 10.0, 2.0, 0.0, 0.0) }
    }

    /// 20 ms, sd 5 ms, spikes of 15 ms, 1 % loss.
    pub(crate) fn bad(seed: u64) -> Self {
        Self { loss: 0.01, ..Self::jitter(seed, 20.0, 5.0, 0.5, 15.0) }
    }

    /// When a packet sent now arrives: never, once, or twice.
    pub(crate) fn arrivals(&mut self, now_ns: u64) -> Vec<u64> {
        let ms = now_ns as f64 / 1e6;
        let [lost, twice, held] = [(); 3].map(|()| self.random.part());
        let within = |span: Option<(f64, f64)>| span.filter(|s| (s.0..s.1).contains(&ms));
        self.sent += 1;
        self.losing = lost < self.loss_now();
        if self.losing || within(self.outage).is_some() {
            self.lost.push(self.sent - 1);
            return Vec::new();
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a track")]
        let place = ms.floor() as usize;
        let at = |index: usize| self.track[index % self.track.len()];
        let mut delay = at(place) + (at(place + 1) - at(place)) * ms.fract();
        if let Some((from, until, more)) = self.detour
            && (from..until).contains(&ms)
        {
            delay += more;
        }
        if let Some((_, end)) = within(self.stall) {
            delay = delay.max(end - ms);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes")]
        let arrival = |delay: f64| now_ns + (delay * 1e6) as u64;
        let due = if held < self.reorder.0 {
            arrival(delay + self.reorder.1)
        } else {
            self.last_ns = self.last_ns.max(arrival(delay));
            self.last_ns
        };
        if twice < self.duplication { vec![due, due + 100_000] } else { vec![due] }
    }

    /// How likely it is that the next packet is lost: two states, as Gilbert had them.
    fn loss_now(&self) -> f64 {
        if self.burst_packets <= 1.0 {
            self.loss
        } else if self.losing {
            1.0 - 1.0 / self.burst_packets
        } else {
            self.loss / (1.0 - self.loss) / self.burst_packets
        }
    }
}

/// SplitMix64, which is enough to shuffle packets.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Evenly from 0 to 1, both excluded.
    pub(crate) fn part(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn gauss(&mut self) -> f64 {
        (-2.0 * self.part().ln()).sqrt() * (std::f64::consts::TAU * self.part()).cos()
    }

    fn wait(&mut self, per_second: f64) -> f64 {
        if per_second == 0.0 { f64::INFINITY } else { -1000.0 / per_second * self.part().ln() }
    }
}
