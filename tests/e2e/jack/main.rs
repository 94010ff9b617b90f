//! Two native musicians on one JACK server (dummy driver, hermetic): mouth-to-ear delay from one's
//! input port to the other's output port, in frames of the JACK clock, for every codec, and where the
//! server does not run at 48 kHz.
//!
//! What vjam itself says of the delay, by the clock that both share with the server, must be that. And what
//! `vjam calibrate` measures must be what a loop has, and be said of the delay from then on.
//!
//! Delays are asserted in periods, not in time, and as the least over many chirps: a stall makes a
//! chirp come late, never early. The figures are printed.
//! Runs without the usual test harness, because the whole process lives in a namespace of its own.

mod click;
#[path = "../../../engine/device/tests/jackd/mod.rs"]
mod jackd;
mod leader;
mod meter;
mod take;

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Command;

use engine_device::audio::JackClient;
use jackd::wait_for;
use meter::play_and_record;
use protocol::codec::Codec;
use tests::listen::{compare, level_db, segments};
use tests::machine::{Machine, TimingFault, in_real_time};
use tests::process::{Process, Server, vjam};
use tests::sound::{RATE_HZ, chirps};

const PERIOD_FRAMES: u32 = 64;
/// How much is played, and which part of it is measured: by then there is an estimate of the
/// network, and the buffer is as deep as it stays.
const SECONDS: usize = 7;
const SETTLED: usize = 2;
const CHIRP_FRAMES: usize = RATE_HZ / 5;

/// What vjam may be wrong by when it says how late somebody is.
const SAID_OFF_MS_MAX: f64 = 0.5;

fn main() {
    jackd::enter_own_namespace(&[]);
    jackd::run(&[
        ("mouth_to_ear_delay_through_jack", mouth_to_ear_delay_through_jack),
        ("what_a_loop_takes_is_measured_and_said", what_a_loop_takes_is_measured_and_said),
        (
            "what_comes_back_of_the_loudspeaker_is_heard",
            what_comes_back_of_the_loudspeaker_is_heard,
        ),
        ("without_a_loop_it_says_what_is_wrong", without_a_loop_it_says_what_is_wrong),
        ("aligned_musicians_are_as_late_as_they_say", aligned_musicians_are_as_late_as_they_say),
        ("two_musicians_hear_one_click", click::two_musicians_hear_one_click),
        ("a_take_survives_a_kill_and_lines_up", take::a_take_survives_a_kill_and_lines_up),
    ]);
}

fn mouth_to_ear_delay_through_jack() {
    // What a quiet machine shows, and a period on top: 64 frames are 1.33 ms.
    let within = |periods: i64, codec, rate_hz| {
        measured(|machine| {
            let frames = delay_of(machine, codec, rate_hz, &[])?.least_frames;
            if periods * i64::from(PERIOD_FRAMES) < frames {
                return Err(TimingFault(format!("{codec} at {rate_hz} Hz: {frames} frames")));
            }
            Ok(frames)
        })
    };
    let pcm = within(3, Codec::Pcm, 48_000);
    let opus_64 = within(4, Codec::Opus64, 48_000);
    let opus = within(7, Codec::Opus, 48_000);
    // 64 frames of this server are 69 or 70 of ours, with which packets of 64 are not in step: that
    // costs a period more. What its filters cost is 11 frames.
    within(4, Codec::Pcm, 44_100);
    assert!(pcm <= opus_64 && opus_64 < opus, "pcm {pcm}, opus-64 {opus_64}, opus {opus} frames");
}

/// One measurement in real time. Each is played again by itself, or the stalls of one would cost all.
fn measured<T>(measure: impl Fn(&Machine) -> Result<T, TimingFault>) -> T {
    let found = RefCell::new(None);
    in_real_time(|machine| {
        *found.borrow_mut() = Some(measure(machine)?);
        Ok(())
    });
    found.into_inner().expect("it returns after a measurement that went well")
}

fn aligned_musicians_are_as_late_as_they_say() {
    in_real_time(|machine| {
        // What is needed on a quiet machine is 1.3 ms; 3 more are kept, and delays go by steps of 5.
        let played = delay_of(machine, Codec::Pcm, 48_000, &["--mode", "aligned"])?;
        let steps = (played.median_ms / 5.0).round();
        if 1.0 <= steps && (played.median_ms - 5.0 * steps).abs() < 0.5 {
            Ok(())
        } else {
            Err(TimingFault(format!("{:.2} ms are not a multiple of 5", played.median_ms)))
        }
    });
}

/// What Bob's program said last of the delay from Ann's input to its own output, in ms: the median of three
/// seconds; and what it goes by.
fn said(stats: &Path) -> Option<(f64, String)> {
    let text = std::fs::read_to_string(stats).ok()?;
    let lines =
        text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let lines: Vec<_> = lines.collect();
    let goes_by = lines.last()?["device_latency"].as_str()?.to_owned();
    let said = lines.iter().filter_map(|line| line["remotes"][0]["mouth_to_ear_ms"].as_f64());
    let mut latest: Vec<f64> = said.collect::<Vec<_>>().into_iter().rev().take(3).collect();
    latest.sort_by(f64::total_cmp);
    Some((latest.get(latest.len() / 2).copied()?, goes_by))
}

/// What Bob's program said last of Ann, for whoever looks for what went wrong.
fn last_of_remote(stats: &Path) -> String {
    let text = std::fs::read_to_string(stats).unwrap_or_default();
    let line = text.lines().last().and_then(|line| serde_json::from_str(line).ok());
    line.map_or_else(String::new, |line: serde_json::Value| line["remotes"][0].to_string())
}

/// Beyond a period, which a client hears its own output late by through anything.
const LOOP_FRAMES: usize = 1200;

/// What a measurement may be wrong by.
const MEASURED_OFF_MS_MAX: f64 = 0.1;

fn what_a_loop_takes_is_measured_and_said() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let jack = jackd::Server::start(48_000, PERIOD_FRAMES);
    let wire = delay_line(LOOP_FRAMES);
    let mut calibrate = calibration(home.path());
    let connect = |from, to| {
        let connected = || wire.as_client().connect_ports_by_name(from, to).ok();
        wait_for("vjam's ports", connected);
    };
    connect("Cal:out_1", "wire:in");
    connect("wire:out", "Cal:in_1");
    let status = calibrate.wait().expect("it ends");
    assert!(status.success(), "{}", calibrate.printed());
    let printed = calibrate.printed();
    let number = |before: &str| -> f64 {
        let rest = printed.split(before).nth(1).unwrap_or_else(|| panic!("{before}: {printed}"));
        rest.split(' ').next().and_then(|word| word.parse().ok()).expect("a number")
    };
    let (measured_ms, told) = (number("round trip: "), number("The driver says "));
    let truth = (LOOP_FRAMES as f64 + f64::from(PERIOD_FRAMES)) / 48.0;
    eprintln!(
        "{measured_ms} ms measured, {truth:.2} ms in truth, of which the driver tells {told}"
    );
    assert!((measured_ms - truth).abs() < MEASURED_OFF_MS_MAX, "{printed}");
    drop(wire);
    let home = [("XDG_CONFIG_HOME", home.path())];
    // Ann's half of it and Bob's are the whole of it.
    let cases: [(&[&str], f64, &str); 2] =
        [(&[], measured_ms - told, "calibrated"), (&["--no-calibration"], 0.0, "reported")];
    for (arguments, beyond, goes_by) in cases {
        let played = measured(|machine| {
            let played = play(Codec::Pcm, 48_000, &home, arguments)?;
            let said = played.off_ms();
            eprintln!("said beyond what is heard: {said:.2} of {beyond:.2} ms");
            if !played.is_said(beyond, machine) {
                return Err(TimingFault(format!("{said:.2} ms said beyond what is heard")));
            }
            Ok(played)
        });
        assert_eq!(played.device_latency, goes_by);
    }
    jack.stop();
}

fn what_comes_back_of_the_loudspeaker_is_heard() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let jack = jackd::Server::start(48_000, PERIOD_FRAMES);
    let wire = delay_line(LOOP_FRAMES);
    let mut command = Command::new(vjam().expect("vjam builds"));
    command.args(["check", "--audio", "jack", "--jack-name", "Cal", "--no-autoconnect"]);
    command.args(["--skip", "level", "--json"]).env("XDG_CONFIG_HOME", home.path());
    let mut check = Process::start("vjam check", &mut command).expect("it starts");
    for (from, to) in [("Cal:out_1", "wire:in"), ("wire:out", "Cal:in_1")] {
        wait_for("vjam's ports", || wire.as_client().connect_ports_by_name(from, to).ok());
    }
    assert!(!check.wait().expect("it ends").success(), "something has to be done");
    let printed = check.printed();
    assert!(printed.contains("what goes out comes in again unchanged"), "{printed}");
    let round_trip = (LOOP_FRAMES as f64 + f64::from(PERIOD_FRAMES)) / 48.0;
    assert!(printed.contains(&format!("\"round_trip_ms\": {round_trip:.1}")), "{printed}");
    drop(wire);
    jack.stop();
}

fn without_a_loop_it_says_what_is_wrong() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let jack = jackd::Server::start(48_000, PERIOD_FRAMES);
    let mut calibrate = calibration(home.path());
    assert!(!calibrate.wait().expect("it ends").success(), "{}", calibrate.printed());
    let printed = calibrate.printed();
    assert!(printed.contains("vjam: nothing at all comes in: the input is muted"), "{printed}");
    assert!(!home.path().join("vjam").exists(), "nothing is remembered");
    jack.stop();
}

/// `vjam calibrate` as the JACK client `Cal`, which somebody has to connect.
fn calibration(home: &Path) -> Process {
    let mut command = Command::new(vjam().expect("vjam builds"));
    command.args(["calibrate", "--audio", "jack", "--jack-name", "Cal", "--no-autoconnect"]);
    command.env("XDG_CONFIG_HOME", home);
    Process::start("vjam calibrate", &mut command).expect("it starts")
}

/// A JACK client that passes on what it hears, so many frames later.
fn delay_line(frames: usize) -> JackClient {
    let (wire, _) =
        jack::Client::new("wire", jack::ClientOptions::NO_START_SERVER).expect("the server runs");
    let input = wire.register_port("in", jack::AudioIn::default()).expect("a new port");
    let mut output = wire.register_port("out", jack::AudioOut::default()).expect("a new port");
    let (mut line, mut at) = (vec![0.0; frames], 0);
    jackd::activate(wire, move |scope| {
        let input = input.as_slice(scope);
        for (output, input) in output.as_mut_slice(scope).iter_mut().zip(input) {
            *output = core::mem::replace(&mut line[at], *input);
            at = (at + 1) % line.len();
        }
    })
}

/// What came of two who played.
struct Played {
    /// The least and the median delay between what the meter plays into Ann and what it hears from Bob.
    least_frames: i64,
    median_ms: f64,
    /// The least and the most of it, in ms.
    range_ms: RangeInclusive<f64>,
    /// What Bob's program says of it.
    said_ms: f64,
    /// And what that goes by.
    device_latency: String,
    correlation: f64,
}

impl Played {
    fn off_ms(&self) -> f64 {
        self.said_ms - self.median_ms
    }

    /// Whether what is said, but for so much, is the median of what is heard. What is said is of three
    /// seconds, and what is heard of five, in which the delay moves if the machine stalls: then it is
    /// somewhere in what was heard.
    fn is_said(&self, beyond_ms: f64, machine: &Machine) -> bool {
        let said = self.said_ms - beyond_ms;
        let (least, most) = if machine.stalls().is_empty() {
            (self.median_ms, self.median_ms)
        } else {
            self.range_ms.clone().into_inner()
        };
        (least - SAID_OFF_MS_MAX..=most + SAID_OFF_MS_MAX).contains(&said)
    }
}

/// What came of two who played on a server of their own, with more arguments; what is said is what is heard.
fn delay_of(
    machine: &Machine,
    codec: Codec,
    rate_hz: u32,
    arguments: &[&str],
) -> Result<Played, TimingFault> {
    let jack = jackd::Server::start(rate_hz, PERIOD_FRAMES);
    let played = play(codec, rate_hz, &[], arguments);
    jack.stop();
    let played = played?;
    if !played.is_said(0.0, machine) {
        let Played { said_ms, median_ms, .. } = played;
        let fault = format!("{codec}: {said_ms:.2} ms said, {median_ms:.2} ms heard");
        return Err(TimingFault(fault));
    }
    if played.correlation < 0.9 {
        return Err(TimingFault(format!("{codec}: correlation {}", played.correlation)));
    }
    Ok(played)
}

/// A musician on JACK who is in the room and whose media flows.
fn join(server: &Server, name: &str, more: impl FnOnce(&mut Command)) -> Process {
    let mut command = Command::new(vjam().expect("vjam builds"));
    command.args(["join", &server.link("jack"), "--name", name, "--headless"]);
    command.args(["--audio", "jack", "--jack-name", name, "--no-autoconnect"]);
    command.args(["--channels", "1"]);
    more(&mut command);
    let mut musician = Process::start(name, &mut command).expect("it starts");
    let linked = |line: &str| line.contains("media link up").then_some(());
    musician.says("that media flows", linked).expect("it joins");
    musician
}

/// Ann and Bob on the server that runs, with more arguments and variables of their environment.
fn play(
    codec: Codec,
    rate_hz: u32,
    variables: &[(&str, &Path)],
    arguments: &[&str],
) -> Result<Played, TimingFault> {
    let server = Server::start(&[]).expect("the server starts");
    let stats = std::env::temp_dir().join(format!("vjam-jack-{}.jsonl", std::process::id()));
    let [_ann, _bob] = ["Ann", "Bob"].map(|name| {
        join(&server, name, |command| {
            command.args(["--codec", codec.name()]).args(arguments);
            command.envs(variables.iter().copied());
            if name == "Bob" {
                command.arg("--stats").arg(&stats);
            }
        })
    });
    let played = chirps(CHIRP_FRAMES, SECONDS * RATE_HZ);
    let [heard] = play_and_record(Some("Ann:in_1"), ["Bob:out_1"], played.clone());
    let (said, remote) = (said(&stats), last_of_remote(&stats));
    // It is made anew each time, and nobody else looks at it.
    let _ = std::fs::remove_file(&stats);
    let [played, heard] = [&played, &heard].map(|sound| &sound[SETTLED * RATE_HZ..]);
    let lags = 0..i64::try_from(RATE_HZ / 6).expect("a number");
    let Some(hearing) = compare(played, heard, lags) else {
        // As behind a stall of a third of a second, which the delay follows for a while.
        let level = level_db(heard);
        let fault =
            format!("{codec}: what Ann played is not what Bob hears ({level:.0} dB): {remote}");
        return Err(TimingFault(fault));
    };
    // One piece for each chirp: the delay as it is, not smeared over what it was.
    let chirps = segments(played, heard, hearing.delay_frames, CHIRP_FRAMES);
    let mut delays: Vec<i64> = chirps.iter().map(|segment| segment.delay_frames).collect();
    delays.sort_unstable();
    let (least, median) = (delays[0], delays[delays.len() / 2]);
    let said = said.ok_or_else(|| TimingFault(format!("{codec}: the delay was never said")))?;
    let (said_ms, device_latency) = said;
    let in_ms = |frames: i64| frames as f64 * 1e3 / f64::from(rate_hz);
    eprintln!(
        "{codec} at {rate_hz} Hz: {least} frames ({:.2} ms) from input to output, half within \
         {median} ({:.2} ms; vjam says {:.2} ms), all within {}, correlation {:.3}",
        in_ms(least),
        in_ms(median),
        said_ms,
        delays[delays.len() - 1],
        hearing.correlation,
    );
    Ok(Played {
        least_frames: least,
        median_ms: in_ms(median),
        range_ms: in_ms(least)..=in_ms(delays[delays.len() - 1]),
        said_ms,
        device_latency,
        correlation: hearing.correlation,
    })
}
