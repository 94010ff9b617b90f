//! Bounds of the server's shell, each with its arithmetic and with what happens when it is reached.

use core::time::Duration;

/// Commands that wait for the media thread: a full room whose members all join at once needs about
/// 32 x 31 x 4. Reached: [`crate::Commands::send`] refuses.
pub const COMMANDS_MAX: usize = 8192;

/// Commands carried out before datagrams are looked at again: opening a link takes some 100 µs.
pub const COMMANDS_PER_TURN_MAX: usize = 16;

/// Datagrams taken with one system call.
pub const RECEIVE_BATCH_DATAGRAMS: usize = 32;

/// Datagrams sent with one system call: more gain nothing (measured: 16 and 64 cost the same each).
pub const SEND_BATCH_DATAGRAMS: usize = 64;

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
