//! Bounds of a take, each with its arithmetic and with what happens when it is reached.

pub use protocol::limits::{PARTICIPANT_NAME_CHARS_MAX, TRACK_LABEL_CHARS_MAX};

/// Channels of a stem: one, or left and right. Reached: [`crate::stem::Writer::new`] refuses, and a reader calls the
/// file malformed.
pub const CHANNELS_MAX: u8 = 2;

/// Frames of one audio record: 85 ms at 48 kHz. What a crash loses is the record that was being filled.
pub const RECORD_FRAMES_MAX: u16 = 4096;

/// Bytes of one record without its frame: the largest FLAC frame that [`RECORD_FRAMES_MAX`] frames in two channels
/// of 24 bits can need is 24.6 kB, so this is twice that. Reached: a reader takes the bytes for damage.
pub const RECORD_BYTES_MAX: u32 = 49_152;

/// Frames of one run: 24 h. Reached: a writer begins another run by itself, a reader passes the record over.
pub const RUN_FRAMES_MAX: u64 = 24 * 3600 * 48_000;

/// Runs of one stem: a rejoin every 20 seconds for a day. Reached: a writer refuses to begin another, a reader
/// passes what belongs to it over.
pub const RUNS_MAX: u32 = 4096;

/// Clock records that are kept of one stem: one a second for two days, 7 MB of them. Reached: every second one is
/// forgotten, and then of those that follow every second one is taken.
pub const CLOCK_RECORDS_MAX: usize = 2 * 24 * 3600;

/// Places at which a stem may be damaged before a reader gives up: each costs it a look at
/// [`RECORD_BYTES_MAX`] bytes at most. A program that crashes leaves one.
pub const DAMAGES_MAX: usize = 4096;

/// Stems of one export: every musician of a full room with two tracks. Reached: the export is refused.
pub const EXPORT_STEMS_MAX: usize = 64;

/// Seconds of one export: a day. Reached: the export is refused.
pub const EXPORT_SECONDS_MAX: u64 = 24 * 3600;

/// Changes of tempo of one export. Reached: the export is refused.
pub const TEMPO_CHANGES_MAX: usize = 4096;

/// Tempi that a click may have, in thousandths of beats per minute. Beyond, the export is refused.
pub const TEMPO_MILLI_BPM: core::ops::RangeInclusive<u32> = 10_000..=1_000_000;

/// Beats of one bar. Beyond, the export is refused.
pub const BEATS_PER_BAR_MAX: u8 = 64;

/// Markers of one export. Reached: the export is refused.
pub const MARKERS_MAX: usize = 4096;

/// Characters of a marker, of a take's title and of a note about a stem. Reached: the rest is cut off.
pub const TEXT_CHARS_MAX: usize = 200;

/// Characters of a file's name without its number and extension: archives are unpacked into deep folders. Reached:
/// the rest is cut off.
pub const FILE_NAME_CHARS_MAX: usize = 80;
