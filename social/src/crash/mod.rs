//! Reports of crashed programs: an intake that Sentry's SDKs can report to, and what an admin sees of it.
//!
//! What comes in was written by a program that crashed, with whatever it held at that moment. So what is
//! kept is a list of what may be kept (`scrub`): which program and version, what failed, and where in
//! its code; not who used it, from where, on which machine, or with what. What surprises: what an SDK
//! names as the user, the machine or the address is also taken out of the texts that are kept.

mod envelope;
mod routes;
mod scrub;
mod store;

pub(crate) use routes::{intake, routes};
pub use store::{Cause, Crash};
