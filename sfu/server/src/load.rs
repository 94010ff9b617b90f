//! How busy a worker is, and for how long it gathers packets because of that.
//!
//! A datagram by itself costs a system call's share and a walk through the kernel; many to one
//! address in one message cost little more than one. So a busy worker looks at its socket only every
//! quarter or half millisecond, and finds enough for that. What surprises: gathering makes the same
//! load cost less, by how much depends on the rooms, so that how busy a gathering worker is does not
//! say whether it must gather. It tries without, and waits longer before each try that fails.

use core::time::Duration;

use protocol::time::Instant;

/// Counts waiting time and chooses the window.
#[derive(Debug)]
pub(crate) struct Load {
    /// Since when the present stretch is measured.
    from: Instant,
    /// How much of it was spent waiting.
    idle: Duration,
    /// When there was nothing to do for the last time.
    last_idle: Instant,
    /// Processor time of the worker where the stretch began.
    cpu: Duration,
    /// What the system withheld in the stretch before.
    withheld: Duration,
    /// How busy it was over some stretches.
    smoothed_permille: u16,
    /// How much of them it was on the processor.
    ran_permille: u16,
    busy_permille: u16,
    window: Window,
    /// Stretches in a row that were busy.
    busy: u32,
    /// Stretches in a row that were calm.
    calm: u32,
    /// Stretches since the window was last narrowed.
    narrowed: u32,
    /// Calm stretches before it is narrowed.
    patience: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Window {
    None,
    Short,
    Long,
}

impl Load {
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            from: now,
            idle: Duration::ZERO,
            last_idle: now,
            cpu: Duration::ZERO,
            withheld: Duration::ZERO,
            smoothed_permille: 0,
            ran_permille: 0,
            busy_permille: 0,
            window: Window::None,
            busy: 0,
            calm: 0,
            narrowed: PATIENCE_MAX,
            patience: PATIENCE,
        }
    }

    /// Counts time spent waiting for something to do, until now.
    pub(crate) fn waited(&mut self, now: Instant, duration: Duration) {
        self.idle += duration;
        if IDLE_MIN <= duration {
            self.last_idle = now;
        }
    }

    /// Whether there was so much to do ever since a packet arrived that it had to wait. One that came
    /// while the system did not let an idle worker run is late for another reason.
    pub(crate) fn is_behind(&self, arrived: Instant) -> bool {
        self.last_idle <= arrived
    }

    /// Whether there has been too much to do for some time: a queue that is long will stay so.
    pub(crate) const fn is_strained(&self) -> bool {
        STRAINED_PERMILLE <= self.smoothed_permille
    }

    /// For how long, lately, the system did not let the worker run though it had something to do;
    /// `cpu` is its processor time so far. Nothing where it is strained: that one stall made its queue
    /// longer is no reason to leave it so.
    pub(crate) fn withheld(&self, now: Instant, cpu: Duration) -> Duration {
        if self.is_strained() {
            return Duration::ZERO;
        }
        self.withheld + self.withheld_in_stretch(now, cpu)
    }

    /// How much of the time, lately, the worker was on the processor, in thousandths. One that others
    /// keep from it is busy for longer.
    pub(crate) const fn ran_permille(&self) -> u16 {
        self.ran_permille
    }

    /// For how long packets are gathered.
    pub(crate) const fn window(&self) -> Duration {
        match self.window {
            Window::None => Duration::ZERO,
            Window::Short => Duration::from_micros(250),
            Window::Long => Duration::from_micros(500),
        }
    }

    pub(crate) const fn busy_permille(&self) -> u16 {
        self.busy_permille
    }

    /// Ends a stretch of [`STRETCH`], if it is over; `cpu` tells the worker's processor time so far.
    pub(crate) fn update(&mut self, now: Instant, cpu: impl FnOnce() -> Duration) {
        let elapsed = now.saturating_since(self.from);
        if elapsed < STRETCH {
            return;
        }
        let cpu = cpu();
        let ran = cpu.saturating_sub(self.cpu).as_nanos() * 1000 / elapsed.as_nanos();
        let ran = u16::try_from(ran).unwrap_or(1000).min(1000);
        self.ran_permille = (3 * self.ran_permille + ran) / 4;
        self.withheld = self.withheld_in_stretch(now, cpu);
        self.cpu = cpu;
        let busy = elapsed.saturating_sub(self.idle).as_nanos() * 1000 / elapsed.as_nanos();
        self.busy_permille = u16::try_from(busy).unwrap_or(1000);
        self.smoothed_permille = (3 * self.smoothed_permille + self.busy_permille) / 4;
        (self.from, self.idle) = (now, Duration::ZERO);
        self.narrowed = self.narrowed.saturating_add(1);
        self.busy = if BUSY_PERMILLE <= self.busy_permille { self.busy + 1 } else { 0 };
        self.calm = if self.busy_permille < CALM_PERMILLE { self.calm + 1 } else { 0 };
        if BUSY_STRETCHES <= self.busy {
            self.widen();
        } else if self.patience <= self.calm && self.window != Window::None {
            self.narrow();
        }
    }

    fn withheld_in_stretch(&self, now: Instant, cpu: Duration) -> Duration {
        let ran = cpu.saturating_sub(self.cpu);
        now.saturating_since(self.from).saturating_sub(self.idle).saturating_sub(ran)
    }

    fn widen(&mut self) {
        self.busy = 0;
        // The last try without was one too early.
        let failed = self.narrowed < FAILED_STRETCHES;
        self.patience = if failed { (2 * self.patience).min(PATIENCE_MAX) } else { PATIENCE };
        self.window = match self.window {
            Window::None => Window::Short,
            Window::Short | Window::Long => Window::Long,
        };
    }

    fn narrow(&mut self) {
        (self.calm, self.narrowed) = (0, 0);
        self.window = match self.window {
            Window::Long => Window::Short,
            Window::Short | Window::None => Window::None,
        };
    }
}

/// A wait that is longer was one: with a datagram there, the system call takes 1 or 2 µs.
const IDLE_MIN: Duration = Duration::from_micros(20);

/// How long one stretch is measured: some hundred packets under load.
const STRETCH: Duration = Duration::from_millis(20);

/// Beyond this nothing is left to catch up with what a stall left. Where admission stops, a tenth is.
const STRAINED_PERMILLE: u16 = 950;

/// Beyond this a packet is likely to find the worker at work on another.
const BUSY_PERMILLE: u16 = 650;

/// So many busy stretches in a row are load, and not a moment in which the system ran something else.
const BUSY_STRETCHES: u32 = 3;

/// Below this a worker may do without a window, if the window saves it little.
const CALM_PERMILLE: u16 = 550;

/// Calm stretches before a window is narrowed, at first: half a second, a pause in the music.
const PATIENCE: u32 = 25;

/// The same after tries that failed: half a minute.
const PATIENCE_MAX: u32 = 1500;

/// A worker that is busy again within a second of trying without has failed.
const FAILED_STRETCHES: u32 = 50;

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets stretches go by in which so many thousandths were spent at work; gives the window.
    fn live(load: &mut Load, now: &mut Instant, stretches: u32, busy_permille: u32) -> u128 {
        for _ in 0..stretches {
            *now = *now + STRETCH;
            load.waited(*now, STRETCH * (1000 - busy_permille) / 1000);
            load.update(*now, || Duration::ZERO);
            assert_eq!(u32::from(load.busy_permille()), busy_permille);
        }
        load.window().as_micros()
    }

    #[test]
    fn a_worker_is_behind_with_what_came_since_it_was_idle() {
        let at_us = |us: u64| Instant::from_ns(us * 1000);
        let mut load = Load::new(at_us(0));
        load.waited(at_us(500), Duration::from_micros(100));
        // Datagrams were there each time.
        load.waited(at_us(900), Duration::from_micros(2));
        assert!(!load.is_behind(at_us(400)));
        assert!(load.is_behind(at_us(600)));
    }

    #[test]
    fn time_at_work_is_time_on_the_processor_or_withheld() {
        let mut now = Instant::ZERO;
        let mut load = Load::new(now);
        let ms = Duration::from_millis;
        // Five on the processor, four idle: the rest of twenty is the system's.
        now = now + STRETCH;
        load.waited(now, ms(4));
        load.update(now, || ms(5));
        assert_eq!(load.withheld(now, ms(5)), ms(11));
        assert_eq!(load.ran_permille(), 250 / 4, "a stretch counts for a quarter");
        // Of the stretch that goes on, three of ten.
        assert_eq!(load.withheld(now + ms(10), ms(12)), ms(14));
        now = now + STRETCH;
        load.update(now, || ms(25));
        assert_eq!(load.withheld(now, ms(25)), Duration::ZERO, "the stretch before is forgotten");
    }

    #[test]
    fn one_stall_is_no_strain_however_long() {
        let mut now = Instant::ZERO;
        let mut load = Load::new(now);
        live(&mut load, &mut now, 100, 850);
        now = now + Duration::from_secs(1);
        load.update(now, || Duration::ZERO);
        assert!(!load.is_strained());
        assert_eq!(load.withheld(now, Duration::ZERO), Duration::from_secs(1));
        live(&mut load, &mut now, 10, 1000);
        assert!(load.is_strained());
        assert_eq!(load.withheld(now, Duration::ZERO), Duration::ZERO, "it would be late anyway");
    }

    #[test]
    fn the_window_opens_under_load_and_closes_when_it_is_gone() {
        let mut now = Instant::ZERO;
        let mut load = Load::new(now);
        assert_eq!(live(&mut load, &mut now, 100, 600), 0);
        assert_eq!(live(&mut load, &mut now, 2, 1000), 0, "a moment");
        assert_eq!(live(&mut load, &mut now, 1, 100), 0);
        assert_eq!(live(&mut load, &mut now, 3, 700), 250);
        assert_eq!(live(&mut load, &mut now, 100, 600), 250);
        assert_eq!(live(&mut load, &mut now, 3, 700), 500);
        assert_eq!(live(&mut load, &mut now, PATIENCE - 1, 50), 500);
        assert_eq!(live(&mut load, &mut now, 1, 600), 500, "not calm all the time");
        assert_eq!(live(&mut load, &mut now, PATIENCE, 50), 250);
        assert_eq!(live(&mut load, &mut now, PATIENCE, 50), 0);
    }

    #[test]
    fn a_worker_that_cannot_do_without_tries_ever_more_rarely() {
        let mut now = Instant::ZERO;
        let mut load = Load::new(now);
        live(&mut load, &mut now, 3, 900);
        let mut tries = Vec::new();
        for _ in 0..8 {
            let mut waited = 0;
            // Gathering, it is calm.
            while live(&mut load, &mut now, 1, 300) != 0 {
                waited += 1;
            }
            tries.push(waited + 1);
            assert_eq!(live(&mut load, &mut now, 3, 900), 250, "without, it is not");
        }
        assert_eq!(tries, [25, 50, 100, 200, 400, 800, 1500, 1500]);
        // The load is gone for good: the next time is a first time.
        live(&mut load, &mut now, PATIENCE_MAX, 100);
        live(&mut load, &mut now, FAILED_STRETCHES, 100);
        live(&mut load, &mut now, 3, 900);
        assert_eq!(live(&mut load, &mut now, PATIENCE, 300), 0);
    }
}
