//! What comes with Rust: the standard library for WebAssembly, rustfmt and clippy.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;

use crate::console;
use crate::program::{self, Program};

/// Makes sure that Rust can build for the browser.
pub(crate) fn wasm_target() -> anyhow::Result<()> {
    if has_wasm_target() {
        console::say(&format!("Rust has {WASM_TARGET}"));
        return Ok(());
    }
    rustup(&["target", "add", WASM_TARGET])?;
    if !has_wasm_target() {
        bail!("rustup added {WASM_TARGET} to another toolchain than the one in use");
    }
    Ok(())
}

/// Makes sure that rustfmt and clippy are there.
pub(crate) fn components() -> anyhow::Result<()> {
    let missing: Vec<&str> = [("rustfmt", "fmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(_, verb)| !Program::new("cargo", [verb, "--version"]).works())
        .map(|(component, _)| component)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    rustup(&[&["component", "add"], missing.as_slice()].concat())
}

fn has_wasm_target() -> bool {
    let libraries =
        Program::new("rustc", ["--print", "target-libdir", "--target", WASM_TARGET]).output();
    libraries.is_ok_and(|folder| Path::new(folder.trim()).is_dir())
}

/// Runs rustup, again when it hangs: its downloads sometimes do, and then go through at once.
fn rustup(arguments: &[&str]) -> anyhow::Result<()> {
    if !program::is_in_path("rustup") {
        bail!(
            "there is no rustup here: install what `rustup {}` would, then try again",
            arguments.join(" ")
        );
    }
    let attempt = || Program::new("rustup", arguments).quiet().limit(RUSTUP_LIMIT).run();
    for _ in 1..ATTEMPTS {
        match attempt() {
            Ok(()) => return Ok(()),
            Err(error) => console::say(&format!("  trying once more: {error:#}")),
        }
    }
    attempt()
}

/// Where the browser's engine runs.
const WASM_TARGET: &str = "wasm32-unknown-unknown";
const RUSTUP_LIMIT: Duration = Duration::from_secs(150);
const ATTEMPTS: u32 = 3;
