//! WAV files as the session wants them: planar floats at 48 kHz, one or two channels.
//!
//! Written files are 32-bit float stereo, and their header is made true again every time they are
//! flushed, so that a killed process leaves a file that plays. No resampling: a file at another
//! rate is refused with the command that converts it.

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
        Ok(Self { path: path.to_owned(), reader, spec })
    }

    /// Appends up to `frames` frames to `out` as interleaved pairs (a mono file's sample twice);
    /// gives how many there were, less than asked only at the end.
    pub(super) fn read_pairs(
        &mut self,
        frames: usize,
        out: &mut Vec<[f32; 2]>,
    ) -> Result<usize, AudioError> {
        let samples = frames * usize::from(self.spec.channels);
        let result: hound::Result<Vec<f32>> = match self.spec.sample_format {
            SampleFormat::Float => self.reader.samples::<f32>().take(samples).collect(),
            SampleFormat::Int => {
                let scale = 1.0 / (1_u64 << (self.spec.bits_per_sample - 1)) as f32;
                let samples = self.reader.samples::<i32>().take(samples);
                samples.map(|sample| sample.map(|sample| sample as f32 * scale)).collect()
            }
        };
        let samples = result.map_err(|error| AudioError::File {
            path: self.path.clone(),
            reason: describe(error),
        })?;
        let before = out.len();
        if self.spec.channels == 1 {
            out.extend(samples.iter().map(|sample| [*sample; 2]));
        } else {
            out.extend(samples.as_chunks::<2>().0);
        }
        Ok(out.len() - before)
    }
}

/// A WAV file that is written from start to end: 32-bit float, stereo, 48 kHz.
pub(super) struct WavOutput {
    path: PathBuf,
    writer: WavWriter<BufWriter<fs::File>>,
}

impl WavOutput {
    /// Makes the file, replacing one that is there.
    pub(super) fn create(path: &Path) -> Result<Self, AudioError> {
        let spec = WavSpec {
            channels: 2,
            sample_rate: SampleRate::WIRE.as_hz(),
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        let mut writer = WavWriter::create(path, spec).map_err(|error| write_error(path, error))?;
        writer.flush().map_err(|error| write_error(path, error))?;
        Ok(Self { path: path.to_owned(), writer })
    }

    /// Appends frames.
    pub(super) fn write_pairs(&mut self, frames: &[[f32; 2]]) -> Result<(), AudioError> {
        for sample in frames.as_flattened() {
            self.writer.write_sample(*sample).map_err(|error| write_error(&self.path, error))?;
        }
        Ok(())
    }

    /// Puts what was written on disk, with a header that says so.
    pub(super) fn flush(&mut self) -> Result<(), AudioError> {
        self.writer.flush().map_err(|error| write_error(&self.path, error))
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
        while input.read_pairs(3, &mut frames)? == 3 {}
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
}
