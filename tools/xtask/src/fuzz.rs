//! `cargo xtask fuzz [TARGET [OPTIONS]]`: throws bytes at a parser until it is stopped.
//!
//! The gate only replays the corpora, as ordinary tests. Exploring needs a nightly Rust and
//! cargo-fuzz, which are for whoever explores to install.

use anyhow::{Context, bail};

use crate::console;
use crate::program::{self, Program};

pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let targets = targets()?;
    let Some((target, options)) = arguments.split_first() else {
        for target in targets {
            console::say(&target);
        }
        return Ok(());
    };
    if !targets.contains(target) {
        bail!("there is no target `{target}`, only {}", targets.join(", "));
    }
    if !program::is_in_path("cargo-fuzz") {
        bail!(
            "cargo-fuzz is missing: `cargo install cargo-fuzz`, and `rustup toolchain add nightly`"
        );
    }
    Program::new("cargo", ["+nightly", "fuzz", "run", "--fuzz-dir", FOLDER, target, "--"])
        .args(options)
        .run()
}

fn targets() -> anyhow::Result<Vec<String>> {
    let folder = format!("{FOLDER}/fuzz_targets");
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))? {
        let name = entry?.file_name();
        targets.extend(name.to_str().and_then(|name| name.strip_suffix(".rs")).map(str::to_owned));
    }
    targets.sort();
    Ok(targets)
}

const FOLDER: &str = "tests/fuzz";
