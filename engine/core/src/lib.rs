//! What one musician's machine runs: the instrument into packets, everybody else's packets into
//! sound at the earliest moment that holds.
//!
//! Pure: audio blocks, packets and instants come in as arguments, audio blocks and packets go out.
//! [`session()`] makes five halves that may live on five threads and share nothing but wait-free
//! queues: [`Capture`] and [`Render`] belong to the audio callbacks (all of [`rt`] does),
//! [`Outgoing`] to whoever sends, [`Incoming`] to whoever receives, [`Control`] to the app.
//!
//! What surprises: decoding happens in the audio callback, at the moment the frame is needed. It
//! costs microseconds, and it is what lets a packet be played in the period it arrived in.

// `cargo xtask realtime` sets it.
#![cfg_attr(realtime_sanitizer, feature(sanitize))]

mod click;
mod control;
mod encoding;
mod incoming;
pub mod limits;
mod minute;
mod outgoing;
mod playing;
mod playout_mode;
mod recording;
mod room_clock;
pub mod rt;
mod session;
mod stats;

pub use click::{Beat, Click, ClickError, ClickSettings, Taps};
pub use control::{Control, ControlError, Mute, Solo};
pub use encoding::{Channels, Encoding, EncodingError};
pub use incoming::{Incoming, IncomingError};
pub use outgoing::Outgoing;
pub use playout_mode::{PlayoutMode, PlayoutModeError};
pub use recording::{Recording, TapBlock};
pub use room_clock::{RoomClock, RoomClockStats, RoomMapping};
pub use rt::{Capture, DeviceInput, DeviceOutput, RateError, Render};
pub use session::{Session, SessionConfig, SessionError, session};
pub use stats::{DelayShares, Level, Relief, RemoteStats, Stats, StreamState};
