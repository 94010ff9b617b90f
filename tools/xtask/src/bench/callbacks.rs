//! `cargo xtask bench callbacks [REMOTES] [SECONDS]`: how much of a period the audio callback needs.

use crate::program::Program;

pub(super) fn run(arguments: &[String]) -> anyhow::Result<()> {
    Program::new("cargo", ["run", "--release", "--locked", "--package", "benches"])
        .args(["--bin", "callback_budget", "--"])
        .args(arguments)
        .run()
}
