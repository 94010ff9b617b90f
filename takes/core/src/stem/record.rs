//! One record: a mark, a kind, a length, a payload, and a checksum over all of them.

use protocol::time::RoomTime;

use crate::limits::{RECORD_FRAMES_MAX, RUN_FRAMES_MAX, RUNS_MAX};

/// What a reader gives, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A program began to record: frames count from 0 again.
    Run {
        /// Which one, from 0.
        run: u32,
    },
    /// When a frame was played in the room.
    Clock(ClockReading),
    /// Frames.
    Audio(Audio),
    /// The recording was ended on purpose; nothing more is expected.
    End {
        /// The run that ended.
        run: u32,
        /// Frames of it, those that are missing included.
        frames: u64,
    },
}

/// What the room's clock showed when a frame was played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// The run whose frame it is.
    pub run: u32,
    /// The frame.
    pub frame: u64,
    /// When it came from the microphone.
    pub at: RoomTime,
    /// How far off that may be if the network is alike in both directions, in nanoseconds.
    pub precision_ns: u32,
    /// How far off it is at most, in nanoseconds.
    pub bound_ns: u32,
    /// How often the clock was set since the program began (`RoomClockStats::steps`).
    pub steps: u32,
}

/// Frames that were played without a break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audio {
    /// The run that they belong to.
    pub run: u32,
    /// The first of them.
    pub first_frame: u64,
    /// How many.
    pub frames: u16,
    /// One FLAC frame (RFC 9639 §9).
    pub flac: Vec<u8>,
}

/// What each record begins with, and no FLAC frame or text does.
pub(super) const MARK: [u8; 3] = [0xa7, b'v', b'j'];
/// Bytes of a record before its payload: mark, kind, length.
pub(super) const HEAD_BYTES: usize = 8;
/// Bytes after it.
pub(super) const CHECKSUM_BYTES: usize = 4;

pub(super) const HEADER: u8 = b'H';
pub(super) const RUN: u8 = b'R';
pub(super) const CLOCK: u8 = b'C';
pub(super) const AUDIO: u8 = b'A';
pub(super) const END: u8 = b'E';

/// Appends a record whose payload `put` appends.
pub(super) fn put(kind: u8, out: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(MARK);
    out.push(kind);
    out.extend([0; 4]);
    put(out);
    let length = u32::try_from(out.len() - start - HEAD_BYTES).expect("records are short");
    out[start + 4..start + HEAD_BYTES].copy_from_slice(&length.to_le_bytes());
    let checksum = crc32fast::hash(&out[start..]);
    out.extend(checksum.to_le_bytes());
}

pub(super) fn put_run(run: u32, out: &mut Vec<u8>) {
    put(RUN, out, |out| out.extend(run.to_le_bytes()));
}

pub(super) fn put_clock(reading: &ClockReading, out: &mut Vec<u8>) {
    put(CLOCK, out, |out| {
        out.extend(reading.run.to_le_bytes());
        out.extend(reading.frame.to_le_bytes());
        out.extend(reading.at.as_ns().to_le_bytes());
        out.extend(reading.precision_ns.to_le_bytes());
        out.extend(reading.bound_ns.to_le_bytes());
        out.extend(reading.steps.to_le_bytes());
    });
}

pub(super) fn put_audio(
    run: u32,
    first_frame: u64,
    frames: u16,
    out: &mut Vec<u8>,
    flac: impl FnOnce(&mut Vec<u8>),
) {
    put(AUDIO, out, |out| {
        out.extend(run.to_le_bytes());
        out.extend(first_frame.to_le_bytes());
        out.extend(frames.to_le_bytes());
        flac(out);
    });
}

pub(super) fn put_end(run: u32, frames: u64, out: &mut Vec<u8>) {
    put(END, out, |out| {
        out.extend(run.to_le_bytes());
        out.extend(frames.to_le_bytes());
    });
}

impl Record {
    /// Reads the payload of a record whose checksum holds; `None` where its kind is not known, or where it says
    /// what no writer of ours says.
    pub(super) fn read(kind: u8, payload: &[u8]) -> Option<Self> {
        let mut fields = Fields(payload);
        let run = fields.u32().filter(|run| *run < RUNS_MAX)?;
        match kind {
            RUN => Some(Self::Run { run }),
            CLOCK => Some(Self::Clock(ClockReading {
                run,
                frame: fields.u64().filter(|frame| *frame <= RUN_FRAMES_MAX)?,
                at: RoomTime::from_ns(fields.u64()?.cast_signed()),
                precision_ns: fields.u32()?,
                bound_ns: fields.u32()?,
                steps: fields.u32()?,
            })),
            AUDIO => {
                let first_frame = fields.u64()?;
                let frames = fields.u16()?;
                let fits = (1..=RECORD_FRAMES_MAX).contains(&frames)
                    && first_frame.checked_add(frames.into())? <= RUN_FRAMES_MAX;
                fits.then(|| {
                    Self::Audio(Audio { run, first_frame, frames, flac: fields.0.to_vec() })
                })
            }
            END => {
                let frames = fields.u64().filter(|frames| *frames <= RUN_FRAMES_MAX)?;
                Some(Self::End { run, frames })
            }
            _ => None,
        }
    }
}

/// A text with its length in bytes, which the caller bounded.
pub(super) fn put_text(text: &str, out: &mut Vec<u8>) {
    let length = u16::try_from(text.len()).expect("names have at most 48 characters");
    out.extend(length.to_le_bytes());
    out.extend(text.as_bytes());
}

/// What is left of a payload.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        let length = usize::from(self.u16()?);
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}
