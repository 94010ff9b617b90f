//! `cargo xtask bench arena`: our playout beside other programs' jitter buffers, on the same packets.
//!
//! A workspace of its own (its manifest says why), so it is built in a folder of its own; all options
//! are its program's.

use crate::build;
use crate::console;
use crate::program::Program;

pub(super) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let target = std::path::absolute(build::target_folder())?.join("arena");
    let only_result = arguments.iter().any(|argument| argument == "--json");
    let build = Program::new("cargo", ["build", "--release", "--locked", "--target-dir"])
        .args([&target])
        .within(FOLDER);
    let arena = Program::new(target.join("release/arena").to_string_lossy().as_ref(), arguments);
    if only_result {
        build.output()?;
        console::say(arena.output()?.trim_end());
        return Ok(());
    }
    build.run()?;
    arena.run()
}

const FOLDER: &str = "benches/arena";
