//! `cargo xtask bench sfu`: our SFU beside a minimal forwarder on the async `webrtc` crate, each under
//! the same load, one after the other.
//!
//! Both are started, watched and stopped by `vjam bench sfu`, which says what came of it in one line
//! of JSON. Of that, two numbers are looked for here; a JSON parser would be every newcomer's to build.

use std::time::Duration;

use anyhow::{Context, bail};

use crate::build;
use crate::console;
use crate::program::Program;

/// What is measured of both.
struct Load {
    rooms: u32,
    members: u32,
    seconds: u32,
    saturate: bool,
    json: bool,
}

pub(super) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let load = Load::read(arguments)?;
    let folder = std::path::absolute(build::target_folder())?;
    let beside = folder.join("webrtc-forwarder");
    let build = ["build", "--release", "--locked"];
    load.take(Program::new("cargo", build).args(["--package", "vjam"]))?;
    if !load.json {
        console::say("the forwarder takes some minutes to build, once");
    }
    load.take(
        Program::new("cargo", build).args(["--target-dir"]).args([&beside]).within(FORWARDER),
    )?;
    let path = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    let ours = path(folder.join("release/vjam"));
    let theirs = path(beside.join("release/webrtc-forwarder"));
    let vjam = load.measure(&ours, &[])?;
    let webrtc = load.measure(&ours, &["--program", &theirs])?;
    let ratio = number(&vjam, COST)? / number(&webrtc, COST)?;
    if load.json {
        console::say(&together(&vjam, &webrtc, ratio)?);
        return Ok(());
    }
    let row = |name: &str, unit: &str, key: &str| {
        let (vjam, webrtc) = (number(&vjam, key)?, number(&webrtc, key)?);
        console::say(&format!("{name:<24} {vjam:>12.2} {webrtc:>12.2}  {unit}"));
        anyhow::Ok(())
    };
    console::say(&format!("\n{:<24} {:>12} {:>12}", "", "vjam", "webrtc"));
    row("rooms", "", "rooms")?;
    row("forwarded", "packets/s", "forwarded_pps")?;
    row("lost", "packets", "lost")?;
    row("delay, half of all", "µs", "p50")?;
    row("delay, 99 %", "µs", "p99")?;
    row("delay, 99.9 %", "µs", "p999")?;
    row("server", "cores busy", "server_cpu")?;
    row("server, each packet", "µs of processor time", COST)?;
    row("server, each participant", "bytes", "server_bytes_per_participant")?;
    row("load", "cores busy", "generator_cpu")?;
    console::say(&format!("vjam takes {ratio:.3} of the processor time for each packet"));
    Ok(())
}

impl Load {
    fn read(arguments: &[String]) -> anyhow::Result<Self> {
        let mut load = Self { rooms: 3, members: 8, seconds: 10, saturate: false, json: false };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let value =
                    arguments.next().with_context(|| format!("{argument} needs a number"))?;
                value.parse().with_context(|| format!("{argument}: {value} is no number"))
            };
            match argument.as_str() {
                "--rooms" => load.rooms = value()?,
                "--members" => load.members = value()?,
                "--seconds" => load.seconds = value()?,
                "--saturate" => load.saturate = true,
                "--json" => load.json = true,
                _ => bail!("`bench sfu` does not know {argument}"),
            }
        }
        Ok(load)
    }

    /// The line that `vjam bench sfu --json` ends with.
    fn measure(&self, vjam: &str, options: &[&str]) -> anyhow::Result<String> {
        let mut arguments = vec!["bench".to_owned(), "sfu".to_owned(), "--json".to_owned()];
        for (name, value) in
            [("--rooms", self.rooms), ("--members", self.members), ("--seconds", self.seconds)]
        {
            arguments.extend([name.to_owned(), value.to_string()]);
        }
        if self.saturate {
            arguments.push("--saturate".to_owned());
        }
        arguments.extend(options.iter().map(|option| (*option).to_owned()));
        // How many tracks the forwarder offers; ours does not need to know.
        let members = self.members.to_string();
        let printed = self.take(Program::new(vjam, arguments).env("MEMBERS", &members))?;
        let line = printed.lines().rev().find(|line| line.starts_with('{'));
        Ok(line.context("`vjam bench sfu` printed no result")?.to_owned())
    }

    /// Runs a program and gives what it printed, which is shown meanwhile unless ours is to be the
    /// only line.
    fn take(&self, program: Program) -> anyhow::Result<String> {
        if self.json {
            return program.output();
        }
        let mut printed = String::new();
        program
            .limit(LIMIT)
            .observe(|line| {
                printed.push_str(line);
                printed.push('\n');
            })?
            .succeeded()?;
        Ok(printed)
    }
}

/// One object: ours, and in it theirs.
fn together(vjam: &str, webrtc: &str, ratio: f64) -> anyhow::Result<String> {
    let open = vjam.trim().strip_suffix('}').context("a result is not an object")?;
    Ok(format!("{open},\"webrtc\":{webrtc},\"cpu_ratio\":{ratio:.3}}}"))
}

/// The first number of that name in a line of JSON.
fn number(json: &str, key: &str) -> anyhow::Result<f64> {
    let missing = || format!("no number `{key}` in {json}");
    let (_, rest) = json.split_once(&format!("\"{key}\":")).with_context(missing)?;
    let end = rest.find([',', '}']).unwrap_or(rest.len());
    rest[..end].parse().with_context(missing)
}

const FORWARDER: &str = "benches/webrtc-forwarder";
const COST: &str = "server_cpu_us_per_packet";
const LIMIT: Duration = Duration::from_secs(20 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_their_names() {
        let json = r#"{"rooms":3,"delay_us":{"p50":51.5,"p99":90},"server_cpu":null}"#;
        assert_eq!(number(json, "rooms").expect("it is there"), 3.0);
        assert_eq!(number(json, "p50").expect("it is there"), 51.5);
        assert_eq!(number(json, "p99").expect("it is there"), 90.0);
        assert!(number(json, "server_cpu").is_err(), "it is not known");
        assert!(number(json, "p9").is_err());
    }

    #[test]
    fn theirs_lies_within_ours() {
        let line = together("{\"a\":{\"b\":1}}", "{\"a\":2}", 0.5).expect("objects");
        assert_eq!(line, "{\"a\":{\"b\":1},\"webrtc\":{\"a\":2},\"cpu_ratio\":0.500}");
        assert!(together("", "{}", 1.0).is_err());
    }

    #[test]
    fn a_load_is_read_from_its_options() {
        let read = |text: &str| {
            Load::read(&text.split(' ').map(str::to_owned).collect::<Vec<_>>())
                .map(|load| (load.rooms, load.members, load.seconds, load.saturate, load.json))
        };
        let full = read("--rooms 5 --members 4 --seconds 7 --json --saturate");
        assert_eq!(full.expect("all are known"), (5, 4, 7, true, true));
        assert_eq!(read("--json").expect("the rest has defaults"), (3, 8, 10, false, true));
        assert!(read("--rooms").is_err());
        assert!(read("--rooms many").is_err());
        assert!(read("--fast").is_err());
    }
}
