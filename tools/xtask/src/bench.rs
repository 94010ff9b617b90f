//! `cargo xtask bench [CRITERION OPTIONS]`: what a callback, a codec frame, a packet costs.

use crate::program::Program;

pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    Program::new("cargo", ["bench", "--locked", "--package", "benches", "--"]).args(arguments).run()
}
