//! WAV files as the session wants them: planar floats at 48 kHz, one or two channels.
//!
//! Written files are 32-bit float stereo, and their header is made true again every time they are
//! flushed, so that a killed process leaves a file that plays. No resampling: a file at another
//! rate is refused with the command that converts it. What surprises: a file that was cut off is
//! played as far as it goes, because most recordings that a crash left behind are.

use std::fs;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use protocol::units::SampleRate;

use super::AudioError;

/// A WAV file that is read from start to end.
pub(super) struct WavInput {
    path: PathBuf,
    reader: WavReader<BufReader<fs::File>>,
    spec: WavSpec,
    cut_off: Option<String>,
}

impl WavInput {
    /// Opens a file and checks that it can be played: 16, 24 or 32-bit integers or 32-bit floats,
    /// one or two channels, 48 kHz.
    pub(super) fn open(path: &Path) -> Result<Self, AudioError> {
        let refuse = |reason: String| AudioError::File { path: path.to_owned(), reason };
        let reader = WavReader::open(path).map_err(|error| refuse(describe(error)))?;
        let spec = reader.spec();
        if spec.sample_rate != SampleRate::WIRE.as_hz() {
            let name = path.display();
            return Err(AudioError::Rate {
                what: name.to_string(),
                rate_hz: spec.sample_rate,
                cure: format!("Convert it: `sox {name} -r 48000 48k.wav`."),
            });
        }
        if !(1..=2).contains(&spec.channels) {
            return Err(refuse(format!("it has {} channels, not 1 or 2", spec.channels)));
        }
        match (spec.sample_format, spec.bits_per_sample) {
            (SampleFormat::Int, 16 | 24 | 32) | (SampleFormat::Float, 32) => {}
            (format, bits) => {
                let reason = format!(
                    "{bits}-bit {format:?} samples are not read; 16, 24, 32-bit \
                                      integers and 32-bit floats are"
                );
                return Err(refuse(reason));
            }
        }
        Ok(Self { path: path.to_owned(), reader, spec, cut_off: None })
    }

    /// Appends up to `frames` frames to `out` as interleaved pairs (a mono file's sample twice);
    /// gives how many there were, less than asked only at the end.
    pub(super) fn read_pairs(&mut self, frames: usize, out: &mut Vec<[f32; 2]>) -> usize {
        match self.spec.sample_format {
            SampleFormat::Float => self.read_scaled::<f32>(frames, out, |sample| sample),
            SampleFormat::Int => {
                let scale = 1.0 / (1_u64 << (self.spec.bits_per_sample - 1)) as f32;
                self.read_scaled::<i32>(frames, out, |sample| sample as f32 * scale)
            }
        }
    }

    /// Why the file ended before its header said so.
    pub(super) fn cut_off(&self) -> Option<&str> {
        self.cut_off.as_deref()
    }

    fn read_scaled<S: hound::Sample>(
        &mut self,
        frames: usize,
        out: &mut Vec<[f32; 2]>,
        to_float: impl Fn(S) -> f32,
    ) -> usize {
        if self.cut_off.is_some() {
            return 0;
        }
        let mut samples = self.reader.samples::<S>();
        for read in 0..frames {
            let left = samples.next();
            let right = if self.spec.channels == 2 { samples.next() } else { None };
            let (left, right) = match (left, right) {
                (Some(Ok(left)), None) if self.spec.channels == 1 => {
                    let left = to_float(left);
                    (left, left)
                }
                (Some(Ok(left)), Some(Ok(right))) => (to_float(left), to_float(right)),
                (Some(Err(error)), _) | (_, Some(Err(error))) => {
                    let name = self.path.display();
                    self.cut_off = Some(format!("{name} is cut off: {}", describe(error)));
                    return read;
                }
                (None | Some(Ok(_)), None) | (None, Some(Ok(_))) => return read,
            };
            out.push([left, right]);
        }
        frames
    }
}

/// A WAV file that is written from start to end: 32-bit float, stereo, 48 kHz.
pub(super) struct WavOutput {
    path: PathBuf,
    writer: WavWriter<BufWriter<fs::File>>,
    room_frames: usize,
}

/// Whether a file takes more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// It does.
    Left,
    /// It has as much as its format can tell of.
    Full,
}

impl WavOutput {
    /// Makes the file, replacing one that is there.
    pub(super) fn create(path: &Path) -> Result<Self, AudioError> {
        let file = fs::File::create(path).map_err(|error| write_error(path, error.into()))?;
        let mut output = Self::over(file, path)?;
        output.flush()?;
        Ok(output)
    }

    /// Writes to a file that is open; nothing is on disk before [`Self::flush`].
    pub(super) fn over(file: fs::File, path: &Path) -> Result<Self, AudioError> {
        let spec = WavSpec {
            channels: 2,
            sample_rate: SampleRate::WIRE.as_hz(),
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        let writer = WavWriter::new(BufWriter::new(file), spec);
        let writer = writer.map_err(|error| write_error(path, error))?;
        Ok(Self { path: path.to_owned(), writer, room_frames: FRAMES_MAX })
    }

    /// Appends frames, as far as there is room for them.
    pub(super) fn write_pairs(&mut self, frames: &[[f32; 2]]) -> Result<Room, AudioError> {
        let taken = frames.len().min(self.room_frames);
        for sample in frames[..taken].as_flattened() {
            self.writer.write_sample(*sample).map_err(|error| write_error(&self.path, error))?;
        }
        self.room_frames -= taken;
        Ok(if self.room_frames == 0 { Room::Full } else { Room::Left })
    }

    /// Puts what was written on disk, with a header that says so.
    pub(super) fn flush(&mut self) -> Result<(), AudioError> {
        self.writer.flush().map_err(|error| write_error(&self.path, error))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves room for so many frames only.
    #[cfg(test)]
    pub(super) fn limit(&mut self, frames: usize) {
        self.room_frames = frames;
    }
}

fn write_error(path: &Path, error: hound::Error) -> AudioError {
    AudioError::File { path: path.to_owned(), reason: describe(error) }
}

fn describe(error: hound::Error) -> String {
    match error {
        hound::Error::IoError(error) => error.to_string(),
        hound::Error::FormatError(reason) => format!("not a WAV file that can be read: {reason}"),
        hound::Error::Unsupported => "a kind of WAV file that is not read".to_owned(),
        other @ (hound::Error::TooWide
        | hound::Error::UnfinishedSample
        | hound::Error::InvalidSampleFormat) => other.to_string(),
    }
}

/// Frames in the longest file that is written: 3 h 6 min. A WAV file counts its bytes in 32 bits,
/// the header's among them, and hound does not look whether they overflow.
const FRAMES_MAX: usize = (u32::MAX as usize - HEADER_BYTES_MAX) / FRAME_BYTES;

/// More than any header that hound writes.
const HEADER_BYTES_MAX: usize = 128;

/// Two floats.
const FRAME_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::scratch::Scratch;

    fn write<S: hound::Sample + Copy>(path: &Path, spec: WavSpec, samples: &[S]) {
        let mut writer = WavWriter::create(path, spec).expect("a file in a folder of ours");
        for sample in samples {
            writer.write_sample(*sample).expect("the sample fits the format");
        }
        writer.finalize().expect("the disk is not full");
    }

    fn spec(channels: u16, bits_per_sample: u16, sample_format: SampleFormat) -> WavSpec {
        WavSpec { channels, sample_rate: 48_000, bits_per_sample, sample_format }
    }

    fn read_all(path: &Path) -> Result<Vec<[f32; 2]>, AudioError> {
        let mut input = WavInput::open(path)?;
        let mut frames = Vec::new();
        while input.read_pairs(3, &mut frames) == 3 {}
        Ok(frames)
    }

    #[test]
    fn every_format_reads_as_the_same_floats() {
        let scratch = Scratch::new();
        let path = scratch.path("in.wav");
        let expected = [[0.5, -1.0], [0.0, 0.25]];
        write(&path, spec(2, 16, SampleFormat::Int), &[16_384, -32_768, 0, 8_192]);
        assert_eq!(read_all(&path).expect("16 bit"), expected);
        write(&path, spec(2, 24, SampleFormat::Int), &[1 << 22, -(1 << 23), 0, 1 << 21]);
        assert_eq!(read_all(&path).expect("24 bit"), expected);
        write(&path, spec(2, 32, SampleFormat::Int), &[1 << 30, i32::MIN, 0, 1 << 29]);
        assert_eq!(read_all(&path).expect("32 bit"), expected);
        write(&path, spec(2, 32, SampleFormat::Float), &[0.5_f32, -1.0, 0.0, 0.25]);
        assert_eq!(read_all(&path).expect("float"), expected);
        write(&path, spec(1, 16, SampleFormat::Int), &[16_384, -32_768]);
        assert_eq!(read_all(&path).expect("mono"), [[0.5, 0.5], [-1.0, -1.0]]);
    }

    #[test]
    fn what_cannot_be_played_is_refused_with_a_reason() {
        let scratch = Scratch::new();
        let path = scratch.path("in.wav");
        let check = |part: &str| {
            let error = read_all(&path).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        };
        check("No such file");
        fs::write(&path, b"RIFF....").expect("a file in a folder of ours");
        check("in.wav");
        let rate = WavSpec { sample_rate: 44_100, ..spec(1, 16, SampleFormat::Int) };
        write(&path, rate, &[0; 4]);
        check("44100 Hz, vjam needs 48000 Hz. Convert it");
        write(&path, spec(3, 16, SampleFormat::Int), &[0; 3]);
        check("3 channels");
        write(&path, spec(1, 8, SampleFormat::Int), &[0; 3]);
        check("8-bit");
    }

    #[test]
    fn a_flushed_file_is_whole_although_it_was_never_closed() {
        let scratch = Scratch::new();
        let path = scratch.path("out.wav");
        let mut output = WavOutput::create(&path).expect("a file in a folder of ours");
        assert_eq!(read_all(&path).expect("empty, but a WAV file"), [[0.0; 2]; 0]);
        output.write_pairs(&[[0.1, 0.2], [0.3, 0.4]]).expect("the disk is not full");
        output.flush().expect("the disk is not full");
        assert_eq!(read_all(&path).expect("whole"), [[0.1, 0.2], [0.3, 0.4]]);
        core::mem::forget(output);
        assert_eq!(read_all(&path).expect("still whole"), [[0.1, 0.2], [0.3, 0.4]]);
    }

    #[test]
    fn a_file_that_was_cut_off_is_played_as_far_as_it_goes() {
        let scratch = Scratch::new();
        let path = scratch.path("in.wav");
        let samples: Vec<i16> = (0..200).collect();
        write(&path, spec(2, 16, SampleFormat::Int), &samples);
        let whole = fs::read(&path).expect("it was written");
        let all = read_all(&path).expect("whole");
        let header_bytes = whole.len() - 2 * samples.len();
        for len in header_bytes..whole.len() {
            fs::write(&path, &whole[..len]).expect("a file in a folder of ours");
            let mut input = WavInput::open(&path).expect("the header is whole");
            let mut frames = Vec::new();
            while input.read_pairs(7, &mut frames) == 7 {}
            assert_eq!(frames, all[..(len - header_bytes) / 4], "{len} bytes");
            let reason = input.cut_off().expect("it is said");
            assert!(reason.contains("in.wav is cut off"), "{reason}");
            assert_eq!(input.read_pairs(7, &mut frames), 0, "and it stays at its end");
        }
    }

    #[test]
    fn a_full_disk_is_an_error_and_a_full_file_is_not() {
        let path = Path::new("/dev/full");
        let error = WavOutput::create(path).err().expect("it has no room").to_string();
        assert_eq!(error, "/dev/full: No space left on device (os error 28)");
        let scratch = Scratch::new();
        let path = scratch.path("out.wav");
        let mut output = WavOutput::create(&path).expect("a file in a folder of ours");
        output.limit(3);
        assert_eq!(output.write_pairs(&[[0.5; 2]; 2]).expect("room"), Room::Left);
        assert_eq!(output.write_pairs(&[[0.25; 2]; 2]).expect("room"), Room::Full);
        assert_eq!(output.write_pairs(&[[0.25; 2]; 2]).expect("left out"), Room::Full);
        output.flush().expect("room");
        assert_eq!(read_all(&path).expect("whole"), [[0.5; 2], [0.5; 2], [0.25; 2]]);
    }

    #[test]
    fn the_longest_file_is_still_told_of_in_32_bits() {
        let bytes = FRAMES_MAX * FRAME_BYTES + HEADER_BYTES_MAX;
        assert!(u32::try_from(bytes).is_ok() && 3 * 3600 < FRAMES_MAX / 48_000);
    }

    /// Damaged and hostile files: every byte of the header takes odd values, then everything is
    /// mixed up by a seeded generator.
    #[test]
    fn no_file_makes_the_reader_panic() {
        let scratch = Scratch::new();
        let path = scratch.path("in.wav");
        let mut seeds = Vec::new();
        write(&path, spec(2, 16, SampleFormat::Int), &[1, 2, 3, 4, 5, 6]);
        seeds.push(fs::read(&path).expect("it was written"));
        write(&path, spec(1, 24, SampleFormat::Int), &[1, 2, 3]);
        seeds.push(fs::read(&path).expect("it was written"));
        write(&path, spec(2, 32, SampleFormat::Float), &[0.1_f32, 0.2, 0.3, 0.4]);
        seeds.push(fs::read(&path).expect("it was written"));
        let try_bytes = |bytes: &[u8]| {
            fs::write(&path, bytes).expect("a file in a folder of ours");
            let Ok(mut input) = WavInput::open(&path) else { return 0 };
            let mut frames = Vec::new();
            while input.read_pairs(64, &mut frames) == 64 && frames.len() < 4096 {}
            frames.len()
        };
        let mut played = 0;
        for seed in &seeds {
            for at in 0..seed.len() {
                for value in [0, 1, 2, 3, 7, 8, 15, 16, 24, 32, 40, 64, 0x7f, 0x80, 0xff] {
                    let mut bytes = seed.clone();
                    bytes[at] = value;
                    played += try_bytes(&bytes);
                }
                played += try_bytes(&seed[..at]);
            }
        }
        let mut state = 1_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(state >> 33).expect("31 bits") % below
        };
        for _ in 0..3000 {
            let mut bytes = seeds[random(seeds.len())].clone();
            for _ in 0..=random(6) {
                let (at, value) = (random(bytes.len()), random(256));
                bytes[at] = u8::try_from(value).expect("below 256");
            }
            bytes.truncate(1 + random(bytes.len()));
            played += try_bytes(&bytes);
        }
        assert!(0 < played, "some of them still play");
    }
}
