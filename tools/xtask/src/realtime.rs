//! `cargo xtask realtime [FILTER]`: the engine's session tests under RealtimeSanitizer.
//!
//! The tests of the gate run the callbacks under an allocator that aborts. This hears the rest, in libopus
//! as well: locks that wait, files, sockets. What surprises: a function that is inlined into one without the
//! mark is not watched, so the marks say `inline(never)` as well. It needs what the compiler calls unstable, so
//! it is not part of the gate; any compiler of the last years that ships the sanitizer's runtime will do.

use anyhow::{Context, bail};

use crate::build;
use crate::console;
use crate::program::Program;

pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let target = std::path::absolute(build::target_folder())?.join("realtime");
    std::fs::create_dir_all(&target)
        .with_context(|| format!("cannot make {}", target.display()))?;
    bites(&target)?;
    let host = host()?;
    Program::new("cargo", ["test", "--locked", "--package", "engine", "--test", "session"])
        .args(["--target", &host, "--target-dir"])
        .args([&target])
        .args(arguments)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Zsanitizer=realtime --cfg realtime_sanitizer")
        .run()
}

/// Makes sure that the sanitizer is there and ends a program that allocates where it must not.
fn bites(folder: &std::path::Path) -> anyhow::Result<()> {
    let (source, program) = (folder.join("bites.rs"), folder.join("bites"));
    std::fs::write(&source, BITES).with_context(|| format!("cannot write {}", source.display()))?;
    Program::new("rustc", ["-Zsanitizer=realtime", "--edition", "2024", "-o"])
        .args([&program, &source])
        .env("RUSTC_BOOTSTRAP", "1")
        .quiet()
        .run()
        .context("this compiler has no RealtimeSanitizer")?;
    if Program::new(&program.to_string_lossy(), [""; 0]).works() {
        bail!("RealtimeSanitizer lets a callback allocate: nothing it says is worth anything");
    }
    console::say("RealtimeSanitizer ends a callback that allocates, as it should");
    Ok(())
}

/// Sanitizers are for a target that is named, even if it is this machine's.
fn host() -> anyhow::Result<String> {
    let said = Program::new("rustc", ["-vV"]).output()?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("`rustc -vV` names no host")
}

const BITES: &str = r#"
#![feature(sanitize)]
#[sanitize(realtime = "nonblocking")]
#[inline(never)]
fn callback(bytes: usize) -> usize {
    std::hint::black_box(vec![1_u8; bytes]).len()
}
fn main() {
    std::process::exit(i32::from(callback(std::env::args().count()) == 0));
}
"#;
