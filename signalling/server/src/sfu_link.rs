//! The SFU as signalling's shell sees it.

use protocol::control::{Command, Event, SfuDescription};
use tokio::sync::mpsc::{Receiver, Sender};

/// Both directions to one SFU.
pub struct SfuLink {
    /// What it said about itself.
    pub description: SfuDescription,
    /// Takes commands, in order. While it is full, nothing that apps send is looked at.
    pub commands: Sender<Command>,
    /// What the SFU tells. The server stops when it ends.
    pub events: Receiver<Event>,
}

impl core::fmt::Debug for SfuLink {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SfuLink").field("description", &self.description).finish_non_exhaustive()
    }
}
