//! `cargo xtask generate`: the TypeScript types of the signalling protocol and of the routes of
//! accounts, from the Rust ones.

use crate::build;
use crate::console;
use crate::program::Program;

pub(crate) fn run(_: &[String]) -> anyhow::Result<()> {
    generate(&[])?;
    console::say("web/src/protocol/ is up to date");
    Ok(())
}

/// An error if the committed types are not those that would be generated.
pub(crate) fn check() -> anyhow::Result<()> {
    generate(&["--check"])
}

fn generate(arguments: &[&str]) -> anyhow::Result<()> {
    Program::new("cargo", ["run", "--locked", "--package", "protocol"])
        .args(["--features", "typescript", "--example", "generate", "--"])
        .args(arguments)
        .run()?;
    // Built as a part of the workspace, so that what it stands on is built for both at once.
    Program::new("cargo", ["build", "--locked", "--workspace", "--example", "client"]).run()?;
    let client = build::target_folder().join("debug/examples/client");
    Program::new(&client.to_string_lossy(), arguments).run()
}
