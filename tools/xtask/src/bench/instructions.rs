//! `cargo xtask bench instructions [--check | --write]`: instructions for each forwarded packet.
//!
//! Counted by callgrind, which tells the program of a processor with fewer features than ours, so that
//! the same code runs everywhere. What surprises: a change of compiler moves the numbers; then they are
//! written anew, in a commit of their own.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};

use crate::build;
use crate::console;
use crate::program::Program;
use crate::setup::{self, Purpose};

pub(super) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let task = match arguments.first().map(String::as_str) {
        None => Task::Show,
        Some("--check") => Task::Check,
        Some("--write") => Task::Write,
        Some(other) => bail!("`bench instructions` takes --check or --write, not {other}"),
    };
    setup::system_packages(Purpose::Measure)?;
    Program::new("cargo", ["build", "--release", "--locked", "--package", "benches"])
        .args(["--bin", "forward_instructions"])
        .run()?;
    let before = baseline()?;
    let mut text = String::from(HEAD);
    let mut findings = Vec::new();
    for subscribers in SUBSCRIBERS {
        let counted = count(subscribers)?;
        let was = before.get(&subscribers).copied();
        let change = was.map(|was| 100.0 * (counted / was - 1.0));
        let shown =
            change.map_or(String::new(), |change| format!(", {change:+.1} % of the baseline"));
        console::say(&format!("{subscribers:>2} subscribers: {counted:.0} for each copy{shown}"));
        text.push_str(&format!("{subscribers} {counted:.0}\n"));
        findings.extend(change.filter(|change| GROWTH_MAX_PERCENT < *change).map(|change| {
            format!(
                "{subscribers} subscribers: {change:.1} % more instructions than {BASELINE} has"
            )
        }));
    }
    match task {
        Task::Show => Ok(()),
        Task::Write => {
            std::fs::write(BASELINE, text).with_context(|| format!("cannot write {BASELINE}"))
        }
        Task::Check => {
            ensure!(!before.is_empty(), "{BASELINE} has no numbers");
            ensure!(findings.is_empty(), "{}", findings.join("; "));
            Ok(())
        }
    }
}

/// What is done with the numbers.
enum Task {
    Show,
    Check,
    Write,
}

/// Instructions for each copy of a packet that goes to so many subscribers.
fn count(subscribers: u32) -> anyhow::Result<f64> {
    let program = build::target_folder().join("release/forward_instructions");
    let output = Program::new("valgrind", ["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--toggle-collect=forward_instructions::counted*"])
        .args([&program])
        .args([subscribers.to_string(), PACKETS.to_string()])
        .errors()?;
    let collected = collected(&output).with_context(|| format!("valgrind said: {output}"))?;
    ensure!(collected != 0, "callgrind did not find what it should count");
    Ok(collected as f64 / f64::from(PACKETS) / f64::from(subscribers))
}

/// The number behind `Collected :`.
fn collected(output: &str) -> Option<u64> {
    let (_, rest) = output.split_once("Collected : ")?;
    rest.split_whitespace().next()?.parse().ok()
}

fn baseline() -> anyhow::Result<BTreeMap<u32, f64>> {
    let text = match std::fs::read_to_string(BASELINE) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        text => text.with_context(|| format!("cannot read {BASELINE}"))?,
    };
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let read = |line: &str| {
        let (subscribers, counted) = line.split_once(' ')?;
        Some((subscribers.parse().ok()?, counted.parse().ok()?))
    };
    Ok(lines.filter_map(read).collect())
}

const BASELINE: &str = "benches/instructions.txt";
const HEAD: &str =
    "# Instructions for each copy of a packet, by subscribers of its publisher: opened once, then
# rewritten and sealed for each. `cargo xtask bench instructions --write` writes them.
";
const SUBSCRIBERS: [u32; 3] = [1, 7, 15];
const PACKETS: u32 = 2000;
const GROWTH_MAX_PERCENT: f64 = 5.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callgrind_collected_is_read() {
        let output = "==1== Events    : Ir\n==1== Collected : 12345\n==1== \n";
        assert_eq!(collected(output), Some(12_345));
        assert_eq!(collected("==1== valgrind: no such program"), None);
    }
}
