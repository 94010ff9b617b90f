//! Writes a stem: appends bytes for the caller to append to its file.

use super::MAGIC;
use super::header::{Header, HeaderRefused};
use super::inspect::Summary;
use super::record::{self, ClockReading};
use crate::flac::Encoder;
use crate::limits::{RECORD_FRAMES_MAX, RUN_FRAMES_MAX, RUNS_MAX};
use crate::pcm::quantise;
use protocol::time::RoomTime;

/// Writes one stem. Lives on one thread, which is not the audio callback's: encoding allocates.
///
/// Every call appends whole records to the caller's buffer, which the caller writes to the end of the file, as it
/// likes: at once, so that a crash loses nothing but what [`Writer`] gathers, at most 85 ms.
pub struct Writer {
    channels: usize,
    encoder: Encoder,
    /// The run that is recorded; `None` before the first.
    run: Option<u32>,
    runs: u32,
    /// The frame that comes next in the run.
    next_frame: u64,
    /// Samples before `next_frame` that are not in a record yet, interleaved.
    gathered: Vec<i32>,
    counts: Counts,
}

/// What became of what was recorded since this writer was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Frames that were taken.
    pub frames: u64,
    /// Frames that were left out by the caller between others.
    pub missing_frames: u64,
    /// Frames that came again, or after later ones, and were ignored.
    pub repeated_frames: u64,
    /// Samples that were too loud for 24 bits.
    pub clipped_samples: u64,
    /// Frames that nothing could be made of: the stem has had [`RUNS_MAX`] runs.
    pub refused_frames: u64,
}

impl Writer {
    /// Begins a stem: appends what the file starts with.
    ///
    /// # Errors
    /// When the header breaks its limits.
    pub fn new(header: &Header, out: &mut Vec<u8>) -> Result<Self, HeaderRefused> {
        header.check()?;
        out.extend(MAGIC);
        record::put(record::HEADER, out, |out| header.put(out));
        Ok(Self::at(header.channels, 0))
    }

    /// Goes on with a stem after a crash or a rejoin. What follows is appended behind the last byte of the file,
    /// whether or not that byte ends a record.
    #[must_use]
    pub fn resume(summary: &Summary) -> Self {
        Self::at(summary.header.channels, summary.runs_begun)
    }

    fn at(channels: u8, runs: u32) -> Self {
        Self {
            channels: usize::from(channels),
            encoder: Encoder::new(channels),
            run: None,
            runs,
            next_frame: 0,
            gathered: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Begins a run: the device was opened, or opened anew, and its frames count from 0. [`Self::audio`] begins the
    /// first one by itself.
    pub fn begin_run(&mut self, out: &mut Vec<u8>) {
        self.flush(out);
        self.next_frame = 0;
        self.run = (self.runs < RUNS_MAX).then_some(self.runs);
        if let Some(run) = self.run {
            self.runs += 1;
            record::put_run(run, out);
        }
    }

    /// Takes frames, interleaved, the first of which has the number `first_frame` in this run. Numbers that are left
    /// out are frames that are missing; what comes again is ignored.
    pub fn audio(&mut self, first_frame: u64, interleaved: &[f32], out: &mut Vec<u8>) {
        if self.run.is_none() {
            self.begin_run(out);
        }
        let given = to_u64(interleaved.len() / self.channels);
        if self.run.is_none() || RUN_FRAMES_MAX < first_frame.saturating_add(given) {
            self.counts.refused_frames += given;
            return;
        }
        let repeated = self.next_frame.saturating_sub(first_frame).min(given);
        self.counts.repeated_frames += repeated;
        if repeated == given {
            return;
        }
        if self.next_frame < first_frame {
            // What was never recorded before the first frame is no gap: a device counts from where it likes.
            if self.next_frame != 0 {
                self.counts.missing_frames += first_frame - self.next_frame;
            }
            self.flush(out);
            self.next_frame = first_frame;
        }
        let skipped = usize::try_from(repeated).expect("at most the slice") * self.channels;
        for frame in interleaved[skipped..].chunks_exact(self.channels) {
            for sample in frame {
                self.counts.clipped_samples += u64::from(!(-1.0..=1.0).contains(sample));
                self.gathered.push(quantise(*sample));
            }
            self.next_frame += 1;
            self.counts.frames += 1;
            if usize::from(RECORD_FRAMES_MAX) * self.channels <= self.gathered.len() {
                self.flush(out);
            }
        }
    }

    /// Says when a frame of this run was played, about once a second while the room's clock is settled. It may be
    /// any frame, also one that comes later. Ignored before the first run.
    pub fn clock(
        &mut self,
        frame: u64,
        at: RoomTime,
        precision_ns: u32,
        bound_ns: u32,
        steps: u32,
        out: &mut Vec<u8>,
    ) {
        if let Some(run) = self.run
            && frame <= RUN_FRAMES_MAX
        {
            let reading = ClockReading { run, frame, at, precision_ns, bound_ns, steps };
            record::put_clock(&reading, out);
        }
    }

    /// Puts what was gathered into a record, whatever its length. For a caller whose device has stalled.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        let Some(run) = self.run else { return };
        let frames = u16::try_from(self.gathered.len() / self.channels).expect("one record's");
        if frames == 0 {
            return;
        }
        let first_frame = self.next_frame - u64::from(frames);
        record::put_audio(run, first_frame, frames, out, |out| {
            // The number is nobody's business here: records have their own.
            self.encoder.encode(&self.gathered, 0, out);
        });
        self.gathered.clear();
    }

    /// The recording ended on purpose. [`Self::begin_run`] may go on with it.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        self.flush(out);
        if let Some(run) = self.run.take() {
            record::put_end(run, self.next_frame, out);
        }
    }

    /// What became of what was recorded.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).expect("usize has at most 64 bits")
}
