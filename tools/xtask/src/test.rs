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
use crate::retries;
use crate::setup::{self, Purpose};
use crate::steps::Steps;
use crate::tally::Tally;

pub(crate) fn run(_: &[String]) -> anyhow::Result<()> {
    let mut steps = Steps::new();
    if let Err(error) = take(&mut steps) {
        console::say(&format!("{error:#}, because the rest stands on it"));
    }
    retries::report(&mut steps)?;
    steps.finish()
}

fn take(steps: &mut Steps) -> anyhow::Result<()> {
    retries::forget()?;
    steps.need("Node", setup::node_version)?;
    steps.need("system packages", || {
        setup::system_packages(Purpose::Test)?;
        setup::warn_without_namespaces();
        Ok(())
    })?;
    steps.need("Rust: browser target, rustfmt, clippy", || {
        setup::wasm_target()?;
        setup::rust_components()
    })?;
    steps.need("packages of the web app and of its tests", || {
        setup::node_packages("web")?;
        setup::node_packages(e2e::FOLDER)?;
        setup::node_packages(CRASHES)?;
        setup::node_packages(PUSH_SERVICE)?;
        setup::node_packages(e2e::PROVIDER)
    })?;
    steps.need("readers of projects, and programs that crash", || {
        setup::python_packages(e2e::REQUIREMENTS, "python")?;
        setup::python_packages(&format!("{CRASHES}/requirements.txt"), "python-crash")
    })?;
    steps.need("a server that speaks S3", || setup::python_packages(S3_REQUIREMENTS, "moto"))?;
    steps.need("a reader of descriptions", || {
        setup::python_packages(DESCRIPTION_REQUIREMENTS, "schemathesis")
    })?;
    steps.need("build: WebAssembly for browsers", build::wasm_modules)?;
    steps.need("build: the web app", build::web_app)?;
    check::all(steps);
    steps.need("build: everything in Rust", build::workspace)?;
    steps.prove("tests in Rust", rust);
    steps.prove("tests of the arena", arena);
    steps.prove("tests of the web app", web);
    steps.prove("tests in browsers", |tally| e2e::browsers(&[], tally));
    Ok(())
}

fn rust(tally: &mut Tally) -> anyhow::Result<()> {
    Program::new("cargo", ["test", "--workspace", "--locked", "--no-fail-fast"])
        .env("VJAM", &build::vjam()?)
        .env(retries::VARIABLE, &retries::path()?)
        .limit(LIMIT)
        .observe(|line| tally.read(line))?
        .succeeded()
}

/// A workspace of its own, of some twenty small crates.
fn arena(tally: &mut Tally) -> anyhow::Result<()> {
    let target = std::path::absolute(build::target_folder())?.join("arena");
    Program::new("cargo", ["test", "--locked", "--no-fail-fast", "--target-dir"])
        .args([target])
        .within("benches/arena")
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

/// Programs that report crashes with Sentry's SDKs.
const CRASHES: &str = "social/tests/crash";

/// The push service that browsers of tests use.
const PUSH_SERVICE: &str = "social/tests/push";

const LIMIT: Duration = Duration::from_secs(30 * 60);

/// What the tests of `social` keep files in, beside a disk.
const S3_REQUIREMENTS: &str = "social/tests/requirements.txt";

/// What asks `social` for everything that it says it answers.
const DESCRIPTION_REQUIREMENTS: &str = "social/tests/schemathesis/requirements.txt";
