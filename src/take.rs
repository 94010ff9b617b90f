//! `vjam take`: the takes in a server's data folder, also while the server runs.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, bail, ensure};
use takes::TakeId;
use takes_server::limits::Limits;
use takes_server::{Status, StemState, offline};

use crate::settings::{Flags as ServeFlags, Settings};
use crate::size::Size;

/// What is done with takes.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// Lists them, the oldest first.
    List {
        /// Where, and how it is told.
        #[command(flatten)]
        flags: Flags,
    },
    /// Writes the zip that can be downloaded of one, from what has come until now.
    Export {
        /// Its name, or the first characters of it
        take: String,
        /// The file, which must not be there yet [default: made of the title]
        file: Option<PathBuf>,
        /// Where, and how it is told.
        #[command(flatten)]
        flags: Flags,
    },
    /// Deletes one and all of its stems, for good.
    Delete {
        /// Its name, or the first characters of it
        take: String,
        /// Where, and how it is told.
        #[command(flatten)]
        flags: Flags,
    },
}

/// What all of them are told.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// The server's data folder [default: as `vjam serve` has it]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Writes JSON
    #[arg(long)]
    json: bool,
}

/// Does it.
pub(crate) fn run(action: &Action) -> anyhow::Result<()> {
    match action {
        Action::List { flags } => list(flags),
        Action::Export { take, file, flags } => export(flags, take, file.as_deref()),
        Action::Delete { take, flags } => delete(flags, take),
    }
}

/// Where a server with the same settings keeps takes, and how.
struct Kept {
    data: PathBuf,
    limits: Limits,
}

/// Those takes.
fn all(flags: &Flags) -> anyhow::Result<(Kept, Vec<Status>)> {
    let serve = ServeFlags { data: flags.data.clone(), ..ServeFlags::default() };
    let settings = Settings::read(&serve)?;
    let (data, limits) = (settings.data.clone(), settings.takes_limits());
    let takes = offline::list(&data, &limits, SystemTime::now())
        .with_context(|| format!("cannot read the takes in {}", data.display()))?;
    Ok((Kept { data, limits }, takes))
}

fn list(flags: &Flags) -> anyhow::Result<()> {
    let (Kept { data, limits: _ }, takes) = all(flags)?;
    let text = if flags.json {
        serde_json::to_string_pretty(&takes)?
    } else if takes.is_empty() {
        format!("There are no takes in {}.", data.display())
    } else {
        takes.iter().map(describe).collect::<Vec<_>>().join("\n")
    };
    say(&text)
}

fn export(flags: &Flags, named: &str, file: Option<&Path>) -> anyhow::Result<()> {
    let (Kept { data, limits }, takes) = all(flags)?;
    let (id, take) = find(&takes, named)?;
    let file = file.map_or_else(|| PathBuf::from(file_name(take)), Path::to_owned);
    ensure!(!file.exists(), "{} is there already; name another file", file.display());
    let watched = !flags.json && std::io::stderr().is_terminal();
    offline::export(&data, &limits, id, &file, |percent| {
        if watched {
            eprint!("\r{percent} %\r");
        }
    })
    .with_context(|| format!("cannot write {}", file.display()))?;
    let bytes = std::fs::metadata(&file)?.len();
    if flags.json {
        let told = serde_json::json!({
            "take": take.take, "file": file, "bytes": bytes, "problems": take.problems,
        });
        return say(&told.to_string());
    }
    let mut lines = vec![format!("{} ({})", file.display(), Size(bytes))];
    lines.extend(take.problems.iter().map(|problem| format!("  {problem}")));
    say(&lines.join("\n"))
}

fn delete(flags: &Flags, named: &str) -> anyhow::Result<()> {
    let (Kept { data, limits: _ }, takes) = all(flags)?;
    let (id, take) = find(&takes, named)?;
    offline::delete_take(&data, id)
        .with_context(|| format!("cannot delete {} in {}", take.take, data.display()))?;
    if flags.json {
        return say(&serde_json::json!({ "take": take.take, "deleted": true }).to_string());
    }
    say(&format!("{} is deleted, {} are free again.", take.take, Size(take.bytes)))
}

/// The one take whose name begins so.
fn find<'a>(takes: &'a [Status], named: &str) -> anyhow::Result<(TakeId, &'a Status)> {
    let mut found = takes.iter().filter(|take| take.take.starts_with(named));
    let (Some(take), None) = (found.next(), found.next()) else {
        let many = takes.iter().filter(|take| take.take.starts_with(named)).count();
        match many {
            0 => bail!("there is no take {named}; `vjam take list` says which there are"),
            _ => bail!("{many} takes begin with {named}; write more of the name"),
        }
    };
    Ok((take.take.parse()?, take))
}

/// One take, for people.
fn describe(take: &Status) -> String {
    let length = match take.seconds {
        Some(seconds) => clock(seconds),
        None if take.running => "running".to_owned(),
        None => "cut off".to_owned(),
    };
    let started = utc(take.started_unix_ms / 1000);
    let (size, room, title) = (Size(take.bytes), &take.room, &take.title);
    let head = format!("{}  {started} UTC  {length}  {size}  {room}  {title}", take.take);
    let mut lines = vec![head.trim_end().to_owned()];
    for stem in &take.stems {
        let state = match stem.state {
            StemState::Arriving => "arriving",
            StemState::Complete => "complete",
            StemState::Missing => "missing",
            StemState::Damaged => "damaged",
        };
        let name = if stem.name.is_empty() { "?" } else { &stem.name };
        let label = if stem.label.is_empty() { "?" } else { &stem.label };
        let seconds = stem.seconds.map_or_else(|| "-".to_owned(), clock);
        lines.push(format!("  {state:<9} {seconds:>8}  {name} ({label})"));
    }
    lines.extend(take.problems.iter().map(|problem| format!("  ! {problem}")));
    lines.join("\n")
}

/// `1:02:03` or `2:03`.
fn clock(seconds: f64) -> String {
    let whole = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default().as_secs();
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// `2026-11-28 14:03`, by the proleptic Gregorian calendar.
fn utc(unix_seconds: u64) -> String {
    let (days, seconds) = (unix_seconds / 86_400, unix_seconds % 86_400);
    let is_leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let (mut year, mut day) = (1970, days);
    while let Some(rest) = day.checked_sub(if is_leap(year) { 366 } else { 365 }) {
        (year, day) = (year + 1, rest);
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        match day.checked_sub(length) {
            Some(rest) => (month, day) = (month + 1, rest),
            None => break,
        }
    }
    let (hour, minute) = (seconds / 3600, seconds / 60 % 60);
    format!("{year}-{month:02}-{:02} {hour:02}:{minute:02}", day + 1)
}

/// Of letters that any file system takes.
fn file_name(take: &Status) -> String {
    let letters = |c: char| if c.is_alphanumeric() { c } else { '-' };
    let title: String = take.title.chars().map(letters).collect();
    let title = title.trim_matches('-');
    let short = take.take.get(..8).unwrap_or(&take.take);
    if title.is_empty() { format!("take-{short}.zip") } else { format!("{title}-{short}.zip") }
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}").context("nobody reads stdout")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_as_calendars_have_them() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00"),
            (951_782_400, "2000-02-29 00:00"),
            (951_868_800, "2000-03-01 00:00"),
            (1_735_689_599, "2024-12-31 23:59"),
            (4_107_542_400, "2100-03-01 00:00"),
        ] {
            assert_eq!(utc(seconds), text);
        }
        assert_eq!(clock(59.9), "0:59");
        assert_eq!(clock(3723.0), "1:02:03");
    }
}
