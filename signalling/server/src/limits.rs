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

/// How often a WebSocket is pinged: three times within the silence that signalling allows.
pub const PING_INTERVAL: Duration = Duration::from_secs(10);

/// How long an app may take to answer a close frame, and the server to say goodbye to all.
pub const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// TCP connections beside those that signalling allows as WebSockets: pages and files being
/// loaded. Beyond, new ones wait in the system's queue until another ends.
pub const HTTP_CONNECTIONS_SPARE: usize = 64;

/// How long a TCP connection may carry nothing in either direction; then it is closed. A
/// WebSocket carries pings.
pub const QUIET_MAX: Duration = Duration::from_secs(60);
