//! `cargo xtask run`: from a fresh clone to a link that musicians can open.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::Context;

use crate::build;
use crate::console;
use crate::program::Program;
use crate::setup::{self, Purpose};
use crate::steps::Steps;

pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let mut steps = Steps::new();
    // First what nobody but the reader can install.
    steps.need("Node", setup::node_version)?;
    steps.need("system packages", || setup::system_packages(Purpose::Run))?;
    steps.need("Rust for the browser", setup::wasm_target)?;
    steps.need("WebAssembly for browsers", build::wasm_modules)?;
    steps.need("the web app", build::web_app)?;
    steps.need("vjam", || {
        Program::new("cargo", ["build", "--package", "vjam", "--release", "--locked"]).run()
    })?;
    console::heading("vjam serve --dev (Ctrl-C stops it)");
    let vjam = build::target_folder().join("release/vjam");
    let options = arguments.iter().filter(|argument| *argument != "--");
    // We become the server, so that Ctrl-C and SIGTERM reach it and nothing stands between.
    let error = Command::new(&vjam).args(["serve", "--dev"]).args(options).exec();
    Err(error).with_context(|| format!("cannot start {}", vjam.display()))
}
