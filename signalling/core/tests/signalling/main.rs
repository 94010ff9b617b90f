//! Signalling from outside: apps that talk to it, and an SFU that believes nothing.

#![expect(clippy::wildcard_enum_match_arm, reason = "tests look for one message among many")]

mod desk;
mod elsewhere;
mod endings;
mod findings;
mod hearing;
mod hostile;
mod limits;
mod listening;
mod look;
mod offers;
mod owned;
mod random_plans;
mod redundancy;
mod room_state;
mod rooms;
mod sfu;
