//! `vjam bench`: what a server carries, told by participants that really join it.

use std::fmt::Display;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use loadgen::{Cores, Faults, Plan, Server};
use serde::Serialize;
use signalling_client::RoomLink;

/// What is measured.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Benchmark {
    /// Fills rooms with musicians who play packets, and counts what each of them hears.
    ///
    /// Without --server, a server is started for it on this machine, on other processors than the
    /// musicians where there are two or more.
    Sfu(Flags),
}

/// The command line of `vjam bench sfu`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// A server that runs, by its address or the link of a room: `https://jam.example`. All of the
    /// load comes from one address: its per_address_max must allow that
    #[arg(long, value_name = "LINK")]
    server: Option<String>,

    /// How many rooms
    #[arg(long, default_value_t = 3, value_name = "N")]
    rooms: u32,

    /// How many musicians in each
    #[arg(long, default_value_t = 8, value_name = "M")]
    members: u32,

    /// How long it is measured
    #[arg(long, default_value_t = 10, value_name = "S")]
    seconds: u64,

    /// Packets that each of them sends in a second, up to 400
    #[arg(long, default_value_t = 400, value_name = "PPS")]
    rate: u32,

    /// Adds rooms until the server does not carry them any more; --seconds is for each step
    #[arg(long)]
    saturate: bool,

    /// Lets participants come and go at random in every second room, and watches the server's
    /// memory and everybody else's music meanwhile
    #[arg(long, conflicts_with = "saturate")]
    soak: bool,

    /// Lets everybody in at a slow pace and has them play at --rate only then, past what the server
    /// would take: how loss is spread, and whether what comes is late
    #[arg(long, conflicts_with_all = ["saturate", "soak", "server"])]
    overload: bool,

    /// Repeats the order in which they come and go
    #[arg(long, value_name = "N", default_value_t = 1, requires = "soak")]
    seed: u64,

    /// Prints one line of JSON
    #[arg(long)]
    json: bool,

    /// Starts this program, with the arguments of `vjam serve`, instead of a server of ours
    #[arg(long, value_name = "FILE", hide = true, conflicts_with = "server")]
    program: Option<PathBuf>,
}

/// Measures, and says what came of it.
pub(crate) fn run(benchmark: &Benchmark) -> anyhow::Result<()> {
    let Benchmark::Sfu(flags) = benchmark;
    ensure!(0 < flags.rooms, "a load has at least one room");
    ensure!(2 <= flags.members, "a room has at least two members: nobody hears themselves");
    let plan = Plan {
        rooms: flags.rooms,
        members: flags.members,
        rate: flags.rate,
        duration: Duration::from_secs(flags.seconds.max(1)),
    };
    let mut server = if flags.server.is_none() { Some(start(flags)?) } else { None };
    let link = match (&server, &flags.server) {
        (Some(server), _) => server.link(),
        (None, link) => link.clone().unwrap_or_default(),
    };
    let link = RoomLink::parse(&with_a_room(&link)).context("--server")?;
    if flags.saturate {
        let found = loadgen::saturate(&link, server.as_mut(), &plan, |report| {
            if !flags.json {
                eprint!("{report}");
            }
        })?;
        return say(flags, &found, found.report.faults);
    }
    if flags.soak {
        ensure!(
            2 <= flags.rooms,
            "a soak has at least two rooms: one that changes, one that stays"
        );
        let report = loadgen::soak(&link, server.as_mut(), &plan, flags.seed, |look| {
            let memory = look.server_bytes.map(|bytes| format!(", {} kB", bytes / 1000));
            let dropped = look.server_dropped.map(|count| format!(", {count} not in time"));
            eprintln!(
                "{} s: {} participants{}{}",
                look.elapsed.as_secs(),
                look.participants,
                memory.unwrap_or_default(),
                dropped.unwrap_or_default()
            );
        })?;
        say(flags, &report, report.faults)?;
        ensure!(
            report.memory.is_none_or(|memory| memory.has_returned()),
            "the server's memory did not return to its level"
        );
        return Ok(());
    }
    if flags.overload {
        let report = loadgen::overload(&link, server.as_mut(), &plan)?;
        return say(flags, &report, report.report.faults);
    }
    let report = loadgen::run(&link, server.as_mut(), &plan)?;
    say(flags, &report, report.faults)
}

fn say(flags: &Flags, found: &(impl Display + Serialize), faults: Faults) -> anyhow::Result<()> {
    let text = if flags.json { serde_json::to_string(found)? } else { found.to_string() };
    writeln!(std::io::stdout(), "{}", text.trim_end()).context("standard output is closed")?;
    ensure!(faults.is_none(), "the server did what it must never do: {faults:?}");
    Ok(())
}

fn start(flags: &Flags) -> anyhow::Result<Server> {
    let cores = Cores::split();
    let own = || std::env::current_exe().context("this program does not know where it lies");
    let program = flags.program.clone().map_or_else(own, Ok)?;
    if !flags.json {
        match &cores {
            Some(cores) => eprintln!(
                "server: {} processors of its own; load: one of its own",
                cores.server_cores()
            ),
            None => eprintln!("server and load share the only processor"),
        }
    }
    Ok(Server::start(&program, cores.as_ref())?)
}

/// A server's address as the link of a room on it.
fn with_a_room(link: &str) -> String {
    if link.contains("/r/") {
        link.to_owned()
    } else {
        format!("{}/r/load", link.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_its_address_or_by_a_room() {
        for text in ["http://127.0.0.1:7880", "http://127.0.0.1:7880/", "http://127.0.0.1:7880/r/x"]
        {
            let link = RoomLink::parse(&with_a_room(text)).expect(text);
            assert_eq!(link.port, 7880);
        }
    }
}
