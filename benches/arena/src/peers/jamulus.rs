//! Jamulus 3.12: a window of slots that slides to wherever packets come, its size chosen by ten shadow
//! windows.
//!
//! Source: the program's `buffer.h`, `buffer.cpp` and `util.h` at 11a28d57 (2026-08-17), for packets of
//! 64 frames. A slot for each packet from the one that is played next; a packet that comes too late
//! slides the window back to itself, one that comes too early slides it forward. The size is the
//! smallest of 2 to 11 whose shadow failed seldom enough in 15 s, after a filter that goes down in half
//! a minute and up in nine.
//!
//! What surprises: the filter's hysteresis compares with the size at the start, 6, forever
//! (jamulussoftware/jamulus#3923), so it merely shifts where sizes are rounded. It is kept, since that
//! is what people play with.

use std::collections::VecDeque;

use crate::play::{Buffer, Played};

pub(crate) struct Jamulus {
    window: Window,
    shadows: [Shadow; 10],
    /// The filtered size.
    filtered: f64,
    size: usize,
    /// Gets of quick filtering that are left.
    quick: usize,
}

impl Jamulus {
    pub(crate) fn new() -> Self {
        let sizes = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        Self {
            window: Window::new(START_SIZE),
            shadows: sizes.map(Shadow::new),
            filtered: START_SIZE as f64,
            size: START_SIZE,
            quick: QUICK_GETS,
        }
    }

    fn decide(&mut self) {
        let smallest = |bound: f64| {
            // The largest is taken without being asked.
            let good = |shadow: &&Shadow| shadow.errors.rate() <= bound;
            self.shadows[..9].iter().find(good).map(|shadow| shadow.window.slots.len())
        };
        let wanted = smallest(ERROR_RATE).unwrap_or(11) as f64;
        let at_least = smallest(ERROR_RATE_MAX).unwrap_or_else(|| {
            self.quick = QUICK_GETS;
            11
        });
        let quick = 0 < self.quick || self.size < at_least;
        self.quick = self.quick.saturating_sub(1);
        let keep = match (quick, self.filtered < wanted) {
            (true, true) => KEEP_UP_QUICK,
            (true, false) => KEEP_DOWN_QUICK,
            (false, true) => KEEP_UP,
            (false, false) => KEEP_DOWN,
        };
        self.filtered = self.filtered * keep + wanted * (1.0 - keep);
        let shift = if START_SIZE as f64 <= self.filtered { -HYSTERESIS } else { HYSTERESIS };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "2 to 11")]
        let size = (self.filtered + shift).round() as usize;
        if size != self.size {
            self.size = size;
            self.window.resize(size);
        }
        // A start that even the largest did not stand says nothing.
        if self.quick == EVENTS / 8 && ERROR_RATE < self.shadows[9].errors.rate() {
            self.shadows.iter_mut().for_each(|shadow| shadow.errors = Errors::new());
        }
    }
}

impl Buffer for Jamulus {
    fn put(&mut self, _: f64, packet: usize) {
        self.window.put(packet);
        for shadow in &mut self.shadows {
            shadow.window.put(packet);
            shadow.errors.add(false);
        }
    }

    fn get(&mut self, _: f64) -> Played {
        let played = self.window.get();
        for shadow in &mut self.shadows {
            let failed = shadow.window.get().is_none();
            shadow.errors.add(failed);
        }
        self.decide();
        match played {
            Some(packet) => Played::packet(packet),
            None => Played::Concealed,
        }
    }
}

/// Slots from the packet that is played next.
struct Window {
    next: i64,
    slots: VecDeque<bool>,
}

impl Window {
    fn new(size: usize) -> Self {
        Self { next: 0, slots: VecDeque::from(vec![false; size]) }
    }

    fn put(&mut self, packet: usize) {
        let packet = i64::try_from(packet).unwrap_or(i64::MAX);
        // Numbers have one byte.
        let ahead = (packet - self.next + 128).rem_euclid(256) - 128;
        let size = i64::try_from(self.slots.len()).unwrap_or(i64::MAX);
        if ahead < 0 {
            for _ in ahead..0 {
                // The slot that was next is given up as the window leaves it.
                self.set(0, false);
                self.slots.rotate_right(1);
                self.next -= 1;
            }
            self.set(0, true);
        } else if size <= ahead {
            for _ in size..=ahead {
                self.set(0, false);
                self.slots.rotate_left(1);
                self.next += 1;
            }
            self.set(self.slots.len() - 1, true);
        } else {
            self.set(usize::try_from(ahead).unwrap_or(0), true);
        }
    }

    fn get(&mut self) -> Option<usize> {
        let played = self.slots.front().copied().unwrap_or(false).then_some(self.next);
        self.set(0, false);
        self.slots.rotate_left(1);
        self.next += 1;
        played.and_then(|packet| usize::try_from(packet).ok())
    }

    /// Slots beyond the new size are given up; new ones are empty.
    fn resize(&mut self, size: usize) {
        self.slots.resize(size, false);
    }

    fn set(&mut self, slot: usize, full: bool) {
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = full;
        }
    }
}

struct Shadow {
    window: Window,
    errors: Errors,
}

impl Shadow {
    fn new(size: usize) -> Self {
        Self { window: Window::new(size), errors: Errors::new() }
    }
}

/// The part of the latest events that failed. Of failures in a row only the first is an event.
struct Errors {
    events: VecDeque<bool>,
    failed: usize,
    before: bool,
}

impl Errors {
    fn new() -> Self {
        Self { events: VecDeque::with_capacity(EVENTS), failed: 0, before: true }
    }

    fn add(&mut self, failed: bool) {
        if self.before && failed {
            return;
        }
        self.before = failed;
        if self.events.len() == EVENTS {
            self.failed -= usize::from(self.events.pop_front().unwrap_or(false));
        }
        self.events.push_back(failed);
        self.failed += usize::from(failed);
    }

    /// The worst as long as nothing is known.
    fn rate(&self) -> f64 {
        if self.events.is_empty() { 1.0 } else { self.failed as f64 / self.events.len() as f64 }
    }
}

/// `MAX_STATISTIC_COUNT`: puts and gets of 15 s.
const EVENTS: usize = 22_500;

/// `ERROR_RATE_BOUND` and `UP_MAX_ERROR_BOUND` for 64 frames.
const ERROR_RATE: f64 = 0.000_25;
const ERROR_RATE_MAX: f64 = 0.005;

/// A quarter of the events.
const QUICK_GETS: usize = EVENTS / 4;

/// `IIR_WEIGTH_…`, the weight of what was: 533 s up, 27 s down; 5.3 s and 2.7 s when quick.
const KEEP_UP: f64 = 0.999_997_5;
const KEEP_DOWN: f64 = 0.999_949_998_75;
const KEEP_UP_QUICK: f64 = 0.999_749_968_742_2;
const KEEP_DOWN_QUICK: f64 = 0.999_499_875;

/// `FILTER_DECISION_HYSTERESIS`.
const HYSTERESIS: f64 = 0.1;

const START_SIZE: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays packets of which those that `lateness` says come so many periods late, for so many
    /// seconds; gives the second in which each size was first reached.
    fn play(buffer: &mut Jamulus, first: usize, seconds: usize, lateness: impl Fn(usize) -> usize) {
        let periods = first..first + seconds * 750;
        for period in periods {
            for back in 0..20 {
                if let Some(packet) = period.checked_sub(back)
                    && lateness(packet) == back
                {
                    buffer.put(0.0, packet);
                }
            }
            buffer.get(0.0);
        }
    }

    #[test]
    fn a_late_packet_slides_the_window_back_to_itself() {
        let mut window = Window::new(4);
        for packet in 0..4 {
            window.put(packet);
        }
        assert_eq!(window.get(), Some(0));
        assert_eq!(window.get(), Some(1));
        window.put(0);
        assert_eq!(window.get(), Some(0));
        // Number 1 was played and is gone, and so is 2, which was next.
        assert_eq!((window.get(), window.get()), (None, None));
        assert_eq!(window.get(), Some(3));
    }

    #[test]
    fn an_early_packet_slides_it_forward() {
        let mut window = Window::new(3);
        window.put(0);
        window.put(5);
        assert_eq!((window.get(), window.get(), window.get()), (None, None, Some(5)));
    }

    #[test]
    fn numbers_have_one_byte() {
        let mut window = Window::new(3);
        for packet in 0..1000 {
            window.put(packet);
            assert_eq!(window.get(), Some(packet));
        }
    }

    #[test]
    fn it_starts_at_six_and_is_down_within_half_a_minute() {
        let mut buffer = Jamulus::new();
        assert_eq!(buffer.size, 6);
        play(&mut buffer, 0, 5, |_| 0);
        assert!(buffer.size < 6, "{}", buffer.size);
        play(&mut buffer, 5 * 750, 55, |_| 0);
        assert_eq!(buffer.size, 2);
    }

    #[test]
    fn it_grows_only_in_minutes_for_lateness_that_is_not_gross() {
        let mut buffer = Jamulus::new();
        play(&mut buffer, 0, 60, |_| 0);
        // Every second one packet is three periods late: four slots would do.
        let late = |packet: usize| if packet.is_multiple_of(750) { 3 } else { 0 };
        play(&mut buffer, 60 * 750, 60, late);
        assert_eq!(buffer.size, 2);
        play(&mut buffer, 120 * 750, 900, late);
        assert!(4 <= buffer.size, "{}", buffer.size);
    }

    #[test]
    fn it_grows_within_seconds_for_lateness_that_is() {
        let mut buffer = Jamulus::new();
        play(&mut buffer, 0, 60, |_| 0);
        play(&mut buffer, 60 * 750, 15, |packet| if packet.is_multiple_of(20) { 3 } else { 0 });
        assert!(4 <= buffer.size, "{}", buffer.size);
    }
}
