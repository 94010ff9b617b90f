//! Musicians without instruments, who measure a server: each joins a room as a native musician does,
//! with a WebSocket, ICE and DTLS of their own, and plays packets that are counted one by one.
//!
//! One thread sends and receives everything ([`Band`] tells it what), and says how busy and how
//! late it was, so that nobody takes its limits for the server's. What surprises: delays end with the
//! kernel's stamp on an arriving packet, not when this program looked at it.

mod band;
mod clock;
mod joining;
mod losses;
mod machine;
mod media;
mod metrics;
mod overload;
mod payload;
mod player;
mod report;
mod saturation;
mod server;
mod soak;
mod socket;
mod steady;
mod tally;

pub use band::{Band, LoadError};
pub use joining::JoinError;
pub use losses::Losses;
pub use machine::{Cores, Usage};
pub use overload::{Overload, Spread, overload};
pub use report::{Percentiles, Report, WithinServer};
pub use saturation::{Limit, Saturation, saturate};
pub use server::{Server, ServerError};
pub use soak::{Memory, SoakLook, SoakReport, soak};
pub use steady::{Plan, RunError, run};
pub use tally::{Faults, Share, Tally};
