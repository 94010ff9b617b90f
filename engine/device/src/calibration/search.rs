//! From bursts that are played and come back to one round trip, or to what is wrong.
//!
//! Begins quietly, for somebody may wear headphones, and becomes louder until a burst is heard again. Then the
//! same is done until enough of them agree. What surprises: a burst that is found is believed only with others,
//! because a stall of this computer moves one by a period.

use core::time::Duration;
use std::fmt;

/// What is to be done next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Play a burst of this peak, in dBFS, and tell what came of it.
    Play(f32),
    /// The round trip; enough bursts agree.
    Done {
        /// Their mean.
        round_trip: Duration,
        /// How many they are.
        agreeing: usize,
        /// The farthest of them from the mean.
        off: Duration,
    },
    /// There will be no round trip.
    Failed(Fault),
}

/// What came of one burst.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// How long it took to come back, if it did.
    pub round_trip: Option<Duration>,
    /// The highest sample that was heard, in dBFS.
    pub peak_dbfs: f32,
}

/// Why there is no round trip, and what to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Not a single bit came in.
    Silent,
    /// Something came in, but no burst.
    NotHeard {
        /// How loud it is without bursts, in dBFS (RMS).
        floor_dbfs: f32,
    },
    /// What comes in is louder by itself than anything that could be played.
    Noisy {
        /// As above.
        floor_dbfs: f32,
    },
    /// What came in was at full scale.
    Clipped,
    /// Bursts took different times.
    Unsteady {
        /// The shortest and the longest.
        range: (Duration, Duration),
    },
    /// Bursts were heard now and then only.
    Rare {
        /// How many.
        heard: usize,
        /// Of so many.
        played: usize,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => write!(
                out,
                "nothing at all comes in: the input is muted, not connected, or another one than you think. {CABLE}"
            ),
            Self::NotHeard { floor_dbfs } => write!(
                out,
                "the input lives ({floor_dbfs:.0} dBFS), but nothing of what is played comes back. {CABLE}; then turn \
                 the output up, and the input"
            ),
            Self::Noisy { floor_dbfs } => write!(
                out,
                "the input is loud by itself ({floor_dbfs:.0} dBFS), and nothing of what is played is heard in it. \
                 Make it quiet: unplug instruments, stop other programs. {CABLE}"
            ),
            Self::Clipped => write!(
                out,
                "what comes back is too loud for the input: turn the input down, or the output"
            ),
            Self::Unsteady { range: (least, most) } => write!(
                out,
                "bursts came back after different times, from {:.2} to {:.2} ms. If the device drops out, choose a \
                 longer period; if it is a room's echo, put the microphone right at one loudspeaker, or use a cable",
                ms(*least),
                ms(*most)
            ),
            Self::Rare { heard, played } => write!(
                out,
                "only {heard} of {played} bursts came back whole: turn the output up, and make the room quiet, or \
                 use a cable from output 1 to input 1"
            ),
        }
    }
}

/// What everybody is told who hears nothing of it.
const CABLE: &str =
    "Connect output 1 to input 1 with a cable, or put the microphone at the loudspeaker";

/// The search for a round trip.
#[derive(Debug)]
pub struct Search {
    level_dbfs: f32,
    floor_dbfs: f32,
    loudest_dbfs: f32,
    round_trips: Vec<Duration>,
    played: usize,
    clipped: usize,
    /// Without one that was heard, at the highest level.
    missed_at_most: usize,
}

impl Search {
    /// Begins, where the input has this level (RMS) while nothing is played.
    #[must_use]
    pub fn new(floor_dbfs: f32) -> Self {
        Self {
            level_dbfs: LEVEL_MIN_DBFS,
            floor_dbfs,
            loudest_dbfs: f32::NEG_INFINITY,
            round_trips: Vec::new(),
            played: 0,
            clipped: 0,
            missed_at_most: 0,
        }
    }

    /// The first step.
    #[must_use]
    pub fn first(&self) -> Step {
        Step::Play(self.level_dbfs)
    }

    /// What to do after a burst.
    pub fn note(&mut self, outcome: Outcome) -> Step {
        self.played += 1;
        self.loudest_dbfs = self.loudest_dbfs.max(outcome.peak_dbfs);
        if CLIPPED_DBFS <= outcome.peak_dbfs {
            self.clipped += 1;
            self.level_dbfs = (self.level_dbfs - LEVEL_STEP_DB).max(LEVEL_MIN_DBFS);
            if CLIPPED_MAX <= self.clipped {
                return Step::Failed(Fault::Clipped);
            }
            return Step::Play(self.level_dbfs);
        }
        match outcome.round_trip {
            Some(round_trip) => self.round_trips.push(round_trip),
            None if self.level_dbfs < LEVEL_MAX_DBFS && self.round_trips.len() < AGREEING_MIN => {
                self.level_dbfs = (self.level_dbfs + LEVEL_STEP_DB).min(LEVEL_MAX_DBFS);
                return Step::Play(self.level_dbfs);
            }
            None => self.missed_at_most += 1,
        }
        if let Some(done) = self.agreement() {
            return done;
        }
        if self.round_trips.is_empty() && MISSED_MAX <= self.missed_at_most {
            return Step::Failed(self.why_not_heard());
        }
        if PLAYED_MAX <= self.played {
            return Step::Failed(self.why_unsteady());
        }
        Step::Play(self.level_dbfs)
    }

    /// The mean of those around the median, if they are enough.
    fn agreement(&self) -> Option<Step> {
        let mut sorted = self.round_trips.clone();
        sorted.sort_unstable();
        let median = *sorted.get(sorted.len() / 2)?;
        sorted.retain(|round_trip| round_trip.abs_diff(median) <= AGREE_WITHIN);
        if sorted.len() < AGREEING_MIN {
            return None;
        }
        let mean = sorted.iter().sum::<Duration>() / u32::try_from(sorted.len()).ok()?;
        let off = sorted.iter().map(|round_trip| round_trip.abs_diff(mean)).max()?;
        Some(Step::Done { round_trip: mean, agreeing: sorted.len(), off })
    }

    fn why_not_heard(&self) -> Fault {
        let floor_dbfs = self.floor_dbfs;
        if self.loudest_dbfs <= SILENT_DBFS {
            Fault::Silent
        } else if NOISY_DBFS <= floor_dbfs {
            Fault::Noisy { floor_dbfs }
        } else {
            Fault::NotHeard { floor_dbfs }
        }
    }

    fn why_unsteady(&self) -> Fault {
        let heard = self.round_trips.len();
        match (self.round_trips.iter().min(), self.round_trips.iter().max()) {
            (Some(least), Some(most)) if AGREEING_MIN <= heard => {
                Fault::Unsteady { range: (*least, *most) }
            }
            _ => Fault::Rare { heard, played: self.played },
        }
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The first burst is as loud as a quiet word.
const LEVEL_MIN_DBFS: f32 = -36.0;

/// As loud as it gets: twice as loud again would be full scale.
const LEVEL_MAX_DBFS: f32 = -6.0;

const LEVEL_STEP_DB: f32 = 6.0;

/// What is as good as full scale for a converter of 16 bits.
const CLIPPED_DBFS: f32 = -0.05;

/// So often something may clip: a door that slams does so once.
const CLIPPED_MAX: usize = 3;

/// So many bursts are played at the highest level although none was heard.
const MISSED_MAX: usize = 3;

/// How many have to agree, and how closely: three frames at 48 kHz.
const AGREEING_MIN: usize = 5;
const AGREE_WITHIN: Duration = Duration::from_micros(62);

/// A device that has not made its mind up by then does not.
const PLAYED_MAX: usize = 25;

/// The last bit of 16.
const SILENT_DBFS: f32 = -96.0;

/// A floor as loud as a burst in a room.
const NOISY_DBFS: f32 = -40.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays against something that answers; gives how it ended and at which levels was played.
    fn play(floor_dbfs: f32, mut answer: impl FnMut(usize, f32) -> Outcome) -> (Step, Vec<f32>) {
        let mut search = Search::new(floor_dbfs);
        let (mut step, mut levels) = (search.first(), Vec::new());
        while let Step::Play(level_dbfs) = step {
            step = search.note(answer(levels.len(), level_dbfs));
            levels.push(level_dbfs);
            assert!(levels.len() < 100, "it goes on for ever");
        }
        (step, levels)
    }

    fn heard(us: u64) -> Outcome {
        Outcome { round_trip: Some(Duration::from_micros(us)), peak_dbfs: -30.0 }
    }

    fn missed(peak_dbfs: f32) -> Outcome {
        Outcome { round_trip: None, peak_dbfs }
    }

    fn fault(floor_dbfs: f32, answer: impl FnMut(usize, f32) -> Outcome) -> Fault {
        match play(floor_dbfs, answer).0 {
            Step::Failed(fault) => fault,
            other @ (Step::Play(_) | Step::Done { .. }) => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_grows_louder_until_it_is_heard_and_five_agree() {
        let (step, levels) =
            play(
                -80.0,
                |_, level_dbfs| {
                    if level_dbfs < -20.0 { missed(-60.0) } else { heard(7000) }
                },
            );
        let round_trip = Duration::from_micros(7000);
        assert_eq!(step, Step::Done { round_trip, agreeing: 5, off: Duration::ZERO });
        assert_eq!(levels, [-36.0, -30.0, -24.0, -18.0, -18.0, -18.0, -18.0, -18.0]);
    }

    #[test]
    fn one_that_a_stall_moved_is_left_out_of_the_mean() {
        let times = [7000, 8333, 7010, 6990, 7000, 9666, 7000];
        let (step, levels) = play(-80.0, |n, _| heard(times[n]));
        let Step::Done { round_trip, agreeing, off } = step else { panic!("{step:?}") };
        assert_eq!((round_trip, agreeing), (Duration::from_micros(7000), 5));
        assert_eq!((off, levels.len()), (Duration::from_micros(10), 7));
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        assert_eq!(fault(-100.0, |_, _| missed(-100.0)), Fault::Silent);
        let floor_dbfs = -70.0;
        assert_eq!(fault(floor_dbfs, |_, _| missed(-50.0)), Fault::NotHeard { floor_dbfs });
        let floor_dbfs = -20.0;
        assert_eq!(fault(floor_dbfs, |_, _| missed(-8.0)), Fault::Noisy { floor_dbfs });
        assert_eq!(fault(-70.0, |_, _| missed(0.0)), Fault::Clipped);
        let far = |n: usize, _| heard(7000 + 500 * (n as u64 % 20));
        let range = (Duration::from_micros(7000), Duration::from_micros(16_500));
        assert_eq!(fault(-70.0, far), Fault::Unsteady { range });
        let rare = |n: usize, _| if n == 9 { heard(7000) } else { missed(-40.0) };
        assert_eq!(fault(-70.0, rare), Fault::NotHeard { floor_dbfs: -70.0 });
        let rare = |n: usize, _| if n.is_multiple_of(7) { heard(7000) } else { missed(-40.0) };
        assert_eq!(fault(-70.0, rare), Fault::Rare { heard: 4, played: 25 });
    }

    #[test]
    fn a_level_that_clips_is_taken_back() {
        let (step, levels) = play(-80.0, |_, level_dbfs| match level_dbfs {
            -36.0 => missed(-60.0),
            -30.0 => missed(0.0),
            _ => heard(1),
        });
        // Lower by a step it is not heard, and at the same again it clips, until that is told.
        assert_eq!(step, Step::Failed(Fault::Clipped));
        assert_eq!(levels, [-36.0, -30.0, -36.0, -30.0, -36.0, -30.0]);
    }
}
