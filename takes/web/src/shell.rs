//! A stem's writer with the buffers through which JavaScript exchanges samples and bytes with it.
//!
//! Decides nothing: lengths are checked, numbers become types, and the package `takes` does the rest.

use protocol::time::RoomTime;
use sha2::{Digest, Sha256};
use takes::stem::{Ending, Header, HeaderRefused, Summary, Writer};
use takes::{MalformedId, StemId, TakeId};
use thiserror::Error;

/// Bytes of the buffer in: more than the longest render quantum of two channels, and a good piece of a file.
pub(crate) const INPUT_BYTES: usize = 128 * 1024;
/// Bytes of a SHA-256.
pub(crate) const SHA256_BYTES: usize = 32;

/// Why a call was not carried out; JavaScript sees only that it was not.
#[derive(Debug, PartialEq, Error)]
pub(crate) enum ShellError {
    /// More than the buffer holds.
    #[error("{0} bytes are more than the buffer holds")]
    MisuseLength(usize),
    /// Nothing was opened.
    #[error("no stem is open")]
    NotOpen,
    /// The five lines that say whose stem it is.
    #[error("the stem's description is not five lines of text")]
    MalformedText,
    /// The ids in them.
    #[error(transparent)]
    Id(#[from] MalformedId),
    /// From the package `takes`.
    #[error(transparent)]
    Header(#[from] HeaderRefused),
}

/// See the module.
pub(crate) struct Shell {
    input: Vec<u8>,
    samples: Vec<f32>,
    output: Vec<u8>,
    channels: usize,
    writer: Option<Writer>,
    sha256: Sha256,
    digest: [u8; SHA256_BYTES],
}

impl Default for Shell {
    fn default() -> Self {
        Self {
            input: vec![0; INPUT_BYTES],
            samples: Vec::new(),
            output: Vec::new(),
            channels: 1,
            writer: None,
            sha256: Sha256::new(),
            digest: [0; SHA256_BYTES],
        }
    }
}

impl Shell {
    /// The buffer in.
    pub(crate) fn input_mut(&mut self) -> &mut [u8] {
        &mut self.input
    }

    /// What is to be appended to the file since [`Self::clear_output`].
    pub(crate) fn output(&self) -> &[u8] {
        &self.output
    }

    /// Forgets what was appended to the file.
    pub(crate) fn clear_output(&mut self) {
        self.output.clear();
    }

    /// Opens the stem that the first `bytes` of the buffer describe in five lines: take, stem, label, name of the
    /// participant, channels. `runs_begun` is 0 for a new one, which begins with its header.
    pub(crate) fn open(&mut self, bytes: usize, runs_begun: u32) -> Result<(), ShellError> {
        let text = self.input.get(..bytes).ok_or(ShellError::MisuseLength(bytes))?;
        let text = core::str::from_utf8(text).map_err(|_| ShellError::MalformedText)?;
        let lines: Vec<&str> = text.split('\n').collect();
        let &[take, stem, label, participant, channels] = &lines[..] else {
            return Err(ShellError::MalformedText);
        };
        let header = Header {
            take: take.parse::<TakeId>()?,
            stem: stem.parse::<StemId>()?,
            participant: participant.to_owned(),
            label: label.to_owned(),
            channels: channels.parse().map_err(|_| ShellError::MalformedText)?,
        };
        self.channels = usize::from(header.channels);
        self.output.clear();
        // The header is checked either way.
        let new = Writer::new(&header, &mut self.output)?;
        self.writer = Some(if runs_begun == 0 {
            new
        } else {
            self.output.clear();
            Writer::resume(&Summary {
                header,
                runs: Vec::new(),
                runs_begun,
                ending: Ending::Open,
                damaged_bytes: 0,
            })
        });
        Ok(())
    }

    /// Begins a run, whose frames count anew.
    pub(crate) fn begin_run(&mut self) -> Result<(), ShellError> {
        let writer = self.writer.as_mut().ok_or(ShellError::NotOpen)?;
        writer.begin_run(&mut self.output);
        Ok(())
    }

    /// Takes so many frames, f32 and interleaved, which begin at that byte of the buffer.
    pub(crate) fn audio(
        &mut self,
        first_frame: f64,
        at: usize,
        frames: usize,
    ) -> Result<(), ShellError> {
        let bytes = frames.saturating_mul(4 * self.channels);
        let end = at.saturating_add(bytes);
        let input = self.input.get(at..end).ok_or(ShellError::MisuseLength(end))?;
        self.samples.clear();
        self.samples.extend(
            input
                .chunks_exact(4)
                .map(|sample| f32::from_le_bytes(sample.try_into().expect("chunks of four"))),
        );
        let writer = self.writer.as_mut().ok_or(ShellError::NotOpen)?;
        writer.audio(frame(first_frame), &self.samples, &mut self.output);
        Ok(())
    }

    /// Says when a frame of this run was played, in nanoseconds of the room's clock, and how well that is known.
    pub(crate) fn clock(
        &mut self,
        at_frame: f64,
        room_ns: f64,
        precision_ns: u32,
        bound_ns: u32,
        steps: u32,
    ) -> Result<(), ShellError> {
        #[expect(clippy::cast_possible_truncation, reason = "saturates, as wanted")]
        let at = RoomTime::from_ns(room_ns as i64);
        let writer = self.writer.as_mut().ok_or(ShellError::NotOpen)?;
        writer.clock(frame(at_frame), at, precision_ns, bound_ns, steps, &mut self.output);
        Ok(())
    }

    /// Puts what was gathered into the output.
    pub(crate) fn flush(&mut self) -> Result<(), ShellError> {
        self.writer.as_mut().ok_or(ShellError::NotOpen)?.flush(&mut self.output);
        Ok(())
    }

    /// The recording ended on purpose.
    pub(crate) fn end(&mut self) -> Result<(), ShellError> {
        self.writer.as_mut().ok_or(ShellError::NotOpen)?.end(&mut self.output);
        Ok(())
    }

    /// Samples that were too loud so far.
    pub(crate) fn clipped_samples(&self) -> u64 {
        self.writer.as_ref().map_or(0, |writer| writer.counts().clipped_samples)
    }

    /// Adds the first `bytes` of the buffer to a checksum.
    pub(crate) fn hash(&mut self, bytes: usize) -> Result<(), ShellError> {
        let piece = self.input.get(..bytes).ok_or(ShellError::MisuseLength(bytes))?;
        self.sha256.update(piece);
        Ok(())
    }

    /// The checksum of everything since the last one.
    pub(crate) fn finish_hash(&mut self) -> &[u8; SHA256_BYTES] {
        self.digest = self.sha256.finalize_reset().into();
        &self.digest
    }
}

/// A frame as JavaScript counts them; anything before the first is the first.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, as wanted")]
fn frame(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use takes::stem::{Reader, Record, inspect};

    use super::*;

    const TAKE: &str = "00112233445566778899aabbccddeeff";
    const STEM: &str = "0123456789abcdef0123456789abcdef";

    fn open(shell: &mut Shell, text: &str, runs_begun: u32) -> Result<(), ShellError> {
        shell.input_mut()[..text.len()].copy_from_slice(text.as_bytes());
        shell.open(text.len(), runs_begun)
    }

    fn described(channels: u8) -> String {
        format!("{TAKE}\n{STEM}\nmic\nZoë\n{channels}")
    }

    /// Puts frames of a ramp into the buffer, 8 bytes from its beginning.
    fn put(shell: &mut Shell, samples: &[f32]) {
        for (place, sample) in shell.input_mut()[8..].chunks_exact_mut(4).zip(samples) {
            place.copy_from_slice(&sample.to_le_bytes());
        }
    }

    #[test]
    fn what_is_recorded_goes_on_after_a_reload() {
        let mut file = Vec::new();
        let mut shell = Shell::default();
        open(&mut shell, &described(2), 0).expect("a new stem");
        shell.begin_run().expect("open");
        let ramp: Vec<f32> = (0..200_u8).map(|at| f32::from(at) / 256.0).collect();
        put(&mut shell, &ramp);
        shell.audio(700.0, 8, 100).expect("it fits");
        shell.clock(750.0, 1.79e18, 100_000, 5_000_000, 2).expect("open");
        shell.flush().expect("open");
        file.extend_from_slice(shell.output());
        shell.clear_output();
        assert!(shell.output().is_empty());

        let mut again = Shell::default();
        open(&mut again, &described(2), 1).expect("the same stem");
        assert!(again.output().is_empty(), "it has a header");
        again.begin_run().expect("open");
        put(&mut again, &[2.0, -0.5]);
        again.audio(0.0, 8, 1).expect("it fits");
        assert_eq!(again.clipped_samples(), 1);
        again.end().expect("open");
        file.extend_from_slice(again.output());

        let summary = inspect(&file[..]).expect("a stem");
        assert_eq!(summary.header.participant, "Zoë");
        assert_eq!((summary.frames(), summary.runs_begun), (101, 2));
        assert_eq!((summary.ending, summary.damaged_bytes), (Ending::Complete, 0));
        let mut reader = Reader::new(&file[..]).expect("a stem");
        let mut clocks = Vec::new();
        while let Some(record) = reader.next_record().expect("in memory") {
            if let Record::Clock(reading) = record {
                clocks.push((reading.frame, reading.at, reading.steps));
            }
        }
        assert_eq!(clocks, [(750, RoomTime::from_ns(1_790_000_000_000_000_000), 2)]);
    }

    #[test]
    fn nonsense_is_refused() {
        let mut shell = Shell::default();
        assert_eq!(shell.begin_run(), Err(ShellError::NotOpen));
        assert_eq!(shell.end(), Err(ShellError::NotOpen));
        assert_eq!(open(&mut shell, "", 0), Err(ShellError::MalformedText));
        assert_eq!(
            open(&mut shell, &described(2).replace("mic", "m\nic"), 0),
            Err(ShellError::MalformedText)
        );
        assert_eq!(open(&mut shell, &described(2)[1..], 0), Err(ShellError::Id(MalformedId)));
        assert!(matches!(open(&mut shell, &described(3), 7), Err(ShellError::Header(_))));
        open(&mut shell, &described(1), 0).expect("a new stem");
        shell.audio(0.0, 8, INPUT_BYTES / 4).expect_err("behind the end");
        shell.audio(0.0, usize::MAX, usize::MAX).expect_err("behind the end");
        shell.open(INPUT_BYTES + 1, 0).expect_err("behind the end");
        shell.hash(INPUT_BYTES + 1).expect_err("behind the end");
    }

    #[test]
    fn a_checksum_is_of_all_pieces_since_the_last() {
        let mut shell = Shell::default();
        let hex = |digest: &[u8]| -> String { digest.iter().map(|b| format!("{b:02x}")).collect() };
        for _ in 0..2 {
            for piece in ["a", "bc"] {
                shell.input_mut()[..piece.len()].copy_from_slice(piece.as_bytes());
                shell.hash(piece.len()).expect("it fits");
            }
            // FIPS 180-2, appendix B.1.
            let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
            assert_eq!(hex(shell.finish_hash()), known);
        }
    }
}
