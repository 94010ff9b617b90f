//! Playing modes: how late each remote is to be heard, from microphone to ear, and what the callback is told
//! so that it is.
//!
//! *Tight* asks for nothing. *Aligned* ([`Alignment`]) wants everybody as late as the latest of the room, *beat*
//! ([`BeatDelay`]) by so much of the click that beats fall on beats. What surprises: nothing here is about packets. A
//! wanted delay becomes a floor under the playout delay and a line behind it ([`padding`]), and what packets need
//! is decided as ever.

mod padding;

use core::time::Duration;

use protocol::time::{Instant, RoomTime};

pub(crate) use self::padding::{LINE_FRAMES_MAX, Measured, Padding};
use crate::click::Click;

/// How late everybody is in *aligned* mode.
#[derive(Debug, Default)]
pub(crate) struct Alignment {
    /// What holds, and since when less would do.
    held: Option<Duration>,
    less_since: Option<Instant>,
}

impl Alignment {
    /// The delay for everybody, where the longest that anybody needs is `least`.
    pub(crate) fn delay(&mut self, now: Instant, least: Duration) -> Duration {
        let steps = (least.min(ALIGNED_MAX) + SPARE).as_nanos().div_ceil(STEP.as_nanos());
        let wanted = (STEP * u32::try_from(steps).unwrap_or(u32::MAX)).min(ALIGNED_MAX);
        let held = *self.held.get_or_insert(wanted);
        if held <= wanted {
            self.less_since = None;
            self.held = Some(wanted);
            return wanted;
        }
        let since = *self.less_since.get_or_insert(now);
        if LET_GO < now.saturating_since(since) {
            self.less_since = None;
            self.held = Some(wanted);
            return wanted;
        }
        held
    }

    /// Forgets what held.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// By how much of the click a remote is late in *beat* mode.
#[derive(Debug, Default)]
pub(crate) struct BeatDelay {
    /// Which of [`steps`], and since when a shorter one would do.
    chosen: Option<usize>,
    less_since: Option<Instant>,
}

impl BeatDelay {
    /// The shortest of half a beat, a beat, and one to four bars that holds for a remote which needs `least`; `None`
    /// where there is no click, or none of them does.
    pub(crate) fn delay(
        &mut self,
        now: Instant,
        click: Option<&Click>,
        at: RoomTime,
        least: Duration,
    ) -> Option<Duration> {
        let (beat_ns, beats) = click?.meter(at)?;
        let steps = steps(beat_ns, beats);
        let shortest = |needed: Duration| steps.iter().position(|step| needed <= *step);
        let index = shortest(least + SPARE)?;
        // A shorter one is gone back to where it would hold with something to spare.
        let index = match self.chosen.filter(|chosen| *chosen < steps.len()) {
            Some(chosen) if index < chosen && shortest(least + 2 * SPARE) < Some(chosen) => {
                let since = *self.less_since.get_or_insert(now);
                if LET_GO < now.saturating_since(since) { index } else { chosen }
            }
            Some(chosen) if index < chosen => {
                self.less_since = None;
                chosen
            }
            Some(_) | None => index,
        };
        if self.chosen != Some(index) {
            self.less_since = None;
        }
        self.chosen = Some(index);
        steps.get(index).copied().filter(|delay| *delay <= DELAY_MAX)
    }

    /// Forgets what was chosen.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Half a beat, a beat, one to four bars.
fn steps(beat_ns: f64, beats: u8) -> [Duration; 6] {
    let bar_ns = beat_ns * f64::from(beats);
    [0.5 * beat_ns, beat_ns, bar_ns, 2.0 * bar_ns, 3.0 * bar_ns, 4.0 * bar_ns]
        .map(|ns| Duration::from_secs_f64(ns * 1e-9))
}

/// What is kept beyond what is needed, so that a network which gets a little worse changes nothing: 3 ms.
const SPARE: Duration = Duration::from_millis(3);

/// Delays of *aligned* mode go by steps, so that everybody in the room comes to the same one.
const STEP: Duration = Duration::from_millis(5);

/// Nobody is aligned with somebody who is further away than this: the room would not play together anyway.
pub(crate) const ALIGNED_MAX: Duration = Duration::from_millis(300);

/// How long a shorter delay must do before it is gone back to.
const LET_GO: Duration = Duration::from_secs(10);

/// The longest delay: four bars of 4/4 at 48 a minute.
pub(crate) const DELAY_MAX: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use protocol::room_state::{ClickSegment, room_time};

    use super::*;
    use crate::click::ClickSettings;

    const START_US: i64 = 1_790_000_000_000_000;

    fn at(seconds: u64) -> Instant {
        Instant::from_ns(seconds * 1_000_000_000)
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn click(tempo: u32, beats: usize) -> Click {
        let ClickSettings { tempo_millibpm, unit, beats } = ClickSettings::new(tempo * 1000, beats);
        let segment = ClickSegment { start_us: START_US, bar: 1, tempo_millibpm, unit, beats };
        Click::new(&[segment]).expect("a click")
    }

    #[test]
    fn everybody_is_as_late_as_the_latest_in_steps_and_lets_go_slowly() {
        let mut alignment = Alignment::default();
        assert_eq!(alignment.delay(at(0), ms(21)), ms(25));
        assert_eq!(alignment.delay(at(1), ms(23)), ms(30), "at once");
        assert_eq!(alignment.delay(at(2), ms(10)), ms(30));
        assert_eq!(alignment.delay(at(8), ms(26)), ms(30), "needed again");
        assert_eq!(alignment.delay(at(12), ms(10)), ms(30));
        assert_eq!(alignment.delay(at(23), ms(10)), ms(15));
        assert_eq!(alignment.delay(at(24), ms(900)), ALIGNED_MAX);
    }

    #[test]
    fn the_shortest_part_of_the_click_that_holds_is_chosen() {
        let click = click(120, 4);
        let delay = |least: u64| {
            BeatDelay::default().delay(at(0), Some(&click), room_time(START_US), ms(least))
        };
        let chosen = [20, 246, 248, 490, 600, 1_990, 2_100, 4_500, 6_200].map(delay);
        let expected = [250, 250, 500, 500, 2_000, 2_000, 4_000, 6_000, 8_000];
        assert_eq!(chosen, expected.map(|delay| Some(ms(delay))));
        assert_eq!(delay(9_000), None);
        let none = BeatDelay::default().delay(at(0), None, room_time(START_US), ms(20));
        assert_eq!(none, None, "without a click there are no beats");
    }

    #[test]
    fn a_choice_is_kept_while_a_shorter_one_would_only_just_do() {
        let click = click(120, 4);
        let mut beat = BeatDelay::default();
        let mut delay = |s, least| beat.delay(at(s), Some(&click), room_time(START_US), ms(least));
        assert_eq!(delay(0, 240), Some(ms(250)));
        assert_eq!(delay(1, 249), Some(ms(500)), "at once");
        assert_eq!(delay(2, 246), Some(ms(500)));
        assert_eq!(delay(30, 246), Some(ms(500)));
        assert_eq!(delay(31, 100), Some(ms(500)));
        assert_eq!(delay(42, 100), Some(ms(250)));
    }
}
