//! signalling-server.
