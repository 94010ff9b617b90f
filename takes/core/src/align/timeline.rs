//! The first look at a stem: what it holds, and when that was played.

use std::io::Read;

use protocol::time::RoomTime;

use super::clock_map::{ClockMap, UNKNOWN, maps};
use super::grid::to_f64;
use super::smoother::SlopePrior;
use crate::limits::CLOCK_RECORDS_MAX;
use crate::stem::{ClockReading, Ending, Header, ReadError, Reader, Record};

/// When the frames of a stem were played. Some 100 bytes for each second with a reading of the clock.
#[derive(Debug, Clone)]
pub struct Timeline {
    header: Header,
    ending: Ending,
    damaged_bytes: u64,
    clocking: Clocking,
    runs: Vec<Run>,
}

/// How well it is known when a stem was played.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Clocking {
    /// How often the room's clock was read.
    pub readings: usize,
    /// By how much the device's clock is faster than the room's, in parts per million; 0 where it was never read.
    pub drift_ppm: f64,
    /// How far off the room's clock was if the network is alike in both directions, in half of the readings, in
    /// microseconds.
    pub precision_us: f64,
    /// How far off it was at most, in half of the readings, in microseconds.
    pub bound_us: f64,
    /// What single readings are off from the clock that was made of all, in microseconds.
    pub spread_us: f64,
    /// Where frames or the room's clock jumped within a run.
    pub jumps: usize,
    /// Runs that have no reading of the clock, so that their place is a guess.
    pub guessed_runs: usize,
}

/// One run.
#[derive(Debug, Clone)]
pub(super) struct Run {
    run: u32,
    end_frame: u64,
    /// In the order of their first frames, of which the first is 0. Never empty.
    pub(super) maps: Vec<ClockMap>,
}

impl Timeline {
    /// Reads a stem to its end. A run that has no reading of the clock is taken to follow the one before it; the
    /// first, to begin with the take, at `start`.
    ///
    /// # Errors
    /// When the header cannot be read, or the input cannot.
    pub fn read(input: impl Read, start: RoomTime) -> Result<Self, ReadError> {
        let mut reader = Reader::new(input)?;
        let mut readings = Readings::default();
        let mut extents: Vec<(u32, u64, u64)> = Vec::new();
        while let Some(record) = reader.next_record()? {
            match record {
                Record::Clock(reading) => readings.take(reading),
                Record::Audio(audio) => {
                    let end = audio.first_frame + u64::from(audio.frames);
                    match extents.last_mut() {
                        Some((run, _, last)) if *run == audio.run => *last = end,
                        _ => extents.push((audio.run, audio.first_frame, end)),
                    }
                }
                Record::Run { .. } | Record::End { .. } => {}
            }
        }
        let readings = readings.in_order();
        let (runs, clocking) = runs(&readings, &extents, start);
        Ok(Self {
            header: reader.header().clone(),
            ending: reader.ending().expect("there are no more records"),
            damaged_bytes: reader.damaged_bytes(),
            clocking,
            runs,
        })
    }

    /// Whose stem it is.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How its bytes end.
    #[must_use]
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// Bytes that are no record, between good ones.
    #[must_use]
    pub fn damaged_bytes(&self) -> u64 {
        self.damaged_bytes
    }

    /// How well its time is known.
    #[must_use]
    pub fn clocking(&self) -> Clocking {
        self.clocking
    }

    /// When a frame of a run was played; `None` where there is no such run.
    #[must_use]
    pub fn played(&self, run: u32, frame: u64) -> Option<RoomTime> {
        let run = self.run(run)?;
        Some(run.maps.get(run.map_of(frame))?.room(frame))
    }

    pub(super) fn run(&self, run: u32) -> Option<&Run> {
        let at = self.runs.binary_search_by_key(&run, |run| run.run).ok()?;
        self.runs.get(at)
    }
}

impl Run {
    /// Which of the maps is a frame's.
    pub(super) fn map_of(&self, frame: u64) -> usize {
        self.maps.partition_point(|map| map.from_frame <= frame).saturating_sub(1)
    }
}

/// Readings of the clock, of which there may be more than are kept.
#[derive(Default)]
struct Readings {
    kept: Vec<ClockReading>,
    came: usize,
    /// Of those that come, every `2^thinned`th is kept.
    thinned: u32,
}

impl Readings {
    fn take(&mut self, reading: ClockReading) {
        if self.came.is_multiple_of(1 << self.thinned) {
            if CLOCK_RECORDS_MAX <= self.kept.len() {
                let mut at = 0;
                self.kept.retain(|_| {
                    at += 1;
                    at % 2 == 1
                });
                self.thinned += 1;
            }
            self.kept.push(reading);
        }
        self.came += 1;
    }

    fn in_order(mut self) -> Vec<ClockReading> {
        self.kept.sort_by_key(|reading| (reading.run, reading.frame));
        self.kept
    }
}

fn runs(
    readings: &[ClockReading],
    extents: &[(u32, u64, u64)],
    start: RoomTime,
) -> (Vec<Run>, Clocking) {
    let of_run = |run: u32| {
        let from = readings.partition_point(|reading| reading.run < run);
        let to = readings.partition_point(|reading| reading.run <= run);
        readings.get(from..to).unwrap_or_default()
    };
    let prior = rate_of_longest(extents, &of_run);
    let mut runs: Vec<Run> = Vec::new();
    let mut clocking = Clocking { readings: readings.len(), ..Clocking::default() };
    let (mut sum, mut weight) = ([0.0; 2], 0.0);
    for &(run, first_frame, end_frame) in extents {
        let mut of_it = maps(of_run(run), prior);
        if of_it.is_empty() {
            clocking.guessed_runs += 1;
            let after = runs.last().and_then(|run| Some(run.maps.last()?.room(run.end_frame)));
            of_it.push(ClockMap::guessed(first_frame, after.unwrap_or(start), prior));
        } else {
            clocking.jumps += of_it.len() - 1;
            for (at, map) in of_it.iter().enumerate() {
                let to = of_it.get(at + 1).map_or(end_frame, |next| next.from_frame);
                let from = map.from_frame.max(first_frame);
                let frames = to_f64(to.saturating_sub(from).max(1));
                sum[0] += frames * map.slope(from, to.max(from));
                sum[1] += frames * map.spread_ns;
                weight += frames;
            }
        }
        runs.push(Run { run, end_frame, maps: of_it });
    }
    if 0.0 < weight {
        // A device that is fast has frames that are short.
        clocking.drift_ppm = (1.0 / (1.0 + sum[0] / weight / 1e9) - 1.0) * 1e6;
        clocking.spread_us = sum[1] / weight / 1000.0;
    }
    clocking.precision_us = median_us(readings.iter().map(|reading| reading.precision_ns));
    clocking.bound_us = median_us(readings.iter().map(|reading| reading.bound_ns));
    (runs, clocking)
}

/// What the rate of the run with the most readings says of the others, which are mostly of the same device.
fn rate_of_longest<'a>(
    extents: &[(u32, u64, u64)],
    of_run: &impl Fn(u32) -> &'a [ClockReading],
) -> SlopePrior {
    let longest = extents.iter().max_by_key(|(run, ..)| of_run(*run).len());
    let Some(&(run, first_frame, end_frame)) = longest else { return UNKNOWN };
    let maps = maps(of_run(run), UNKNOWN);
    match maps.iter().max_by_key(|map| map.readings) {
        Some(map) if READINGS_FOR_RATE <= map.readings => {
            SlopePrior { slope: map.slope(first_frame, end_frame), sigma: SAME_DEVICE_SIGMA }
        }
        _ => UNKNOWN,
    }
}

fn median_us(values_ns: impl Iterator<Item = u32>) -> f64 {
    let mut values: Vec<u32> = values_ns.collect();
    values.sort_unstable();
    values.get(values.len() / 2).map_or(0.0, |value| f64::from(*value) / 1000.0)
}

/// So many readings say what the rate is to a few ppm.
const READINGS_FOR_RATE: usize = 30;
/// 20 ppm: by what a device is likely to differ from the one before.
const SAME_DEVICE_SIGMA: f64 = 20_000.0;
