//! The server over real sockets: what apps get, and what the SFU is told.

#![expect(clippy::wildcard_enum_match_arm, reason = "tests look for one message among many")]

mod app;
mod http;
mod limits;
mod websocket;
