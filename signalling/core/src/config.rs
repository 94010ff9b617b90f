//! What the shell tells signalling of the machine and its operator.

use protocol::control::SfuDescription;

use crate::limits::Limits;
use crate::ticket::TicketKey;

/// What signalling must know before the first connection.
#[derive(Debug, Clone)]
pub struct Config {
    /// The bounds that depend on the machine.
    pub limits: Limits,
    /// The SFU that is commanded.
    pub sfu: SfuDescription,
    /// Signs tickets.
    pub ticket_key: TicketKey,
    /// All randomness comes from it: 32 bytes that nobody can guess.
    pub seed: [u8; 32],
    /// Unix time at [`protocol::time::Instant::ZERO`], for chat and tickets.
    pub epoch_unix_ms: u64,
    /// Whether takes are kept ([`crate::TakeEvent`]); otherwise none can be begun.
    pub takes: TakesKept,
}

/// Whether somebody keeps takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TakesKept {
    /// Nobody does: none can be begun, for that reason.
    No(String),
    /// Events of takes are carried out.
    #[default]
    Yes,
}
