//! Reads all stems side by side and writes the archive.

use std::io::{self, Read, Seek, Write};
use std::ops::ControlFlow;

use thiserror::Error;

use super::archive::Archive;
use super::click::{Click, beats};
use super::date::Date;
use super::dawproject::dawproject;
use super::flac_file::{Encoded, FlacFile};
use super::mix::Mix;
use super::names;
use super::readme::readme;
use super::report::{self, Report, StemReport};
use super::rpp::{ProjectTrack, rpp};
use super::take::{Take, TakeRefused, seconds};
use crate::SAMPLE_RATE;
use crate::align::{AlignedStem, Grid, Interpolator, Timeline, to_f64};
use crate::pcm::quantise;
use crate::stem::ReadError;

/// What an export needs of whoever calls it: stems, scratch files, and somebody who watches.
pub trait Host {
    /// Opens a stem of the take from its beginning, by its place in [`Take::stems`]; `None` where it never arrived.
    /// Asked twice for each stem; all are open at the same time the second time.
    ///
    /// # Errors
    /// Cost that stem, and are told in the report.
    fn open(&mut self, stem: usize) -> io::Result<Option<Box<dyn Read>>>;

    /// A new, empty scratch file: one for each stem, one for the click, two for the mix. A stem takes some 250 MB an
    /// hour in each channel, the first one of the mix 690. It is deleted by being dropped.
    ///
    /// # Errors
    /// End the export.
    fn scratch(&mut self) -> io::Result<Box<dyn Scratch>>;

    /// Told how far the export is, from 0 to 1, some times a second; [`ControlFlow::Break`] ends it.
    fn progress(&mut self, done: f64) -> ControlFlow<()>;
}

/// A file that is written, and then read from its beginning.
pub trait Scratch: Read + Write + Seek {}

impl<T: Read + Write + Seek> Scratch for T {}

/// Why there is no export.
#[derive(Debug, Error)]
pub enum ExportError {
    /// [`Host::progress`] said so.
    #[error("the export was cancelled")]
    Cancelled,
    /// The take cannot be exported at all.
    #[error(transparent)]
    Refused(#[from] TakeRefused),
    /// Scratch files, where sound waits.
    #[error("no room for the export's scratch files: {0}; make room and try again")]
    Scratch(io::Error),
    /// Whoever takes the archive.
    #[error("the archive cannot be written: {0}")]
    Output(io::Error),
}

/// Writes a take's archive to `out`, and says what is in it.
///
/// # Errors
/// When the take breaks a limit, when scratch files or `out` fail, or when the host ends it. What a stem lacks is no
/// error: the report says it, and so does the page in the archive.
pub fn export(
    take: &Take,
    host: &mut dyn Host,
    out: &mut dyn Write,
) -> Result<Report, ExportError> {
    let grid = take.check()?;
    let mut stems = open_all(take, grid, host)?;
    let (encoded, click, mix) = encode_all(take, grid, &mut stems, host)?;
    let report = Report {
        seconds: grid.seconds(),
        mix_gain_db: mix.as_ref().map_or(0.0, |(_, gain_db)| *gain_db),
        stems: stems.into_iter().map(|stem| stem.report).collect(),
    };
    let files = Files { encoded, click, mix: mix.map(|(mix, _)| mix) };
    pack(take, &report, files, host, out)?;
    Ok(report)
}

/// One stem while it is exported.
struct Open {
    report: StemReport,
    sound: Option<AlignedStem<Box<dyn Read>>>,
}

impl Open {
    /// The next frames as 24 bits; silence where there is nothing more to read.
    fn read(&mut self, frames: usize, done: u64, samples: &mut Vec<i32>) {
        let mut block = vec![0.0; frames * usize::from(self.report.channels)];
        if let Some(sound) = &mut self.sound
            && let Err(error) = sound.read(&mut block)
        {
            let at = to_f64(done) / f64::from(SAMPLE_RATE);
            self.report.problems.push(format!("It cannot be read from {at:.1} s on: {error}."));
            self.report.add_coverage(sound.coverage());
            self.sound = None;
        }
        quantise_all(&block, samples);
    }
}

/// What goes into the archive.
struct Files {
    /// In the order of the stems.
    encoded: Vec<Option<Encoded>>,
    click: Option<Encoded>,
    mix: Option<Encoded>,
}

fn open_all(take: &Take, grid: Grid, host: &mut dyn Host) -> Result<Vec<Open>, ExportError> {
    let interpolator = Interpolator::new();
    let mut opened = Vec::new();
    for (at, entry) in take.stems.iter().enumerate() {
        tell(host, READ_PART * part(at, take.stems.len()))?;
        let title = names::title(&entry.participant, &entry.label);
        let mut report = report::begin(entry, title);
        let sound = match open(at, grid, host, &interpolator, &mut report) {
            Ok(Some(sound)) => Some(sound),
            Ok(None) => {
                report.problems.push("It never arrived.".to_owned());
                None
            }
            Err(error) => {
                report.problems.push(format!("It cannot be read: {error}."));
                None
            }
        };
        if let Some(sound) = &sound {
            report.file = Some(names::stem_file(at + 1, &report.title));
            report.channels = u8::try_from(sound.channels()).expect("one or two");
        }
        opened.push(Open { report, sound });
    }
    Ok(opened)
}

fn open(
    stem: usize,
    grid: Grid,
    host: &mut dyn Host,
    interpolator: &Interpolator,
    report: &mut StemReport,
) -> Result<Option<AlignedStem<Box<dyn Read>>>, ReadError> {
    let Some(input) = host.open(stem)? else { return Ok(None) };
    let timeline = Timeline::read(input, grid.start)?;
    report.add_timeline(&timeline);
    let Some(input) = host.open(stem)? else { return Ok(None) };
    AlignedStem::open(input, timeline, grid, interpolator).map(Some)
}

type AllEncoded = (Vec<Option<Encoded>>, Option<Encoded>, Option<(Encoded, f64)>);

/// Encodes all stems, the click and the mix, block by block.
fn encode_all(
    take: &Take,
    grid: Grid,
    stems: &mut [Open],
    host: &mut dyn Host,
) -> Result<AllEncoded, ExportError> {
    let mut files = Vec::new();
    for stem in stems.iter() {
        files.push(match stem.sound {
            Some(_) => Some(FlacFile::new(stem.report.channels, scratch(host)?)),
            None => None,
        });
    }
    let has_click = beats(take).next().is_some();
    let mut click = if has_click { Some(FlacFile::new(1, scratch(host)?)) } else { None };
    let mut clicks = Click::new(beats(take));
    let channels = stems.iter().map(|stem| stem.report.channels).max().unwrap_or(0);
    let mut mix = if 0 < channels { Some(Mix::new(channels, scratch(host)?)) } else { None };

    let mut samples = Vec::new();
    let mut done = 0;
    while done < grid.frames {
        tell(host, READ_PART + ENCODE_PART * to_f64(done) / to_f64(grid.frames))?;
        let frames = usize::try_from((grid.frames - done).min(BLOCK_FRAMES)).expect("a block");
        for (stem, file) in stems.iter_mut().zip(&mut files) {
            let Some(file) = file else { continue };
            stem.read(frames, done, &mut samples);
            file.write(&samples).map_err(ExportError::Scratch)?;
            if let Some(mix) = &mut mix {
                mix.add(&samples, stem.report.channels);
            }
        }
        if let Some(click) = &mut click {
            let mut block = vec![0.0; frames];
            clicks.render(&mut block);
            quantise_all(&block, &mut samples);
            click.write(&samples).map_err(ExportError::Scratch)?;
        }
        if let Some(mix) = &mut mix {
            mix.write(frames).map_err(ExportError::Scratch)?;
        }
        done += to_u64(frames);
    }

    for stem in stems.iter_mut() {
        if let Some(sound) = &stem.sound {
            stem.report.add_coverage(sound.coverage());
        }
    }
    let mut encoded = Vec::new();
    for (stem, file) in stems.iter().zip(files) {
        let finish = |file: FlacFile| file.finish(&stem.report.title);
        encoded.push(file.map(finish).transpose().map_err(ExportError::Scratch)?);
    }
    let click = click.map(|file| file.finish("Click")).transpose().map_err(ExportError::Scratch)?;
    let mix = match mix {
        Some(mix) => {
            let file = FlacFile::new(channels, scratch(host)?);
            Some(mix.finish(grid.frames, file, |done| {
                tell(host, READ_PART + ENCODE_PART + MIX_PART * done)
            })?)
        }
        None => None,
    };
    Ok((encoded, click, mix))
}

/// Writes the archive.
fn pack(
    take: &Take,
    report: &Report,
    files: Files,
    host: &mut dyn Host,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let folder = names::folder(&take.title);
    let place = |name: &str| format!("{folder}/{name}");
    let mut archive = Archive::new(io::BufWriter::new(out), Date::of(take.start));
    let mut tracks = Vec::new();
    for stem in &report.stems {
        if let Some(file) = &stem.file {
            tracks.push(ProjectTrack {
                title: stem.title.clone(),
                file: file.clone(),
                channels: stem.channels,
                is_muted: false,
            });
        }
    }
    if files.click.is_some() {
        let (title, file) = ("Click".to_owned(), CLICK.to_owned());
        tracks.push(ProjectTrack { title, file, channels: 1, is_muted: true });
    }
    let texts = [
        ("README.txt", readme(take, report).into_bytes()),
        ("Markers.txt", markers(take).into_bytes()),
        ("Take.rpp", rpp(take, &tracks).into_bytes()),
        ("Take.dawproject", dawproject(take, &tracks)),
    ];
    for (name, content) in &texts {
        archive.add(&place(name), content).map_err(ExportError::Output)?;
    }
    let stems = report.stems.iter().zip(files.encoded);
    let stems = stems.filter_map(|(stem, encoded)| Some((stem.file.clone()?, encoded?)));
    let all: Vec<(String, Encoded)> = stems
        .chain(files.click.map(|click| (CLICK.to_owned(), click)))
        .chain(files.mix.map(|mix| ("Mix.flac".to_owned(), mix)))
        .collect();
    let count = all.len();
    for (at, (name, encoded)) in all.into_iter().enumerate() {
        let done = READ_PART + ENCODE_PART + MIX_PART + PACK_PART * part(at, count);
        let mut is_cancelled = false;
        let stored = encoded.store(&place(&name), &mut archive, || {
            is_cancelled |= host.progress(done).is_break();
            if is_cancelled { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
        });
        if is_cancelled {
            return Err(ExportError::Cancelled);
        }
        stored.map_err(ExportError::Output)?;
    }
    archive.finish().map_err(ExportError::Output)?;
    tell(host, 1.0)
}

/// Labels of Audacity: from, to, what.
fn markers(take: &Take) -> String {
    let placed = take.placed_markers();
    placed
        .iter()
        .map(|(at, text)| format!("{0}\t{0}\t{1}\n", seconds(*at), names::line(text)))
        .collect()
}

fn quantise_all(block: &[f32], samples: &mut Vec<i32>) {
    samples.clear();
    samples.extend(block.iter().copied().map(quantise));
}

fn scratch(host: &mut dyn Host) -> Result<Box<dyn Scratch>, ExportError> {
    host.scratch().map_err(ExportError::Scratch)
}

fn tell(host: &mut dyn Host, done: f64) -> Result<(), ExportError> {
    match host.progress(done) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ExportError::Cancelled),
    }
}

fn part(at: usize, of: usize) -> f64 {
    to_f64(to_u64(at)) / to_f64(to_u64(of.max(1)))
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).expect("usize has at most 64 bits")
}

const CLICK: &str = "Click.flac";
/// Frames that are worked on at once.
const BLOCK_FRAMES: u64 = 16_384;
/// How the time is shared: most of it is for decoding, aligning and encoding stems.
const READ_PART: f64 = 0.05;
const ENCODE_PART: f64 = 0.75;
const MIX_PART: f64 = 0.1;
const PACK_PART: f64 = 0.1;
