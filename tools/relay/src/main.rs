//! `vjam-relay LISTEN TARGET`: a network that does harm on purpose, before a server's media port.
//!
//! Only reads the command line and says what happens; the relay is [`relay::udp`]'s.

use std::io::{IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Arg, ArgMatches, Command, value_parser};
use relay::preset::{PRESETS, Preset};
use relay::spec::{KEYS, Spec};
use relay::trace::Trace;
use relay::udp::{Counts, Relay, Settings, Way};
use signal_hook::consts::{SIGINT, SIGTERM};

fn main() -> ExitCode {
    match run(&command().get_matches()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vjam-relay: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command() -> Command {
    let presets = PRESETS.iter().map(|preset| format!("  {:<18}{}\n", preset.name, preset.about));
    let help = format!(
        "Presets:\n{}\nTimes are one way. Weather is said for both directions; --up and --down take \
         [PRESET,]KEY=VALUE,... for one, with the options above for keys:\n\n  \
         vjam-relay 9000 127.0.0.1:7882 --preset wifi-bad --up rate=1mbit,queue=200ms\n  \
         vjam join http://HOST:7880/r/ROOM --media-via 127.0.0.1:9000",
        presets.collect::<String>()
    );
    let own = [
        Arg::new("listen")
            .value_name("LISTEN")
            .required(true)
            .help("Where participants send to: ADDRESS:PORT, or a port of loopback")
            .value_parser(listen_address),
        Arg::new("target")
            .value_name("TARGET")
            .required(true)
            .help("Where their server takes media: HOST:PORT")
            .value_parser(target_address),
        Arg::new("preset")
            .long("preset")
            .value_name("NAME")
            .help("A network to start from (see below)")
            .value_parser(preset),
        Arg::new("seed")
            .long("seed")
            .value_name("NUMBER")
            .help("Repeats the weather")
            .default_value("1")
            .value_parser(value_parser!(u64)),
        Arg::new("report")
            .long("report")
            .value_name("SECONDS")
            .help("How often to say what happened; 0 says it only at the end")
            .default_value("10")
            .value_parser(value_parser!(u32)),
    ];
    let keys = KEYS
        .iter()
        .map(|key| Arg::new(key.name).long(key.name).value_name(key.value).help(key.help));
    let trace = |name: &'static str, help: &'static str| {
        let arg = Arg::new(name).long(name).value_name("FILE").help(help);
        arg.value_parser(value_parser!(PathBuf))
    };
    let one_way = |name: &'static str, help: &'static str| {
        let arg = Arg::new(name).long(name).value_name("SPEC").help(help);
        arg.value_parser(|text: &str| text.parse::<Spec>())
    };
    let ways = [
        trace(
            "trace",
            "Replays delays, on top of --delay, and losses: a line for each datagram, in \
                        microseconds, or `lost`",
        ),
        one_way("up", "What is different towards the target"),
        one_way("down", "What is different on the way back"),
        trace("up-trace", "A trace for the way to the target alone"),
        trace("down-trace", "A trace for the way back alone"),
    ];
    Command::new("vjam-relay")
        .about("Relays UDP, and does to it what networks do.")
        .args(own.into_iter().chain(keys).chain(ways))
        .after_help(help)
}

fn listen_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    text.parse().map_err(|_| "it is ADDRESS:PORT, or a port of loopback".to_owned())
}

fn target_address(text: &str) -> Result<SocketAddr, String> {
    let mut addresses = text.to_socket_addrs().map_err(|error| error.to_string())?;
    addresses.next().ok_or_else(|| "it has no address".to_owned())
}

fn preset(text: &str) -> Result<&'static Preset, String> {
    Preset::named(text).ok_or_else(|| "there is no such preset (--help lists them)".to_owned())
}

/// What the command line says of both directions.
fn ways(matches: &ArgMatches) -> anyhow::Result<[Way; 2]> {
    let preset = matches.get_one::<&'static Preset>("preset");
    let mut weathers = preset.map_or_else(Default::default, |preset| preset.weather());
    for key in KEYS {
        if let Some(value) = matches.get_one::<String>(key.name) {
            for weather in &mut weathers {
                key.set(weather, value).map_err(|error| anyhow::anyhow!("--{error}"))?;
            }
        }
    }
    let both = read_trace(matches, "trace")?;
    let mut ways = weathers.map(|weather| Way { weather, trace: both.clone() });
    let one = [("up", "up-trace"), ("down", "down-trace")];
    for (place, (way, (name, trace))) in ways.iter_mut().zip(one).enumerate() {
        if let Some(spec) = matches.get_one::<Spec>(name) {
            if let Some(preset) = spec.preset {
                let [up, down] = preset.weather();
                way.weather = if place == 0 { up } else { down };
            }
            spec.change(&mut way.weather).with_context(|| format!("--{name}"))?;
        }
        if let Some(trace) = read_trace(matches, trace)? {
            way.trace = Some(trace);
        }
        way.weather.check().with_context(|| format!("the way {name}"))?;
    }
    Ok(ways)
}

fn read_trace(matches: &ArgMatches, name: &str) -> anyhow::Result<Option<Trace>> {
    let Some(path) = matches.get_one::<PathBuf>(name) else { return Ok(None) };
    let read = |path: &Path| anyhow::Ok(Trace::parse(&std::fs::read_to_string(path)?)?);
    read(path).map(Some).with_context(|| format!("--{name} {}", path.display()))
}

fn run(matches: &ArgMatches) -> anyhow::Result<()> {
    let argument = |name: &str| {
        let address = matches.get_one::<SocketAddr>(name).copied();
        address.with_context(|| format!("{name} is missing"))
    };
    let (listen, target) = (argument("listen")?, argument("target")?);
    let seed = matches.get_one::<u64>("seed").copied().unwrap_or(1);
    let report_s = matches.get_one::<u32>("report").copied().unwrap_or(0);
    let asked_to_end = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&asked_to_end))?;
    }
    let relay = Relay::start(Settings { listen, target, ways: ways(matches)?, seed })?;
    let ends = if std::io::stdin().is_terminal() { " (Ctrl-C ends it)" } else { "" };
    say(&format!("relaying from {} to {target}, seed {seed}{ends}", relay.address()));
    let every = Duration::from_secs(report_s.into());
    let mut reported_at = Instant::now();
    while relay.is_running() && !asked_to_end.load(Ordering::Relaxed) {
        std::thread::sleep(NAP);
        if !every.is_zero() && every <= reported_at.elapsed() {
            reported_at += every;
            say(&account(&relay.counts()));
        }
    }
    say(&account(&relay.end()?));
    Ok(())
}

/// How soon a signal is obeyed.
const NAP: Duration = Duration::from_millis(50);

fn account(counts: &Counts) -> String {
    let mut text = format!("{} clients", counts.clients);
    for (name, way) in ["up", "down"].into_iter().zip(counts.ways) {
        let part = 100.0 * way.lost as f64 / way.arrived.max(1) as f64;
        text += &format!(
            "; {name}: {} came, {} lost ({part:.2} %), {} sent",
            way.arrived, way.lost, way.delivered
        );
        if 0 < way.failed {
            text += &format!(", {} failed", way.failed);
        }
    }
    if 0 < counts.refused {
        text += &format!("; {} datagrams of clients too many", counts.refused);
    }
    let late = |part: f64| counts.lateness.quantile(part).as_micros();
    text + &format!(
        "; sent later than due by {} µs (half of all), {} µs (99 %), {} µs (the worst)",
        late(0.5),
        late(0.99),
        counts.lateness.max.as_micros()
    )
}

/// Nobody may be reading any longer, which is no reason to end.
fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}
