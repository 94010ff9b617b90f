//! signalling.
