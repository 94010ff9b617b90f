//! Accounts, chat and files behind the app, and the rights people have over what is kept of them.
//!
//! One [`Social`] is what the routes share: the database, the clock, and what is made of both. Whatever
//! changes something happens in one transaction of [`store`], together with the [`jobs`] that follow
//! from it. What surprises: everything that is kept of somebody is named in [`data_map`], by table and
//! column, and a test compares that with the tables; nothing is added without saying why.

pub mod account;
pub mod backup;
pub mod chat;
pub mod clean;
pub mod clock;
mod config;
pub mod crash;
pub mod data_map;
pub mod erasure;
pub mod export;
pub mod files;
pub mod gifs;
pub mod http;
pub mod id;
pub mod jobs;
pub mod limits;
pub mod live;
pub mod mail;
pub mod moving;
pub mod objects;
pub mod people;
pub mod policy;
pub mod problem;
pub mod purge;
pub mod push;
pub mod rate;
pub mod rooms;
mod seal;
pub mod secret;
mod social;
pub mod store;
pub mod usage;

pub use config::Config;
pub use social::{Social, StartError};
