//! `cargo xtask check [PART...]`: what must hold before a change lands. The cheap parts first.

mod architecture;
mod duplicates;
mod licenses;
mod map;
mod real_time;
mod rust_source;
mod tidy;

use anyhow::bail;

use crate::console;
use crate::generate;
use crate::program::Program;
use crate::setup;
use crate::steps::Steps;
use crate::tally::Tally;

/// One part of the gate.
struct Part {
    name: &'static str,
    title: &'static str,
    run: fn() -> anyhow::Result<()>,
}

const PARTS: &[Part] = &[
    Part { name: "tidy", title: "tidy: sizes, leftovers, rt/, unsafe", run: tidy::check },
    Part {
        name: "architecture",
        title: "architecture: who may use what",
        run: architecture::check,
    },
    Part { name: "licenses", title: "licenses of what is compiled in", run: licenses::check },
    Part { name: "duplicates", title: "crates in two versions", run: duplicates::check },
    Part { name: "format", title: "format", run: format },
    Part { name: "types", title: "types of the web app", run: types },
    Part { name: "generate", title: "generated types are up to date", run: generate::check },
    Part { name: "clippy", title: "lints", run: clippy },
    Part { name: "docs", title: "documentation builds", run: docs },
];

/// The names that `check` takes.
pub(crate) fn part_names() -> Vec<&'static str> {
    PARTS.iter().map(|part| part.name).collect()
}

pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    for argument in arguments {
        if !PARTS.iter().any(|part| part.name == argument) {
            bail!("`check` has no part `{argument}`, only {}", part_names().join(", "));
        }
    }
    let mut steps = Steps::new();
    let wanted = |part: &&Part| arguments.is_empty() || arguments.iter().any(|a| a == part.name);
    for part in PARTS.iter().filter(wanted) {
        steps.prove(part.title, |tally| take(part, tally));
    }
    steps.finish()
}

/// Takes every part as a step of a larger routine.
pub(crate) fn all(steps: &mut Steps) {
    for part in PARTS {
        steps.prove(part.title, |tally| take(part, tally));
    }
}

fn take(part: &Part, tally: &mut Tally) -> anyhow::Result<()> {
    (part.run)()?;
    tally.passed += 1;
    Ok(())
}

fn format() -> anyhow::Result<()> {
    setup::rust_components()?;
    Program::new("cargo", ["fmt", "--all", "--check"]).run()
}

fn types() -> anyhow::Result<()> {
    setup::node_packages("web")?;
    Program::new("npm", ["run", "check"]).within("web").run()
}

fn clippy() -> anyhow::Result<()> {
    setup::rust_components()?;
    Program::new("cargo", ["clippy", "--workspace", "--all-targets", "--locked"])
        .args(["--keep-going", "--", "--deny", "warnings"])
        .run()?;
    // With all of the workspace, `vjam` always has both halves.
    for half in ["server", "musician"] {
        Program::new("cargo", ["clippy", "--package", "vjam", "--all-targets", "--locked"])
            .args(["--no-default-features", "--features", half, "--", "--deny", "warnings"])
            .run()?;
    }
    Ok(())
}

fn docs() -> anyhow::Result<()> {
    Program::new("cargo", ["doc", "--workspace", "--no-deps", "--document-private-items"])
        .args(["--locked", "--keep-going"])
        .env("RUSTDOCFLAGS", "--deny warnings --allow rustdoc::private_intra_doc_links")
        .run()
}

/// Prints what was found and where; an error if anything was.
fn report(what: &str, findings: &[String]) -> anyhow::Result<()> {
    for finding in findings {
        console::say(&format!("  {finding}"));
    }
    match findings.len() {
        0 => Ok(()),
        1 => bail!("{what}: one finding"),
        many => bail!("{what}: {many} findings"),
    }
}
