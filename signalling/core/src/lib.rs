//! Signalling: who is in which room, who may do what, and who hears whom.
//!
//! Pure: messages, events and instants come in through `handle_*`, and what must happen comes out
//! of [`Signalling::poll_output`]. It opens no socket, reads no clock, draws no randomness, and
//! never touches media: it commands the SFU ([`protocol::control`]). The protocol is told in
//! `docs/protocol.md`.
//!
//! What surprises: nobody subscribes. Whenever somebody comes, goes, publishes or connects, what
//! *should* be forwarded and said in that room is computed anew, compared with what the SFU and
//! the apps were told last, and the difference goes out (`settle.rs`). So there is one place that
//! decides who hears whom.

mod admission;
mod bucket;
mod census;
mod config;
mod connection;
mod encoding;
mod findings;
mod hearing;
mod hex;
pub mod limits;
mod link;
mod look;
mod moderation;
mod negotiation;
mod output;
mod pace;
mod parameters;
mod placement;
mod random;
mod redundancy;
mod refusal;
mod requests;
mod room;
mod room_state;
mod sdp;
mod settle;
mod signalling;
mod text;
mod ticket;
mod timers;
mod uplink;

pub use admission::{Admission, Privacy, RoomNews, Standing};
pub use census::RoomStanding;
pub use config::{Config, TakesKept};
pub use connection::{AddressBlock, ConnectionId, Unreadable};
pub use output::{Happening, LinkEffect, Output, TakeEvent};
pub use signalling::Signalling;
pub use ticket::TicketKey;
pub use timers::Wake;
