//! `cargo xtask e2e [TEST...]`: real browsers against a real server, on loopback.
//!
//! The tests lie in `tests/e2e/browser`. They are given the `vjam` that was just built, in the
//! profile of all tests.

use std::time::Duration;

use crate::build;
use crate::program::Program;
use crate::setup::{self, Purpose};
use crate::steps::Steps;
use crate::tally::Tally;

pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let mut steps = Steps::new();
    steps.need("system packages", || setup::system_packages(Purpose::Test))?;
    steps.need("Rust for the browser", setup::wasm_target)?;
    steps.need("Node", setup::node_version)?;
    steps.need("the engine for browsers", build::wasm_engine)?;
    steps.need("the web app", build::web_app)?;
    steps.need("everything in Rust", build::workspace)?;
    steps.prove("browsers", |tally| browsers(arguments, tally));
    steps.finish()
}

/// Runs the browser tests, all of them or those in the files named.
pub(crate) fn browsers(files: &[String], tally: &mut Tally) -> anyhow::Result<()> {
    setup::node_packages(FOLDER)?;
    Program::new("npm", ["test", "--"])
        .args(files)
        .within(FOLDER)
        .env("VJAM", &build::vjam()?)
        .limit(LIMIT)
        .observe(|line| tally.read(line))?
        .succeeded()
}

pub(crate) const FOLDER: &str = "tests/e2e/browser";
const LIMIT: Duration = Duration::from_secs(30 * 60);
