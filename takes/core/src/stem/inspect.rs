//! What a stem holds, without decoding it.

use std::io::Read;

use protocol::time::RoomTime;

use super::header::Header;
use super::reader::{Ending, ReadError, Reader};
use super::record::Record;

/// What a stem holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Whose it is.
    pub header: Header,
    /// Its runs in order; those of which nothing is there are left out.
    pub runs: Vec<RunSummary>,
    /// How many runs were begun: the number of the next one.
    pub runs_begun: u32,
    /// How it ends.
    pub ending: Ending,
    /// Bytes that are no record, between good ones.
    pub damaged_bytes: u64,
}

/// What a stem holds of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunSummary {
    /// Which one.
    pub run: u32,
    /// The first frame that is there.
    pub first_frame: u64,
    /// The frame after the last one that is there.
    pub end_frame: u64,
    /// Frames that are there.
    pub frames: u64,
    /// How often the room's clock was read.
    pub clock_readings: u64,
    /// What it showed the first time, and at which frame.
    pub first_reading: Option<(u64, RoomTime)>,
}

impl Summary {
    /// Frames that are there, of all runs: how long the stem sounds.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.runs.iter().map(|run| run.frames).sum()
    }
}

impl RunSummary {
    /// Frames that are missing between others.
    #[must_use]
    pub fn missing_frames(&self) -> u64 {
        self.end_frame - self.first_frame - self.frames
    }
}

/// Reads a stem to its end and says what is there. Bounded in memory by
/// [`RUNS_MAX`](crate::limits::RUNS_MAX).
///
/// # Errors
/// When the header cannot be read, or the input cannot.
pub fn inspect(input: impl Read) -> Result<Summary, ReadError> {
    let mut reader = Reader::new(input)?;
    let mut runs: Vec<RunSummary> = Vec::new();
    let mut runs_begun = 0;
    while let Some(record) = reader.next_record()? {
        match record {
            Record::Run { run } => runs_begun = runs_begun.max(run + 1),
            Record::End { run, .. } => runs_begun = runs_begun.max(run + 1),
            Record::Clock(reading) => {
                runs_begun = runs_begun.max(reading.run + 1);
                if let Some(summary) = of_run(&mut runs, reading.run) {
                    summary.clock_readings += 1;
                    summary.first_reading.get_or_insert((reading.frame, reading.at));
                }
            }
            Record::Audio(audio) => {
                runs_begun = runs_begun.max(audio.run + 1);
                if let Some(summary) = of_run(&mut runs, audio.run) {
                    if summary.frames == 0 {
                        summary.first_frame = audio.first_frame;
                    }
                    summary.frames += u64::from(audio.frames);
                    summary.end_frame = audio.first_frame + u64::from(audio.frames);
                }
            }
        }
    }
    let ending = reader.ending().expect("there are no more records");
    let damaged_bytes = reader.damaged_bytes();
    let header = reader.header().clone();
    runs.retain(|run| run.frames != 0);
    Ok(Summary { header, runs, runs_begun, ending, damaged_bytes })
}

/// The summary of a run, which is the latest or an earlier one that was named before.
fn of_run(runs: &mut Vec<RunSummary>, run: u32) -> Option<&mut RunSummary> {
    if runs.last().is_none_or(|last| last.run < run) {
        runs.push(RunSummary { run, ..RunSummary::default() });
    }
    let at = runs.binary_search_by_key(&run, |summary| summary.run).ok()?;
    runs.get_mut(at)
}
