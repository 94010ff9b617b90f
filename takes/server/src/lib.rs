//! Where stems of takes arrive, rest, are exported and downloaded.
//!
//! [`Store`] keeps them in plain files and waits for the disk; [`Takes`] is how the rest of a server
//! tells it what happens in its rooms, without waiting; [`routes`] is what apps talk to over HTTP.
//! What surprises: uploads go straight to the store on threads that may wait, so that a take that
//! begins is known to them only once its event came through the queue.

mod disk;
mod export;
mod handle;
mod http;
mod id;
pub mod limits;
mod making;
pub mod offline;
mod reading;
mod record;
mod refused;
mod status;
mod store;
mod take;

pub use export::ReadyExport;
pub use handle::{OnTrouble, Takes, TakesThreads};
pub use http::routes;
pub use id::{MalformedKey, TakeKey};
pub use record::Claim;
pub use refused::{BeginError, NoSpace, TakeError};
pub use status::{ExportStatus, MarkerStatus, Status, StemState, StemStatus};
pub use store::{Begin, Completion, ExportAnswer, Store};
