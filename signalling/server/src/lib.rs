//! HTTP and WebSocket around [`signalling`]: accepts, reads, writes, pings, keeps the clock.
//!
//! Decides nothing about rooms. One task owns the core; every WebSocket has a task that reads and
//! one that writes, with bounded queues between. What surprises: the SFU is known only as an
//! [`SfuLink`], two queues and a description, so that tests can stand in for it.

mod assets;
mod census;
mod core_task;
mod http;
pub mod limits;
mod listener;
mod origin;
mod proxies;
mod rooms;
mod server;
mod sfu_link;
mod take_keeper;
mod websocket;

pub use assets::{Asset, Assets, Caching};
pub use census::Census;
pub use http::caller;
pub use proxies::{Network, NotANetwork};
pub use rooms::{Doorkeeper, Errands, Rooms, rooms};
pub use server::{BindError, Config, ServeError, Server};
pub use sfu_link::SfuLink;
pub use take_keeper::TakeKeeper;
