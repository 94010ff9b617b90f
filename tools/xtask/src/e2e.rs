//! `cargo xtask e2e [FILE...]`: real processes, a real sound server and real browsers, on loopback;
//! or the browser tests in the files named.
//!
//! The tests lie in `tests/e2e`. They are given the `vjam` that was just built, in the profile of
//! all tests.

use std::time::Duration;

use crate::build;
use crate::program::Program;
use crate::retries;
use crate::setup::{self, Purpose};
use crate::steps::Steps;
use crate::tally::Tally;

pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let mut steps = Steps::new();
    retries::forget()?;
    steps.need("Node", setup::node_version)?;
    steps.need("system packages", || {
        setup::system_packages(Purpose::Test)?;
        setup::warn_without_namespaces();
        Ok(())
    })?;
    steps.need("Rust for the browser", setup::wasm_target)?;
    steps.need("WebAssembly for browsers", build::wasm_modules)?;
    steps.need("the web app", build::web_app)?;
    steps.need("everything in Rust", build::workspace)?;
    if arguments.is_empty() {
        steps.need("readers of projects", || setup::python_packages(REQUIREMENTS, "python"))?;
        steps.prove("native musicians, on sockets and on JACK; takes", native);
    }
    steps.prove("browsers", |tally| browsers(arguments, tally));
    retries::report(&mut steps)?;
    steps.finish()
}

/// Of the workspace, not of one package, so that nothing is built again with fewer features.
fn native(tally: &mut Tally) -> anyhow::Result<()> {
    Program::new("cargo", ["test", "--workspace", "--locked", "--no-fail-fast"])
        .args(["--test", "e2e_native", "--test", "e2e_jack", "--test", "e2e_takes"])
        .env("VJAM", &build::vjam()?)
        .env(retries::VARIABLE, &retries::path()?)
        .limit(LIMIT)
        .observe(|line| tally.read(line))?
        .succeeded()
}

/// Runs the browser tests, all of them or those in the files named.
pub(crate) fn browsers(files: &[String], tally: &mut Tally) -> anyhow::Result<()> {
    setup::node_packages(FOLDER)?;
    setup::node_packages(PROVIDER)?;
    Program::new("npm", ["test", "--"])
        .args(files)
        .within(FOLDER)
        .env("VJAM", &build::vjam()?)
        .env(retries::VARIABLE, &retries::path()?)
        .limit(LIMIT)
        .observe(|line| tally.read(line))?
        .succeeded()
}

/// What opens downloaded takes.
pub(crate) const REQUIREMENTS: &str = "tests/e2e/takes/requirements.txt";
pub(crate) const FOLDER: &str = "tests/e2e/browser";
/// The provider that tests sign in with.
pub(crate) const PROVIDER: &str = "social/tests/oidc";
const LIMIT: Duration = Duration::from_secs(30 * 60);
