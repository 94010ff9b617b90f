//! `cargo xtask bench browser [MINUTES] [--json]`: whether the delay in a browser comes back after stalls.

use crate::build;
use crate::e2e;
use crate::program::Program;
use crate::setup::{self, Purpose};

pub(super) fn run(arguments: &[String]) -> anyhow::Result<()> {
    setup::node_version()?;
    setup::system_packages(Purpose::Test)?;
    setup::wasm_target()?;
    build::wasm_modules()?;
    build::web_app()?;
    build::workspace()?;
    setup::node_packages(e2e::FOLDER)?;
    Program::new("node", ["long_run.js"])
        .args(arguments)
        .within(e2e::FOLDER)
        .env("VJAM", &build::vjam()?)
        .run()
}
