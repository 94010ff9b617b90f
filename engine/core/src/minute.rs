//! How much of the latest minute was concealed, from two counters that only rise.
//!
//! Pure and without a clock: time is what the counter of played frames says, so that a stream that
//! is silent keeps the figure of when it last played.

use std::collections::VecDeque;

/// Remembers how the counters stood, once for each second that was played.
#[derive(Debug)]
pub(crate) struct Minute {
    /// Oldest first, never empty; the first is the latest that is a minute old, if any is.
    samples: VecDeque<Counts>,
}

/// Two counters of a remote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// Frames played, concealed ones included.
    pub(crate) played: u64,
    pub(crate) concealed: u64,
}

impl Minute {
    /// Starts with a stream that has not played.
    pub(crate) fn new() -> Self {
        Self { samples: VecDeque::from([Counts { played: 0, concealed: 0 }]) }
    }

    /// Takes note of the counters; call it at least once a second.
    pub(crate) fn note(&mut self, now: Counts) {
        let is_due = |last: &Counts| last.played + SAMPLE_FRAMES <= now.played;
        if self.samples.back().is_none_or(is_due) {
            self.samples.push_back(now);
        }
        while self.samples.get(1).is_some_and(|second| second.played + MINUTE_FRAMES <= now.played)
        {
            self.samples.pop_front();
        }
    }

    /// Milliseconds concealed in the latest minute that was played; of all there was while that
    /// is less, not as many as a whole minute of the same would have.
    pub(crate) fn concealed_ms(&self, now: Counts) -> f32 {
        let Some(base) = self.samples.front() else { return 0.0 };
        let played = now.played.saturating_sub(base.played).max(MINUTE_FRAMES);
        let concealed = now.concealed.saturating_sub(base.concealed);
        #[expect(clippy::cast_precision_loss, reason = "frames of a session")]
        let share = concealed as f32 / played as f32;
        share * MINUTE_MS
    }
}

const MINUTE_MS: f32 = 60_000.0;
const MINUTE_FRAMES: u64 = 60 * SAMPLE_FRAMES;

/// A second of frames: what a sample is taken for, so at most 62 of them are kept.
const SAMPLE_FRAMES: u64 = 48_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes the counters every half second for `seconds`, where `concealed` says how many frames
    /// of the half second were.
    fn after(seconds: u64, concealed: impl Fn(u64) -> u64) -> (Minute, Counts) {
        let mut minute = Minute::new();
        let mut now = Counts { played: 0, concealed: 0 };
        for half in 0..2 * seconds {
            now.played += 24_000;
            now.concealed += concealed(half / 2);
            minute.note(now);
        }
        (minute, now)
    }

    #[test]
    fn a_steady_rate_is_told_as_it_is_and_not_before_a_minute_has_shown_it() {
        let concealed_ms = |seconds| {
            let (minute, now) = after(seconds, |_| 48);
            minute.concealed_ms(now).round()
        };
        assert_eq!((concealed_ms(0), concealed_ms(1), concealed_ms(10)), (0.0, 2.0, 20.0));
        assert_eq!((concealed_ms(60), concealed_ms(61), concealed_ms(600)), (120.0, 120.0, 120.0));
    }

    #[test]
    fn what_was_concealed_more_than_a_minute_ago_is_forgotten() {
        let concealed_ms = |seconds| {
            let (minute, now) = after(seconds, |second| if second == 5 { 480 } else { 0 });
            minute.concealed_ms(now).round()
        };
        assert_eq!((concealed_ms(5), concealed_ms(6), concealed_ms(65)), (0.0, 20.0, 20.0));
        assert_eq!(concealed_ms(66), 0.0);
    }

    #[test]
    fn a_stretch_that_nobody_noted_counts_as_its_mean() {
        let mut minute = Minute::new();
        let now = Counts { played: 10 * MINUTE_FRAMES, concealed: 4800 };
        assert_eq!(minute.concealed_ms(now).round(), 10.0);
        minute.note(now);
        let later = Counts { played: now.played + MINUTE_FRAMES, ..now };
        minute.note(later);
        assert_eq!(minute.concealed_ms(later), 0.0);
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let (minute, _) = after(1000, |_| 0);
        assert!(minute.samples.len() <= 62, "{}", minute.samples.len());
    }
}
