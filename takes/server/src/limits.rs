//! Bounds of takes, each with its arithmetic and with what happens when it is reached.

use core::time::Duration;

/// What depends on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all stems and exports. Beyond, exports that can be made again go, the oldest first;
    /// then uploads are refused (507) and no take begins.
    pub quota_bytes: u64,
    /// Bytes that stay free on the disk for everybody else; below, as with the quota.
    pub free_bytes_min: u64,
    /// Days after its beginning that a take is kept; then it is deleted.
    pub days_kept: u32,
    /// Bytes of one stem; beyond, its upload is refused (413).
    pub stem_bytes_max: u64,
    /// Stems of a take: a room of 32 whose every app is started anew once. Beyond, refused (413).
    pub stems_max: usize,
    /// Takes at once; beyond, none begins.
    pub takes_max: usize,
    /// Takes of one room; beyond, none begins there.
    pub takes_per_room_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            quota_bytes: 20 * GIB,
            free_bytes_min: 2 * GIB,
            days_kept: 30,
            stem_bytes_max: STEM_BYTES_MAX,
            stems_max: 64,
            takes_max: 1000,
            takes_per_room_max: 50,
        }
    }
}

/// Four hours of stereo at 48 kHz with 24 bits, and a sixteenth for headers and checksums:
/// 14400 s · 48000 · 2 · 3 bytes = 4.15 GB.
pub const STEM_BYTES_MAX: u64 = 14_400 * 48_000 * 2 * 3 / 16 * 17;

/// Bytes of a request's body; beyond, it is refused (413) and the piece that fits is kept.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Bytes that are written to a stem at once. What a slow or cut connection has brought is kept in
/// pieces of this size: at 30 s of patience, a line of 18 kbit/s still gets on.
pub const PIECE_BYTES: usize = 64 * 1024;

/// Bytes of a stem that may wait in memory for the disk: so many are written in one go at most, and
/// nobody waits for more when the stem is complete.
pub const UNSYNCED_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Bytes that are read from a disk at once, for checksums and downloads.
pub const READ_BYTES: usize = 256 * 1024;

/// Uploads at once from one address; beyond, refused (429). The server's own machine, where a proxy
/// may stand, is not counted.
pub const UPLOADS_PER_ADDRESS_MAX: usize = 8;

/// Uploads at once, each with a piece in memory: 8 MiB. Beyond, refused (429).
pub const UPLOADS_MAX: usize = 128;

/// Bytes of a small JSON body; beyond, refused (413).
pub const JSON_BYTES_MAX: usize = 4096;

/// Characters of a take's title; the rest is cut.
pub const TITLE_CHARS_MAX: usize = 100;

/// Characters of a marker's text; the rest is cut.
pub const MARKER_CHARS_MAX: usize = 200;

/// Characters of a participant's name, as signalling has it; the rest is cut.
pub const NAME_CHARS_MAX: usize = 48;

/// Markers of a take: one every 15 s for four hours. Those beyond are not kept, and the take says so.
pub const MARKERS_MAX: usize = 1000;

/// Participants of a take that are remembered; those beyond are not missed.
pub const PRESENT_MAX: usize = 256;

/// Segments of a tempo map; those beyond are not kept, and the take says so.
pub const SEGMENTS_MAX: usize = 4096;

/// Bytes of a file that describes a take or a stem: what all of the above can be, with room. Beyond,
/// the file is not read and the take is not listed.
pub const RECORD_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Events that wait for the store. Beyond, they are lost and logged: signalling never waits.
pub const EVENTS_MAX: usize = 1024;

/// How long a stem, or a participant without one, may bring nothing before it counts as missing.
/// Apps try again every few minutes at most; laptops that sleep come back whenever they do.
pub const SILENCE_MAX: Duration = Duration::from_secs(10 * 60);

/// Bytes of scratch files between two looks at how full the disk is.
pub const SCRATCH_CHECKED_BYTES: usize = 4 * 1024 * 1024;

/// How long an export is kept that nobody downloads; it can be made again.
pub const EXPORT_KEPT: Duration = Duration::from_secs(24 * 3600);

/// How long an export is handed out although more has come since: while stems arrive there would
/// always be a newer one to wait for.
pub const EXPORT_FRESH: Duration = Duration::from_secs(60);

/// How often what is too old is looked for.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// How long `complete` waits for a checksum that must be computed anew, before it answers that it
/// is not finished: less than the server's patience with a connection.
pub const CHECK_PATIENCE: Duration = Duration::from_secs(15);

const GIB: u64 = 1024 * 1024 * 1024;
