//! `cargo xtask sim [--seed N] [TEST]`: plays the simulated room.

use anyhow::Context;

use crate::program::Program;

pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let mut seed = None;
    let mut rest = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--seed" {
            let value = arguments.next().context("--seed needs a number")?;
            seed = Some(value.parse::<u64>().with_context(|| format!("--seed {value}"))?);
        } else {
            rest.push(argument.as_str());
        }
    }
    let mut tests = Program::new("cargo", ["test", "--locked", "--package", "tests"])
        .args(["--test", "sim", "--"])
        .args(rest);
    if let Some(seed) = seed {
        tests = tests.env("VJAM_SEED", &seed.to_string());
    }
    tests.run()
}
