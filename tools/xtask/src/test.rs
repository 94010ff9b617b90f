//! `cargo xtask test`: everything is tested, on a machine that may have nothing yet.
//!
//! What later steps stand on stops the routine when it fails; what proves something does not, so
//! that one run shows all there is to repair.

use std::time::Duration;

use crate::build;
use crate::check;
use crate::console;
use crate::e2e;
use crate::program::Program;
use crate::setup::{self, Purpose};
use crate::steps::Steps;
use crate::tally::Tally;

pub(crate) fn run(_: &[String]) -> anyhow::Result<()> {
    let mut steps = Steps::new();
    if let Err(error) = take(&mut steps) {
        console::say(&format!("{error:#}, because the rest stands on it"));
    }
    steps.finish()
}

fn take(steps: &mut Steps) -> anyhow::Result<()> {
    steps.need("system packages", || setup::system_packages(Purpose::Test))?;
    steps.need("Rust: browser target, rustfmt, clippy", || {
        setup::wasm_target()?;
        setup::rust_components()
    })?;
    steps.need("Node and its packages", || {
        setup::node_version()?;
        setup::node_packages("web")?;
        setup::node_packages(e2e::FOLDER)
    })?;
    steps.need("build: the engine for browsers", build::wasm_engine)?;
    steps.need("build: the web app", build::web_app)?;
    check::all(steps);
    steps.need("build: everything in Rust", build::workspace)?;
    steps.prove("tests in Rust", rust);
    steps.prove("tests of the web app", web);
    steps.prove("tests in browsers", |tally| e2e::browsers(&[], tally));
    Ok(())
}

fn rust(tally: &mut Tally) -> anyhow::Result<()> {
    Program::new("cargo", ["test", "--workspace", "--locked", "--no-fail-fast"])
        .env("VJAM", &build::vjam()?)
        .limit(LIMIT)
        .observe(|line| tally.read(line))?
        .succeeded()
}

fn web(tally: &mut Tally) -> anyhow::Result<()> {
    Program::new("npm", ["test"])
        .within("web")
        .limit(LIMIT)
        .observe(|line| tally.read(line))?
        .succeeded()
}

const LIMIT: Duration = Duration::from_secs(30 * 60);
