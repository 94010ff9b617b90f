//! `vjam`: the one binary. Each command lives in a file of its own; this one only reads the
//! command line and hands over.
//!
//! Which commands exist depends on cargo features: `server` brings `serve` and `bench`, `musician`
//! brings the ones that need a sound card.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[cfg(feature = "server")]
mod admin;
#[cfg(feature = "server")]
mod admin_move;
#[cfg(feature = "server")]
mod backup;
#[cfg(all(feature = "server", target_os = "linux"))]
mod bench;
#[cfg(feature = "musician")]
mod calibrate;
#[cfg(feature = "musician")]
mod check;
#[cfg(feature = "server")]
mod data;
#[cfg(feature = "musician")]
mod device;
#[cfg(feature = "musician")]
mod devices;
#[cfg(feature = "musician")]
mod join;
#[cfg(any(feature = "server", feature = "musician"))]
mod log_filter;
#[cfg(feature = "server")]
mod metrics;
#[cfg(feature = "server")]
mod serve;
#[cfg(feature = "server")]
mod serve_rooms;
#[cfg(feature = "server")]
mod serve_social;
#[cfg(feature = "server")]
mod serve_takes;
#[cfg(feature = "server")]
mod settings;
#[cfg(feature = "server")]
mod settings_identity;
#[cfg(feature = "server")]
mod settings_social;
#[cfg(feature = "server")]
mod size;
#[cfg(feature = "server")]
mod take;
#[cfg(feature = "server")]
mod trusted_proxies;
#[cfg(feature = "server")]
mod web_app;

/// Play music together over the internet, at the earliest moment that holds.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Vjam {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a server: rooms, media and the web app.
    #[cfg(feature = "server")]
    #[command(after_help = settings::HELP)]
    Serve(settings::Flags),
    /// Lists, exports and deletes the takes that a server keeps.
    #[cfg(feature = "server")]
    Take {
        /// What is to be done.
        #[command(subcommand)]
        action: take::Action,
    },
    /// Says who helps to run a server, and moves accounts to another region's.
    #[cfg(feature = "server")]
    Admin {
        /// What is to be done.
        #[command(subcommand)]
        action: admin::Action,
    },
    /// Saves the accounts of a server into an encrypted file, beside a server that runs.
    #[cfg(feature = "server")]
    #[command(after_help = backup::HELP)]
    Backup(backup::Backup),
    /// Brings the accounts back from such a file, into a database that is empty.
    #[cfg(feature = "server")]
    #[command(after_help = backup::HELP)]
    Restore(backup::Restore),
    /// Measures what a server carries.
    #[cfg(all(feature = "server", target_os = "linux"))]
    Bench {
        /// Which part of it.
        #[command(subcommand)]
        benchmark: bench::Benchmark,
    },
    /// Plays in a room.
    #[cfg(feature = "musician")]
    Join(Box<join::Flags>),
    /// Checks sound card, level, feedback and network, and says how well you will play together.
    #[cfg(feature = "musician")]
    Check(Box<check::Flags>),
    /// Measures how long a sound card takes from output to input, and remembers it for `join`.
    #[cfg(feature = "musician")]
    Calibrate(calibrate::Flags),
    /// Lists audio devices, and whether a JACK server runs.
    #[cfg(feature = "musician")]
    Devices,
}

fn main() -> ExitCode {
    let result: anyhow::Result<()> = match Vjam::parse().command {
        #[cfg(feature = "server")]
        Command::Serve(flags) => serve::run(&flags),
        #[cfg(feature = "server")]
        Command::Take { action } => take::run(&action),
        #[cfg(feature = "server")]
        Command::Admin { action } => admin::run(&action),
        #[cfg(feature = "server")]
        Command::Backup(backup) => backup.run(),
        #[cfg(feature = "server")]
        Command::Restore(restore) => restore.run(),
        #[cfg(all(feature = "server", target_os = "linux"))]
        Command::Bench { benchmark } => bench::run(&benchmark),
        #[cfg(feature = "musician")]
        Command::Join(flags) => join::run(&flags),
        #[cfg(feature = "musician")]
        Command::Check(flags) => return check::run(&flags),
        #[cfg(feature = "musician")]
        Command::Calibrate(flags) => calibrate::run(&flags),
        #[cfg(feature = "musician")]
        Command::Devices => devices::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vjam: {error:#}");
            ExitCode::FAILURE
        }
    }
}
