//! `cargo xtask bench room-time [--json]`: how well eight musicians know their room's clock, in virtual time.

use crate::program::Program;

pub(super) fn run(arguments: &[String]) -> anyhow::Result<()> {
    Program::new("cargo", ["run", "--locked", "--release", "--package", "engine"])
        .args(["--example", "room_time", "--"])
        .args(arguments)
        .run()
}
