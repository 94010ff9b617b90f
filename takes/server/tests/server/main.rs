//! Takes on a real disk: the store by itself, and over HTTP.

mod http;
mod stem;
mod store;
