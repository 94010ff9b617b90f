//! What became of each stem.

use super::names::line;
use super::take::StemEntry;
use crate::align::{Clocking, Coverage, Timeline};
use crate::stem::Ending;

/// What an export holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// How long every file is, in seconds.
    pub seconds: f64,
    /// By how much the mix was made quieter, so that it does not clip; 0 where that was not necessary.
    pub mix_gain_db: f64,
    /// Every stem of the take, in its order.
    pub stems: Vec<StemReport>,
}

/// What became of one stem.
#[derive(Debug, Clone, PartialEq)]
pub struct StemReport {
    /// The participant and the track.
    pub title: String,
    /// The file in the archive; `None` where the stem never arrived or cannot be read.
    pub file: Option<String>,
    /// One, two, or 0 where there is no file.
    pub channels: u8,
    /// What of the take it covers.
    pub coverage: Coverage,
    /// How well it is known when it was played.
    pub clocking: Clocking,
    /// What is missing or doubtful and why, each a sentence for people.
    pub problems: Vec<String>,
}

/// What is known of a stem before its sound is read.
pub(super) fn begin(entry: &StemEntry, title: String) -> StemReport {
    let problems = entry.note.iter().map(|note| sentence(&line(note))).collect();
    StemReport {
        title,
        file: None,
        channels: 0,
        coverage: Coverage::default(),
        clocking: Clocking::default(),
        problems,
    }
}

impl StemReport {
    /// Says what a stem's records tell.
    pub(super) fn add_timeline(&mut self, timeline: &Timeline) {
        self.clocking = timeline.clocking();
        match timeline.ending() {
            Ending::Complete => {}
            Ending::Open => self.problems.push(
                "The recording has no end: the program stopped before it could write one, or not all of it was \
                 uploaded."
                    .to_owned(),
            ),
            Ending::Cut { .. } => self.problems.push(
                "The recording breaks off in the middle of a record: the program crashed, or not all of it was \
                 uploaded. What is before is whole."
                    .to_owned(),
            ),
            Ending::GivenUp { at_byte } => self.problems.push(format!(
                "The recording is damaged beyond byte {at_byte}, and what follows was not read."
            )),
        }
        if timeline.damaged_bytes() != 0 {
            self.problems.push(format!(
                "{} bytes of the recording are no record: a program crashed there, or they are damaged.",
                timeline.damaged_bytes()
            ));
        }
    }

    /// Says what was found while its sound was read.
    pub(super) fn add_coverage(&mut self, coverage: Coverage) {
        self.coverage = coverage;
        let mut say = |seconds: f64, what: &str| {
            if MENTIONED_S <= seconds {
                self.problems.push(format!("{seconds:.2} s {what}"));
            }
        };
        say(coverage.late_s, "at the beginning are silent: nothing was recorded yet.");
        say(
            coverage.lost_s,
            "in between are silent: the sound device stalled, or the recording is damaged.",
        );
        say(coverage.away_s, "in between are silent: the program was not there.");
        say(
            coverage.early_s,
            "at the end are silent: nothing more was recorded, or not all of it was uploaded.",
        );
        say(
            coverage.guessed_s,
            "are placed by guess: the room's clock was not known, so move them by hand.",
        );
        if coverage.undecodable_records != 0 {
            self.problems.push(format!(
                "{} records hold no sound that can be decoded.",
                coverage.undecodable_records
            ));
        }
        if 0 < self.clocking.jumps {
            self.problems.push(format!(
                "Its clock jumped {} times, so that parts of it may be cut or apart.",
                self.clocking.jumps
            ));
        }
    }
}

fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// What is shorter is nobody's loss.
const MENTIONED_S: f64 = 0.02;
