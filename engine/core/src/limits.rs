//! Every bound of the engine, with its arithmetic and what happens when it is reached.

use protocol::limits::{PAYLOAD_BYTES_MAX, SUBSCRIBER_STREAMS_MAX, TRACK_ENCODINGS_MAX};

/// Frames in the longest audio period; [`crate::session()`] refuses more. JACK's largest period.
pub const PERIOD_FRAMES_MAX: usize = 8192;

/// Rates of a device that are converted; [`crate::DeviceInput`] and [`crate::DeviceOutput`] refuse
/// others. Below, what music needs is not there; above are no sound cards.
pub const DEVICE_RATES_HZ: core::ops::RangeInclusive<u32> = 32_000..=192_000;

/// The larger number in the ratio of a device's rate to the engine's, reduced; more is refused. It
/// is how many filters of 24 weights there are (44.1 kHz has 160, and 47,952 Hz, which is 48 kHz for
/// film at 23.976 pictures a second, has 1000), and they should stay in the processor's cache.
pub const RATE_PARTS_MAX: u32 = 1024;

/// Remote streams mixed at once; [`crate::Control::add_remote`] refuses more. Each costs about
/// 350 kB of buffers.
pub const REMOTES_MAX: usize = SUBSCRIBER_STREAMS_MAX;

/// Encodings of the published track at once; [`crate::Control::set_encodings`] refuses more.
pub const ENCODINGS_MAX: usize = TRACK_ENCODINGS_MAX;

/// Different SSRCs that one session may ever send; [`crate::Control::set_encodings`] refuses more.
/// Each keeps its sequence number for good, because SRTP must never see a number twice. A track
/// has three codecs; the rest is room for SSRCs that change with a new link.
pub const SOURCES_MAX: usize = 32;

/// Bytes of the longest codec frame that is sent: 64 frames of stereo L16. Opus at its highest
/// bitrate (510 kbit/s) has 160 in 2.5 ms.
pub const FRAME_BYTES_MAX: usize = 256;

/// Bits per second that an encoding may ask for; [`crate::Control::set_encodings`] refuses others.
pub const BITRATE_RANGE: core::ops::RangeInclusive<u32> = 16_000..=510_000;

/// Codec frames that a packet repeats from before at most; [`crate::Control::set_encodings`]
/// refuses more. Three blocks behind the primary are what a RED payload holds, and two already
/// mend bursts of two.
pub const REDUNDANT_FRAMES_MAX: usize = 2;

/// Codec frames between capture and [`crate::Outgoing`]; beyond it the newest are dropped and
/// counted. The longest period yields 8192/64 + 8192/120 = 197, so this is two of them.
pub const OUTGOING_QUEUE_FRAMES: usize = 512;

/// Codec frames between [`crate::Incoming`] and the render callback; beyond it the newest are
/// dropped and counted. 15 remotes at 750 packets/s during the longest period (171 ms) are 1,920.
pub const INCOMING_QUEUE_FRAMES: usize = 4096;

/// Bytes of those frames: as many frames of stereo PCM.
pub const INCOMING_QUEUE_BYTES: usize = INCOMING_QUEUE_FRAMES * FRAME_BYTES_MAX;

/// Codec frames waiting in one jitter buffer; beyond it the oldest is dropped and counted. The
/// longest playout delay holds 24000/64 = 375 of the shortest packets.
pub const JITTER_BUFFER_PACKETS: usize = 384;

/// Bytes of those frames: as many frames of stereo PCM, and room for the longest payload.
pub const JITTER_BUFFER_BYTES: usize = JITTER_BUFFER_PACKETS * FRAME_BYTES_MAX + PAYLOAD_BYTES_MAX;

/// Longest playout delay (500 ms): more is of no use to anybody who plays along. Packets that come later
/// still are counted as late; where no others come, the stream starts anew.
pub const PLAYOUT_DELAY_FRAMES_MAX: i64 = 24_000;

/// Furthest that a packet may be ahead of where playing wants to be when it comes (600 ms, and what periods
/// and packets are long); what is further is refused and counted, and a third one in a row starts the
/// stream anew. The longest playout delay has a packet wait for 500 ms; 100 are for a way that becomes
/// shorter meanwhile.
pub const AHEAD_FRAMES_MAX: i64 = PLAYOUT_DELAY_FRAMES_MAX + 4_800;

/// Frames in the longest packet that is decoded: 60 ms, what one Opus frame can hold at most.
pub const PACKET_FRAMES_MAX: usize = 2880;

/// Callbacks whose dry input may wait to be recorded: four seconds in periods of 32. Beyond, what comes is missing in
/// the recording.
pub const TAP_BLOCKS: usize = 6_000;

/// Frames of them: four seconds. Beyond, what comes is missing in the recording.
pub const TAP_FRAMES: usize = 192_000;

/// Commands that wait for a thread which is not running; beyond it controls refuse.
pub const COMMANDS_MAX: usize = 4096;
