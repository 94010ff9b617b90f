//! Takes on a real disk: the store by itself, and over HTTP.

mod download;
mod export;
mod http;
mod stem;
mod store;
