//! The SFU as signalling's shell sees it.

use protocol::control::{Command, Event, SfuDescription};
use tokio::sync::mpsc::Receiver;

/// Both directions to one SFU.
pub struct SfuLink {
    /// What it said about itself.
    pub description: SfuDescription,
    /// Takes commands, in order. It must not wait: the SFU's queue is the SFU's to bound.
    pub commands: Box<dyn FnMut(Command) + Send>,
    /// What the SFU tells. The server stops when it ends.
    pub events: Receiver<Event>,
}

impl core::fmt::Debug for SfuLink {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SfuLink").field("description", &self.description).finish_non_exhaustive()
    }
}
