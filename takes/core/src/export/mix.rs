//! The mix: all stems together.

use std::io::{self, Read, Seek, Write};

use super::driver::{ExportError, Scratch};
use super::flac_file::{Encoded, FlacFile};
use crate::align::to_f64;

/// All stems together, as whole numbers until it is known how loud that is.
pub(super) struct Mix {
    channels: usize,
    block: Vec<i32>,
    scratch: io::BufWriter<Box<dyn Scratch>>,
    peak: i32,
}

impl Mix {
    pub(super) fn new(channels: u8, scratch: Box<dyn Scratch>) -> Self {
        let scratch = io::BufWriter::new(scratch);
        Self { channels: channels.into(), block: Vec::new(), scratch, peak: 0 }
    }

    /// Adds a block of one stem; one channel goes to both.
    pub(super) fn add(&mut self, samples: &[i32], channels: u8) {
        let channels = usize::from(channels);
        let frames = samples.len() / channels;
        self.block.resize(frames * self.channels, 0);
        for (mixed, frame) in
            self.block.chunks_exact_mut(self.channels).zip(samples.chunks_exact(channels))
        {
            for (at, mixed) in mixed.iter_mut().enumerate() {
                // 64 stems of 24 bits are 30 bits.
                *mixed += frame[at.min(channels - 1)];
            }
        }
    }

    /// Puts the block away.
    pub(super) fn write(&mut self, frames: usize) -> io::Result<()> {
        self.block.resize(frames * self.channels, 0);
        for sample in &self.block {
            self.peak = self.peak.max(sample.abs());
            self.scratch.write_all(&sample.to_le_bytes())?;
        }
        self.block.clear();
        Ok(())
    }

    /// Encodes what was put away, as loud as it may be; says by how many dB it was turned down. `tell` hears how far
    /// that is, and may end it.
    pub(super) fn finish(
        self,
        frames: u64,
        mut file: FlacFile,
        mut tell: impl FnMut(f64) -> Result<(), ExportError>,
    ) -> Result<(Encoded, f64), ExportError> {
        let peak = f64::from(self.peak);
        let gain = if PEAK_MAX < peak { PEAK_MAX / peak } else { 1.0 };
        let failed = ExportError::Scratch;
        let mut mixed = self.scratch.into_inner().map_err(|error| failed(error.into_error()))?;
        mixed.rewind().map_err(failed)?;
        let mut mixed = io::BufReader::new(mixed);
        let mut samples = Vec::new();
        let mut done = 0;
        while done < frames {
            tell(to_f64(done) / to_f64(frames))?;
            let now = (frames - done).min(BLOCK_FRAMES);
            let count = usize::try_from(now).expect("a block") * self.channels;
            samples.clear();
            for _ in 0..count {
                let mut bytes = [0; 4];
                mixed.read_exact(&mut bytes).map_err(failed)?;
                samples.push(turned(i32::from_le_bytes(bytes), gain));
            }
            file.write(&samples).map_err(failed)?;
            done += now;
        }
        let encoded = file.finish("Mix").map_err(failed)?;
        Ok((encoded, 20.0 * gain.log10()))
    }
}

/// A sample at another level.
#[expect(clippy::cast_possible_truncation, reason = "the gain keeps it within 24 bits")]
fn turned(sample: i32, gain: f64) -> i32 {
    (f64::from(sample) * gain).round() as i32
}

/// What may be reached, of 24 bits: 0.1 dB below all.
const PEAK_MAX: f64 = 8_388_607.0 * 0.9886;
/// Frames that are worked on at once.
const BLOCK_FRAMES: u64 = 16_384;
