//! Bounds of the shell, each with its arithmetic and with what happens when it is reached.

use core::time::Duration;

use protocol::limits::SIGNAL_MESSAGE_BYTES_MAX;

/// Bytes of a WebSocket message that are still read, to be refused politely (`too_large`). Above,
/// reading fails, with the same answer, and the rest of the message is not read.
pub const WEBSOCKET_MESSAGE_BYTES_MAX: usize = 2 * SIGNAL_MESSAGE_BYTES_MAX;

/// Messages that wait for one app to read them. Beyond, it is disconnected: a queue that only
/// grows would be everybody's memory for one app's sake. A joining app is sent about ten.
pub const OUTGOING_MESSAGES_MAX: usize = 512;

/// Bytes in them. Beyond, the app is disconnected. The largest `joined` is about 100 kB.
pub const OUTGOING_BYTES_MAX: usize = 1024 * 1024;

/// Messages that wait for signalling. Beyond, connections are not read until there is room.
pub const INCOMING_MESSAGES_MAX: usize = 1024;

/// What rooms are told and asked from outside that waits for signalling. Beyond, whoever tells waits.
pub const ERRANDS_MAX: usize = 256;

/// How long a `join` waits for whoever knows who may come into its room; then it is `try_again`. That is
/// well within the time in which an app must have joined, so that it is told why and can try once more.
pub const ADMISSION_WAIT_MAX: Duration = Duration::from_secs(3);

/// Commands that wait for the SFU, beside those of one change in one room (some thousands at most).
/// Beyond, nothing that apps send is looked at until there is room.
pub const SFU_COMMANDS_MAX: usize = 1024;

/// The least time between two pings or pongs of an app that need nothing else. Others count as
/// messages: `too_fast`, then `misbehaved`.
pub const CONTROL_FRAMES_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// How often a WebSocket is pinged: three times within the silence that signalling allows.
pub const PING_INTERVAL: Duration = Duration::from_secs(10);

/// How long the last words to an app may take to be written and answered, and the server to say
/// goodbye to all. Then the connection is cut.
pub const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// Proxies behind each other that are believed; of more, the last of these is taken for whom a request
/// comes from.
pub const FORWARDED_MAX: usize = 16;

/// TCP connections beside those that signalling allows as WebSockets: pages and files being
/// loaded. Beyond, new ones wait in the system's queue until another ends. From one address there
/// are no more than [`signalling::limits::Limits::per_address_max`]; beyond, they are cut at once.
pub const HTTP_CONNECTIONS_SPARE: usize = 64;

/// How long the server may have nothing to write to a TCP connection; then it is closed. That is
/// the time for a request, however slowly it comes. A WebSocket is pinged.
pub const QUIET_MAX: Duration = Duration::from_secs(30);
