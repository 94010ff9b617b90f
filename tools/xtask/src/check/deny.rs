//! cargo-deny, where it is installed: licenses, duplicates, sources, with `deny.toml`.
//!
//! Not installed on purpose: that takes minutes, and [`super::licenses`] covers what may not slip.
//! Advisories are left to `cargo deny check` by hand, because their database is another download.

use crate::console;
use crate::program::{self, Program};

pub(super) fn check() -> anyhow::Result<()> {
    if !program::is_in_path("cargo-deny") {
        console::say("cargo-deny is not installed (`cargo install cargo-deny`): left out");
        return Ok(());
    }
    Program::new("cargo", ["deny", "--locked", "--log-level", "error", "check"])
        .args(["--hide-inclusion-graph", "licenses", "bans", "sources"])
        .run()
}
