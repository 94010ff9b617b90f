//! `cargo xtask generate`: the TypeScript types of the signalling protocol, from the Rust ones.

use crate::console;
use crate::program::Program;

pub(crate) fn run(_: &[String]) -> anyhow::Result<()> {
    generator(&[]).run()?;
    console::say("web/src/protocol/ is up to date");
    Ok(())
}

/// An error if the committed types are not those that would be generated.
pub(crate) fn check() -> anyhow::Result<()> {
    generator(&["--check"]).run()
}

fn generator(arguments: &[&str]) -> Program {
    Program::new("cargo", ["run", "--locked", "--package", "protocol"])
        .args(["--features", "typescript", "--example", "generate", "--"])
        .args(arguments)
}
