//! A musician's stay in a room.

mod backoff;
mod codec_choice;
mod link_policy;
mod membership;
mod websocket;
