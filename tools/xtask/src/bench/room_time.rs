//! `cargo xtask bench room-time [--json]`: how well musicians know their room's clock, and what stands on it: the click at each
//! ear, beats of others in *beat* mode, changes of mode. In virtual time. With `--json` a line for each part.

use crate::program::Program;

pub(super) fn run(arguments: &[String]) -> anyhow::Result<()> {
    for (package, example) in [("engine", "room_time"), ("tests", "ensemble")] {
        Program::new("cargo", ["run", "--locked", "--release", "--package", package])
            .args(["--example", example, "--"])
            .args(arguments)
            .run()?;
    }
    Ok(())
}
