//! Bounds of the server's shell, each with its arithmetic and with what happens when it is reached.

use core::time::Duration;

/// Commands that wait for the media thread: a full room whose members all join at once needs about
/// 32 x 31 x 4. Reached: [`crate::Commands::send`] refuses.
pub const COMMANDS_MAX: usize = 8192;

/// Commands carried out before datagrams are looked at again: opening a link takes some 100 µs.
pub const COMMANDS_PER_TURN_MAX: usize = 16;

/// Datagrams taken with one system call.
pub const RECEIVE_BATCH_DATAGRAMS: usize = 32;

/// Datagrams gathered before they are sent, if they do not take [`ROUND_MAX`] before that: with thirty
/// rooms of eight these are eight to each address, which leave as one message.
pub const SEND_BATCH_DATAGRAMS: usize = 2048;

/// Bytes of them: as many small ones, or 349 of the largest. What is not used is not touched.
pub const SEND_BATCH_BYTES: usize = 512 * 1024;

/// Datagrams of one size to one address in one message (`UDP_MAX_SEGMENTS` of kernels before 6.9).
pub const SEGMENTS_PER_MESSAGE_MAX: usize = 64;

/// How old a packet may be when its copies have left a worker that had too much to do all the while,
/// not counting time in which the system did not let it run: copies that would be older are dropped
/// and counted (`dropped_late`), since what is late for the music only keeps the next ones waiting.
pub const PACKET_AGE_MAX: Duration = Duration::from_millis(5);

/// How long a packet may have waited in the receive buffer of a worker that has had too much to do
/// for some time: what [`PACKET_AGE_MAX`] leaves when a round of copying and sending, which is longer
/// than [`ROUND_MAX`] by the copying, is taken off. Older ones, and those older than
/// [`PACKET_AGE_MAX`] in any worker that is behind, are dropped and counted (`dropped_stale`) before
/// anything is spent on them.
pub const PACKET_WAIT_MAX: Duration = PACKET_AGE_MAX.saturating_sub(ROUND_MAX.saturating_mul(2));

/// How long it may take to send what was gathered, as far as can be told beforehand: what would take
/// longer is sent in parts. At 1 µs each these are 1,500 datagrams.
pub const ROUND_MAX: Duration = Duration::from_micros(1500);

/// Packets per second, in and out, up to which rooms are placed on one worker, unless the operator
/// knows better: about half of what one core was measured to carry.
pub const PACKETS_PER_SECOND_MAX: u32 = 300_000;

/// Batches taken before commands and timers are looked at again.
pub const BATCHES_PER_TURN_MAX: usize = 8;

/// Bytes of the socket's receive buffer: at 2 kB of bookkeeping for a small datagram these are some
/// 2,000 datagrams, 100 ms of a loaded worker. The system may grant less (`net.core.rmem_max`).
pub const RECEIVE_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of the socket's send buffer. Reached: datagrams are dropped and counted, since a packet
/// that waits is late.
pub const SEND_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// How often counters are copied out of the media thread.
pub const TELEMETRY_INTERVAL: Duration = Duration::from_millis(100);

/// How often a worker tells its load.
pub const LOAD_INTERVAL: Duration = Duration::from_secs(1);
