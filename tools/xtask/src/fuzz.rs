//! `cargo xtask fuzz [TARGET [OPTIONS]]`: throws bytes at a parser until it is stopped.
//!
//! The gate only replays the corpora, as ordinary tests. Exploring needs cargo-fuzz, which is for
//! whoever explores to install, and a compiler that takes unstable options: a nightly one where there
//! is one, and else the usual one, made to take them (`RUSTC_BOOTSTRAP`).

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
        bail!("cargo-fuzz is missing: `cargo install cargo-fuzz --locked`");
    }
    let fuzz = ["fuzz", "run", "--fuzz-dir", FOLDER, target, "--"];
    let program = if has_nightly() {
        Program::new("cargo", ["+nightly"]).args(fuzz)
    } else {
        Program::new("cargo", fuzz).env("RUSTC_BOOTSTRAP", "1")
    };
    program.args(options).run()
}

/// Whether `cargo +nightly` would run.
fn has_nightly() -> bool {
    let toolchains = Program::new("rustup", ["toolchain", "list"]).quiet().output();
    toolchains.is_ok_and(|toolchains| toolchains.contains("nightly"))
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
