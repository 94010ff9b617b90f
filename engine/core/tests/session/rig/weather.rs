//! What a network does to packets, as a function of time and a seed.

/// Delay, loss, duplication and order of packets.
pub(crate) struct Weather {
    /// Milliseconds of delay on a grid of 1 ms; beyond its end it begins again.
    pub(crate) track: Vec<f64>,
    /// Parts of one.
    pub(crate) loss: f64,
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
}

impl Weather {
    pub(crate) fn constant(delay_ms: f64) -> Self {
        Self {
            track: vec![delay_ms],
            loss: 0.0,
            duplication: 0.0,
            reorder: (0.0, 0.0),
            stall: None,
            outage: None,
            detour: None,
            last_ns: 0,
            random: Random(1),
        }
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
        if lost < self.loss || within(self.outage).is_some() {
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
