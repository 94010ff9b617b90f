//! `vjam check`: device, level, feedback, network, and a verdict in words, before anybody waits in a room.
//!
//! Each step says what it does, what it found and what to do; one that fails is one more finding, and the next goes on
//! without it.

mod device;
mod feedback;
mod level;
mod network;
mod place;
mod report;
mod tempo;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use engine_device::calibration::Calibrations;
use protocol::signal::{Presence, SeenParticipant};

use self::place::Place;
use self::report::{Company, Report, Step, Teller, tenths};
use self::tempo::Playable;
use crate::device::{DeviceFlags, Store, Trial};

/// Flags of `vjam check`.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// The room's link, or only the server, `http://HOST:PORT`; without it, nothing but the device is
    /// checked. Nobody in the room notices.
    #[arg(value_parser = Place::parse)]
    link: Option<Place>,

    #[command(flatten)]
    device: DeviceFlags,

    /// Leave out steps; `level` and `feedback` are those that want somebody there.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STEPS")]
    skip: Vec<Skipped>,

    /// Believe what the driver says of the device's delay, even where `vjam calibrate` has measured it.
    #[arg(long)]
    no_calibration: bool,

    /// Print what was found as JSON on standard output; people read along on standard error.
    #[arg(long)]
    json: bool,
}

/// What can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Skipped {
    /// Playing something.
    Level,
    /// The burst through the loudspeaker.
    Feedback,
    /// The burst to the server.
    Network,
}

/// Checks everything; the exit code is 1 where something has to be done, or where it could not be found out.
pub(crate) fn run(flags: &Flags) -> ExitCode {
    match check(flags) {
        Ok(report) if report.good => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("vjam: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn check(flags: &Flags) -> anyhow::Result<Report> {
    flags.device.check()?;
    let teller = if flags.json { Teller::Json } else { Teller::Words };
    let calibrations = match Store::of_user().and_then(|store| store.read()) {
        Ok(calibrations) if !flags.no_calibration => calibrations,
        Ok(_) => Calibrations::default(),
        Err(error) => {
            eprintln!("not calibrated: {error:#}");
            Calibrations::default()
        }
    };
    let mut report = Report::default();
    let opened = try_device(flags, teller, &mut report, &calibrations)?;
    if let Some(place) = flags.link.as_ref().filter(|_| !flags.skip.contains(&Skipped::Network)) {
        let device = opened.then_some(&flags.device);
        try_network(place, device, calibrations, teller, &mut report)?;
    }
    report.good = report.steps.iter().all(|step| step.good);
    report.verdict = verdict(&report, flags.link.is_some());
    teller.finish(&report)?;
    Ok(report)
}

/// The steps that need the device alone; gives whether it could be opened.
fn try_device(
    flags: &Flags,
    teller: Teller,
    report: &mut Report,
    calibrations: &Calibrations,
) -> anyhow::Result<bool> {
    teller.begin("device", "opens the sound card and lets it run for 3 s")?;
    let mut trial = match Trial::start(&flags.device, calibrations.clone()) {
        Ok(trial) => trial,
        Err(error) => {
            teller.end(report, failed("device", &error))?;
            return Ok(false);
        }
    };
    match device::measure(&mut trial) {
        Ok((figures, step)) => {
            report.device = Some(figures);
            teller.end(report, step)?;
        }
        Err(error) => {
            teller.end(report, failed("device", &error))?;
            return Ok(false);
        }
    }
    if !flags.skip.contains(&Skipped::Level) {
        teller.begin("level", "play or sing something, as loud as you will, for 5 s")?;
        let samples = trial.listen(LEVEL_TIME).map(|recording| level::measure(&recording.samples));
        report.level = samples.as_ref().ok().copied();
        let step = samples.map_or_else(|error| failed("level", &error), level::judge);
        teller.end(report, step)?;
    }
    if !flags.skip.contains(&Skipped::Feedback) {
        teller.begin("feedback", "be quiet: two quiet chirps are played")?;
        let figures = feedback::measure(&mut trial);
        report.feedback = figures.as_ref().ok().copied();
        let step = figures.map_or_else(|error| failed("feedback", &error), feedback::judge);
        teller.end(report, step)?;
    }
    // What is wrong with a device at its end was wrong before.
    Ok(trial.stop().is_ok())
}

/// The steps that need the server.
fn try_network(
    place: &Place,
    device: Option<&DeviceFlags>,
    calibrations: Calibrations,
    teller: Teller,
    report: &mut Report,
) -> anyhow::Result<()> {
    teller.begin(
        "network",
        "sends your sound to the server and back, in a room of its own, for 8 s",
    )?;
    let measured = place.own_room().and_then(|link| network::measure(&link, device, calibrations));
    report.network = measured.as_ref().ok().cloned();
    let step = measured.map_or_else(|error| failed("network", &error), |m| network::judge(&m));
    let reached = step.name == "network" && report.network.is_some();
    teller.end(report, step)?;
    if reached {
        // A server that is older does not tell, which is no fault of the musician's.
        let around_ms = report.network.as_ref().and_then(|network| network.around_ms);
        let seen = place.look().unwrap_or_default();
        let online = seen.iter().filter(|seen| seen.presence == Presence::Online);
        report.company = online.map(|seen| company(around_ms, seen)).collect();
    }
    Ok(())
}

/// How it would be with somebody: half of what one's own sound takes around, and half of what theirs does.
fn company(around_ms: Option<f64>, seen: &SeenParticipant) -> Company {
    let theirs_ms = seen.around_us.map(|us| f64::from(us) / 1e3);
    let delay_ms = around_ms.zip(theirs_ms).map(|(ours, theirs)| tenths((ours + theirs) / 2.0));
    let name = &seen.name;
    let words = match delay_ms {
        Some(ms) => format!("you and {name}: {ms:.0} ms, {}", playable(ms).words()),
        None => format!("{name} is there; how late you hear each other shows when you play"),
    };
    Company { name: name.clone(), delay_ms, words }
}

/// The sum of it.
fn verdict(report: &Report, wants_company: bool) -> Vec<String> {
    let mut lines: Vec<String> =
        report.company.iter().map(|somebody| somebody.words.clone()).collect();
    let around_ms = report.network.as_ref().and_then(|network| network.around_ms);
    if let (true, Some(ms)) = (lines.is_empty(), around_ms) {
        let words = playable(ms).words();
        lines.push(format!("you and somebody as near to the server as you: {ms:.0} ms, {words}"));
    }
    let delays = report.company.iter().filter_map(|somebody| somebody.delay_ms);
    let longest_ms = delays.chain(around_ms).fold(0.0, f64::max);
    lines.extend(advice(report, longest_ms));
    lines.push(match report.steps.iter().filter(|step| !step.good).count() {
        0 if wants_company => "Everything is fine: join.".to_owned(),
        0 => "The device is fine. With a room's link, `vjam check LINK` looks at the network, too."
            .to_owned(),
        1 => "One thing has to be done: see → above.".to_owned(),
        count => format!("{count} things have to be done: see → above."),
    });
    lines
}

/// What would make the delay shorter, where that would be worth something.
fn advice(report: &Report, delay_ms: f64) -> Option<String> {
    let device = report.device.as_ref()?;
    let period_ms = f64::from(device.period_frames) * 1e3 / f64::from(device.rate_hz.max(1));
    // In and out.
    let worth = LONG_MS < delay_ms || !playable(delay_ms).is_good();
    (worth && LONG_PERIOD_MS <= period_ms).then(|| {
        format!(
            "Try a smaller device period: {} frames are {period_ms:.1} ms, which count twice",
            device.period_frames
        )
    })
}

fn playable(ms: f64) -> Playable {
    Playable::of(Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default())
}

fn failed(name: &'static str, error: &anyhow::Error) -> Step {
    Step { name, good: false, found: "failed".to_owned(), todo: vec![format!("{error:#}")] }
}

const LEVEL_TIME: Duration = Duration::from_secs(5);

/// Below, a smaller period changes nothing that anybody feels.
const LONG_MS: f64 = 15.0;
const LONG_PERIOD_MS: f64 = 2.5;

#[cfg(test)]
mod tests {
    use protocol::signal::EngineKind;

    use super::*;

    fn ana(around_us: Option<u32>) -> SeenParticipant {
        let (engine, presence) = (EngineKind::Native, Presence::Online);
        SeenParticipant { name: "Ana".into(), engine, presence, around_us }
    }

    #[test]
    fn two_hear_each_other_after_half_of_both_their_figures() {
        let with = |around_ms, around_us| company(around_ms, &ana(around_us)).words;
        assert_eq!(with(Some(20.0), Some(26_000)), "you and Ana: 23 ms, comfortable up to 160 bpm");
        let unknown = "Ana is there; how late you hear each other shows when you play";
        assert_eq!((with(Some(20.0), None), with(None, Some(9))), (unknown.into(), unknown.into()));
    }

    #[test]
    fn the_verdict_names_the_device_where_it_is_what_costs() {
        let device = report::DeviceFigures {
            description: "a card".into(),
            rate_hz: 48_000,
            period_frames: 256,
            xruns: 0,
            input_latency_ms: None,
            output_latency_ms: None,
            device_latency: "reported",
        };
        let mut report = Report { device: Some(device), ..Report::default() };
        report.company = vec![company(Some(20.0), &ana(Some(26_000)))];
        let lines = verdict(&report, true);
        assert_eq!(lines[0], "you and Ana: 23 ms, comfortable up to 160 bpm");
        assert!(
            lines[1].starts_with("Try a smaller device period: 256 frames are 5.3 ms"),
            "{lines:?}"
        );
        assert_eq!(lines[2], "Everything is fine: join.");
        report.steps.push(failed("level", &anyhow::anyhow!("gone")));
        assert_eq!(verdict(&report, true)[2], "One thing has to be done: see → above.");
    }
}
