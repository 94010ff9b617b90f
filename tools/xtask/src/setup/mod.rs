//! Puts in place what building and testing stand on. Each part first looks, so that a second run
//! takes no time; what it installs comes from the system's, Rust's and npm's own package sources.

mod node;
mod python;
mod rust;
mod system;

pub(crate) use node::{packages as node_packages, version as node_version};
pub(crate) use python::packages as python_packages;
pub(crate) use rust::{components as rust_components, wasm_target};
pub(crate) use system::packages as system_packages;
pub(crate) use system::warn_without_namespaces;

/// What a machine is set up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Building and running vjam.
    Run,
    /// That, and testing all of it.
    Test,
    /// The first, and counting instructions.
    Measure,
}
