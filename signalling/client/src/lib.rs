//! How a program joins a room: the link that musicians pass around, and the WebSocket behind it.
//!
//! Decides nothing: what is said over the WebSocket is the caller's. There is no async runtime here;
//! a caller waits on one connection, or asks many in turn, each without waiting.

mod room_link;
mod websocket;

pub use room_link::{MalformedLink, RoomLink, Scheme};
pub use websocket::{Received, Signalling, SignallingError};
