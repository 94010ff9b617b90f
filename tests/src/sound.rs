//! Sound in memory: the music that tests play, WAV files in and out, and signals made on the spot.
//!
//! What surprises: everything is 48 kHz. A file at another rate is an error, because a test that
//! resampled would no longer compare sample by sample.

use std::f32::consts::TAU;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// Frames per second of every sound here.
pub const RATE_HZ: usize = 48_000;

/// The tracks in `tests/music`, the pieces one after the other.
pub const MUSIC: [&str; 9] = include!("../music/tracks.in");

/// Samples between -1 and 1, one row for each channel, all rows equally long.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    /// At least one channel.
    pub channels: Vec<Vec<f32>>,
}

impl Sound {
    /// One channel.
    #[must_use]
    pub fn mono(samples: Vec<f32>) -> Self {
        Self { channels: vec![samples] }
    }

    /// A track of [`MUSIC`].
    pub fn music(track: &str) -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("music");
        Self::read_flac(&folder.join(format!("{track}.flac")))
    }

    /// Reads a FLAC file.
    pub fn read_flac(path: &Path) -> Result<Self> {
        let mut reader =
            claxon::FlacReader::open(path).with_context(|| format!("opening {path:?}"))?;
        let info = reader.streaminfo();
        ensure!(info.sample_rate as usize == RATE_HZ, "{path:?} is at {} Hz", info.sample_rate);
        let full_scale = f64::from(1_u32 << (info.bits_per_sample - 1));
        let samples = reader.samples().collect::<Result<Vec<_>, _>>()?;
        let samples = samples.into_iter().map(|sample| to_f32(f64::from(sample) / full_scale));
        Ok(Self::from_interleaved(samples, info.channels as usize))
    }

    /// Reads a WAV file of 16, 24 or 32 bits, or 32-bit floats.
    ///
    /// A file whose writer was killed is read up to where it ends, whatever its header promises.
    pub fn read_wav(path: &Path) -> Result<Self> {
        let mut reader =
            hound::WavReader::open(path).with_context(|| format!("opening {path:?}"))?;
        let spec = reader.spec();
        ensure!(spec.sample_rate as usize == RATE_HZ, "{path:?} is at {} Hz", spec.sample_rate);
        let samples: Vec<f32> = match (spec.sample_format, spec.bits_per_sample) {
            (hound::SampleFormat::Float, 32) => {
                reader.samples::<f32>().map_while(Result::ok).collect()
            }
            (hound::SampleFormat::Int, bits @ (16 | 24 | 32)) => {
                let full_scale = f64::from(1_u32 << (bits - 1));
                let samples = reader.samples::<i32>().map_while(Result::ok);
                samples.map(|sample| to_f32(f64::from(sample) / full_scale)).collect()
            }
            (format, bits) => bail!("{path:?} has {bits} bits of {format:?}"),
        };
        Ok(Self::from_interleaved(samples.into_iter(), usize::from(spec.channels)))
    }

    /// Writes a 16-bit WAV file, clipped at full scale.
    pub fn write_wav(&self, path: &Path) -> Result<()> {
        let spec = hound::WavSpec {
            channels: u16::try_from(self.channels.len())?,
            sample_rate: u32::try_from(RATE_HZ)?,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer =
            hound::WavWriter::create(path, spec).with_context(|| format!("creating {path:?}"))?;
        for frame in 0..self.frames() {
            for channel in &self.channels {
                writer.write_sample(to_i16(channel[frame]))?;
            }
        }
        writer.finalize()?;
        Ok(())
    }

    /// Frames.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.channels[0].len()
    }

    /// The channels' mean.
    #[must_use]
    pub fn to_mono(&self) -> Vec<f32> {
        let share = 1.0 / self.channels.len() as f32;
        (0..self.frames())
            .map(|frame| self.channels.iter().map(|channel| channel[frame]).sum::<f32>() * share)
            .collect()
    }

    /// The sound over and over until it is `frames` long.
    #[must_use]
    pub fn looped(&self, frames: usize) -> Self {
        let repeat = |channel: &Vec<f32>| channel.iter().copied().cycle().take(frames).collect();
        Self { channels: self.channels.iter().map(repeat).collect() }
    }

    fn from_interleaved(samples: impl Iterator<Item = f32>, channels: usize) -> Self {
        let mut rows = vec![Vec::new(); channels];
        for (i, sample) in samples.enumerate() {
            rows[i % channels].push(sample);
        }
        let frames = rows.last().map_or(0, Vec::len);
        rows.iter_mut().for_each(|row| row.truncate(frames));
        Self { channels: rows }
    }
}

/// A sine of the given peak.
#[must_use]
pub fn sine(hz: f32, peak: f32, frames: usize) -> Vec<f32> {
    let turns = |frame: usize| (frame as f64 * f64::from(hz) / RATE_HZ as f64).fract();
    (0..frames).map(|frame| peak * (TAU * to_f32(turns(frame))).sin()).collect()
}

/// Chirps from 300 Hz to 8 kHz, 40 ms each, one every `every_frames`, silence between.
///
/// Short, broad and unlike its own echo: it lines up in one place only, to the sample.
#[must_use]
pub fn chirps(every_frames: usize, frames: usize) -> Vec<f32> {
    const LEN: usize = 1920;
    let chirp = |i: usize| {
        let t = i as f32 / LEN as f32;
        let fade = (t * std::f32::consts::PI).sin();
        let seconds = LEN as f32 / RATE_HZ as f32;
        0.5 * fade * (TAU * seconds * (300.0 * t + 0.5 * 7_700.0 * t * t)).sin()
    };
    (0..frames)
        .map(|frame| frame % every_frames)
        .map(|i| if i < LEN { chirp(i) } else { 0.0 })
        .collect()
}

#[expect(clippy::cast_possible_truncation, reason = "samples need no more than 24 bits")]
fn to_f32(sample: f64) -> f32 {
    sample as f32
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i16")]
fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_track_of_the_music_is_ten_seconds_of_sound() {
        for track in MUSIC {
            let sound = Sound::music(track).expect("the track is in tests/music");
            assert_eq!(sound.frames(), 10 * RATE_HZ, "{track}");
            let samples = sound.to_mono();
            let power = samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32;
            assert!(power.sqrt() > 0.02, "{track} is nearly silent");
        }
    }

    #[test]
    fn a_wav_file_keeps_sixteen_bits() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.wav");
        let sound = Sound { channels: vec![sine(440.0, 0.5, 1000), sine(660.0, 0.5, 1000)] };
        sound.write_wav(&path).expect("written");
        let read = Sound::read_wav(&path).expect("read");
        assert_eq!((read.channels.len(), read.frames()), (2, 1000));
        let worst = |a: &[f32], b: &[f32]| {
            a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0_f32, f32::max)
        };
        assert!(worst(&read.channels[1], &sound.channels[1]) < 1.0 / 32_000.0);
    }
}
