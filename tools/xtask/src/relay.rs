//! `cargo xtask relay LISTEN TARGET [OPTIONS]`: a bad network, on purpose, before a server.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::Context;

use crate::build;
use crate::program::Program;

pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    Program::new("cargo", ["build", "--package", "relay", "--release", "--locked"])
        .quiet()
        .run()?;
    let relay = build::target_folder().join("release/vjam-relay");
    // We become the relay, so that Ctrl-C and SIGTERM reach it and nothing stands between.
    let error = Command::new(&relay).args(arguments).exec();
    Err(error).with_context(|| format!("cannot start {}", relay.display()))
}
