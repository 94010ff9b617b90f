//! The way to signalling, walked by a thread of its own: names, addresses and passes take their time.

use signalling_client::{RoomLink, Signalling, SignallingError};

use crate::session::pass::{NoPass, RoomKey};

/// A WebSocket, and what lets into the room.
pub(super) struct Connected {
    pub(super) signalling: Signalling,
    pub(super) pass: Option<String>,
}

/// Why there is none.
pub(super) enum NotConnected {
    /// Another try may help.
    Lost(SignallingError),
    /// None will.
    Refused(String),
}

/// Connects; where there is something to get a pass with, gets one before.
pub(super) fn connect(link: &RoomLink, key: Option<&RoomKey>) -> Result<Connected, NotConnected> {
    let pass = match key {
        Some(key) => key.pass(link).map_err(|why| match why {
            NoPass::Lost(text) => NotConnected::Lost(SignallingError::Gone(text)),
            NoPass::Refused(text) => NotConnected::Refused(text),
        })?,
        None => None,
    };
    let signalling = Signalling::connect(link).map_err(NotConnected::Lost)?;
    Ok(Connected { signalling, pass })
}
