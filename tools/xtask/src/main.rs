//! `cargo xtask VERB`: every routine of the project. `cargo xtask help` lists the verbs; each has
//! a file of its own.
//!
//! Programs are started directly, never through a shell. Whatever takes long says what it is doing
//! while it does it (see [`program`]), with or without a terminal.

use std::process::ExitCode;

use anyhow::Context;

mod bench;
mod build;
mod check;
mod console;
mod e2e;
mod family;
mod fuzz;
mod generate;
mod interrupt;
mod packages;
mod program;
mod realtime;
mod relay;
mod retries;
mod run;
mod setup;
mod sim;
mod steps;
mod tally;
mod test;
mod tree;

/// One thing `cargo xtask` can do.
struct Verb {
    name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    run: fn(&[String]) -> anyhow::Result<()>,
}

const VERBS: &[Verb] = &[
    Verb {
        name: "run",
        arguments: "[-- SERVE OPTIONS]",
        summary: "Sets up what is missing, builds everything, starts a server and prints a link.",
        run: run::run,
    },
    Verb {
        name: "test",
        arguments: "",
        summary: "Sets up what is missing and tests everything. What the gate runs.",
        run: test::run,
    },
    Verb {
        name: "check",
        arguments: "[PART...]",
        summary: "Tidiness, architecture, licenses, duplicates, format, types, lints, documentation.",
        run: check::run,
    },
    Verb {
        name: "generate",
        arguments: "",
        summary: "Writes the TypeScript types of the signalling protocol.",
        run: generate::run,
    },
    Verb {
        name: "sim",
        arguments: "[--seed N] [TEST]",
        summary: "Plays the simulated room; a seed repeats a run exactly.",
        run: sim::run,
    },
    Verb {
        name: "e2e",
        arguments: "[FILE...]",
        summary: "Real processes, a real sound server, real browsers; or just these browser tests.",
        run: e2e::run,
    },
    Verb {
        name: "fuzz",
        arguments: "[TARGET [OPTIONS]]",
        summary: "Throws bytes at a parser until it is stopped; without a target, lists them.",
        run: fuzz::run,
    },
    Verb {
        name: "realtime",
        arguments: "[FILTER]",
        summary: "The engine's callbacks under RealtimeSanitizer: do they ever wait?",
        run: realtime::run,
    },
    Verb {
        name: "bench",
        arguments: "[CRITERION OPTIONS | sfu | arena | browser | callbacks | instructions | room-time [OPTIONS]]",
        summary: "Measures a callback, a codec frame, a packet; server and playout beside others.",
        run: bench::run,
    },
    Verb {
        name: "relay",
        arguments: "LISTEN TARGET [OPTIONS]",
        summary: "A bad network on purpose, before a server's media port; `relay -h` tells the rest.",
        run: relay::run,
    },
    Verb { name: "help", arguments: "", summary: "This list.", run: help },
];

fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> anyhow::Result<()> {
    let root = tree::root();
    std::env::set_current_dir(&root)
        .with_context(|| format!("cannot enter {}, the project's folder", root.display()))?;
    interrupt::listen()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        return help(&[]);
    };
    match VERBS.iter().find(|verb| verb.name == name) {
        Some(verb) if rest.iter().any(|argument| argument == "--help") => {
            console::say(format!("cargo xtask {} {}", verb.name, verb.arguments).trim_end());
            console::say(&format!("    {}", verb.summary));
            Ok(())
        }
        Some(verb) => (verb.run)(rest),
        None if matches!(name.as_str(), "--help" | "-h") => help(&[]),
        None => anyhow::bail!("there is no `{name}`: `cargo xtask help` lists what there is"),
    }
}

fn help(_: &[String]) -> anyhow::Result<()> {
    console::say("cargo xtask VERB: every routine of the project\n");
    for verb in VERBS {
        console::say(format!("  {} {}", verb.name, verb.arguments).trim_end());
        console::say(&format!("      {}", verb.summary));
    }
    console::say(&format!("\nParts of `check`: {}", check::part_names().join(", ")));
    Ok(())
}
