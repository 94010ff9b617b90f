//! Makes the file that is downloaded, from stems that lie on the disk.
//!
//! What surprises: while it is made, sound waits in scratch files, about as large as the file itself
//! and 690 MB for each hour. They have no name from the moment that they are made, so that whatever
//! ends the process frees them, and stop where the disk is nearly full.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use protocol::time::RoomTime;
use takes::SAMPLE_RATE;
use takes::export::{self, ExportError, Host, Marker, Scratch, StemEntry, TempoChange};
use takes::limits::{EXPORT_SECONDS_MAX, EXPORT_STEMS_MAX};

use crate::disk;
use crate::limits::SCRATCH_CHECKED_BYTES;
use crate::refused::NoSpace;
use crate::take::{Stem, Take};

/// What is in an export: the take as it was when the export began.
#[derive(Debug)]
pub(crate) struct Contents {
    take: export::Take,
    /// Where each stem of it lies, and how many of its bytes belong in; none where nothing came.
    stems: Vec<Option<(PathBuf, u64)>>,
}

/// Where an export has room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workshop<'a> {
    /// The folder of scratch files, which must be there.
    pub(crate) folder: &'a Path,
    /// Bytes that stay free on its disk.
    pub(crate) free_bytes_min: u64,
}

/// Tells how much is done, 0 to 100, and hears whether it is still wanted.
pub(crate) type Progress<'a> = &'a mut dyn FnMut(u8) -> ControlFlow<()>;

impl Contents {
    pub(crate) fn of(take: &Take) -> Self {
        let mut entries = Vec::new();
        let mut stems = Vec::new();
        for (id, stem) in take.stems_in_order() {
            entries.push(entry(stem));
            let is_there = stem.bytes != 0;
            stems.push(is_there.then(|| (take.stem_path(id), stem.bytes)));
        }
        for name in take.absent() {
            entries.push(StemEntry { participant: name.to_owned(), ..StemEntry::default() });
            stems.push(None);
        }
        entries.truncate(EXPORT_STEMS_MAX);
        stems.truncate(EXPORT_STEMS_MAX);
        let record = &take.record;
        let start = RoomTime::from_ns(record.start_room_ns);
        let tempo = record.click.iter().map(|segment| TempoChange {
            at: RoomTime::from_ns(segment.at_room_ns),
            milli_bpm: segment.milli_bpm,
            beats_per_bar: segment.beats_per_bar,
            first_bar: segment.first_bar,
            accents: segment.accents,
            silent: segment.silent,
            end: segment.end_room_ns.map(RoomTime::from_ns),
        });
        let markers = record.markers.iter().map(|marker| Marker {
            at: RoomTime::from_ns(marker.at_room_ns),
            text: marker.text.clone(),
        });
        let take = export::Take {
            title: record.title.clone(),
            start,
            stop: stop(take, start),
            tempo: tempo.collect(),
            markers: markers.collect(),
            stems: entries,
        };
        Self { take, stems }
    }
}

fn entry(stem: &Stem) -> StemEntry {
    let (participant, label) = match &stem.facts {
        Some(facts) => (facts.name.clone(), facts.label.clone()),
        None => (format!("Stem {}", stem.record.number), String::new()),
    };
    // What is damaged, the export finds out by itself.
    let note = (!stem.record.verified)
        .then(|| format!("its upload has not come to its end: {} bytes came", stem.bytes));
    StemEntry { participant, label, note }
}

/// When it ends: as was told, or where its longest stem does. An export has a length, and a bound.
fn stop(take: &Take, start: RoomTime) -> RoomTime {
    let frames = take
        .stems
        .values()
        .filter_map(|stem| stem.record.frames.or(stem.facts.as_ref().map(|facts| facts.frames)));
    let longest_ns = frames.max().unwrap_or(0).saturating_mul(NS_A_SECOND) / u64::from(SAMPLE_RATE);
    let told_ns = take.record.stop_room_ns.map(|stop| RoomTime::from_ns(stop).ns_since(start));
    let length_ns = told_ns.map_or(longest_ns, |ns| u64::try_from(ns).unwrap_or(0));
    let length_ns = length_ns.clamp(NS_A_SECOND, EXPORT_SECONDS_MAX * NS_A_SECOND);
    start.plus_ns(i64::try_from(length_ns).unwrap_or(i64::MAX))
}

/// Writes the file.
pub(crate) fn write(
    contents: &Contents,
    workshop: Workshop<'_>,
    out: &mut dyn Write,
    progress: Progress<'_>,
) -> Result<(), ExportError> {
    let mut bench = Bench { stems: &contents.stems, workshop, progress, scratches: 0 };
    export::export(&contents.take, &mut bench, out).map(drop)
}

/// What an export asks of the disk.
struct Bench<'a> {
    stems: &'a [Option<(PathBuf, u64)>],
    workshop: Workshop<'a>,
    progress: Progress<'a>,
    scratches: u32,
}

impl Host for Bench<'_> {
    fn open(&mut self, stem: usize) -> io::Result<Option<Box<dyn Read>>> {
        let Some((path, bytes)) = self.stems.get(stem).and_then(Option::as_ref) else {
            return Ok(None);
        };
        Ok(Some(Box::new(File::open(path)?.take(*bytes))))
    }

    fn scratch(&mut self) -> io::Result<Box<dyn Scratch>> {
        self.scratches += 1;
        let path = self.workshop.folder.join(format!(".scratch-{}.part", self.scratches));
        let file = disk::make_file(&path)?;
        fs::remove_file(&path)?;
        let Workshop { folder, free_bytes_min } = self.workshop;
        let folder = folder.to_owned();
        Ok(Box::new(Bounded { file, folder, free_bytes_min, unchecked: SCRATCH_CHECKED_BYTES }))
    }

    fn progress(&mut self, done: f64) -> ControlFlow<()> {
        let percent = (0..=100_u8).rev().find(|percent| f64::from(*percent) <= done * 100.0);
        (self.progress)(percent.unwrap_or(0))
    }
}

/// A scratch file that is not written where the disk is nearly full.
struct Bounded {
    file: File,
    folder: PathBuf,
    free_bytes_min: u64,
    /// Bytes since the disk was looked at.
    unchecked: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if SCRATCH_CHECKED_BYTES <= self.unchecked {
            self.unchecked = 0;
            let free = disk::free_bytes(&self.folder).unwrap_or(u64::MAX);
            if free < self.free_bytes_min {
                return Err(io::Error::other(NoSpace::Disk { free }));
            }
        }
        let written = self.file.write(bytes)?;
        self.unchecked = self.unchecked.saturating_add(written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for Bounded {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }
}

impl Seek for Bounded {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

const NS_A_SECOND: u64 = 1_000_000_000;
