//! Two native musicians on one JACK server (dummy driver, hermetic): mouth-to-ear delay from one's
//! input port to the other's output port, in frames of the JACK clock, for every codec, and where the
//! server does not run at 48 kHz.
//!
//! What vjam itself says of the delay, by the clock that both share with the server, must be that.
//!
//! Delays are asserted in periods, not in time, and as the least over many chirps: a stall makes a
//! chirp come late, never early. The figures are printed.
//! Runs without the usual test harness, because the whole process lives in a namespace of its own.

mod click;
#[path = "../../../engine/device/tests/jackd/mod.rs"]
mod jackd;
mod meter;

use std::path::Path;
use std::process::Command;

use meter::play_and_record;
use protocol::codec::Codec;
use tests::listen::{compare, level_db, segments};
use tests::machine::{TimingFault, in_real_time};
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
        ("aligned_musicians_are_as_late_as_they_say", aligned_musicians_are_as_late_as_they_say),
        ("two_musicians_hear_one_click", click::two_musicians_hear_one_click),
    ]);
}

fn mouth_to_ear_delay_through_jack() {
    in_real_time(|_| {
        // What a quiet machine shows, and a period on top: 64 frames are 1.33 ms.
        let periods_max = |codec| match codec {
            Codec::Pcm => 3,
            Codec::Opus64 => 4,
            Codec::Opus => 7,
        };
        let within = |periods: i64, codec, rate_hz| {
            let frames = delay_frames(codec, rate_hz)?;
            if periods * i64::from(PERIOD_FRAMES) < frames {
                return Err(TimingFault(format!("{codec} at {rate_hz} Hz: {frames} frames")));
            }
            Ok(frames)
        };
        let measure = |codec| within(periods_max(codec), codec, 48_000);
        let [pcm, opus_64, opus] =
            [measure(Codec::Pcm)?, measure(Codec::Opus64)?, measure(Codec::Opus)?];
        // 64 frames of this server are 69 or 70 of ours, with which packets of 64 are not in step: that
        // costs a period more. What its filters cost is 11 frames.
        within(periods_max(Codec::Pcm) + 1, Codec::Pcm, 44_100)?;
        if pcm <= opus_64 && opus_64 < opus {
            Ok(())
        } else {
            Err(TimingFault(format!("pcm {pcm}, opus-64 {opus_64}, opus {opus} frames")))
        }
    });
}

fn aligned_musicians_are_as_late_as_they_say() {
    in_real_time(|_| {
        // What is needed on a quiet machine is 1.3 ms; 3 more are kept, and delays go by steps of 5.
        let delay = delay_of(Codec::Pcm, 48_000, &["--mode", "aligned"])?;
        let ms = delay.median_frames as f64 / 48.0;
        let steps = (ms / 5.0).round();
        if 1.0 <= steps && (ms - 5.0 * steps).abs() < 0.5 {
            Ok(())
        } else {
            Err(TimingFault(format!("{ms:.2} ms are not a multiple of 5")))
        }
    });
}

/// What Bob's program said last of the delay from Ann's input to its own output, in ms: the median of three seconds.
fn said_ms(stats: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(stats).ok()?;
    let lines =
        text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let said = lines.filter_map(|line| line["remotes"][0]["mouth_to_ear_ms"].as_f64());
    let mut latest: Vec<f64> = said.collect::<Vec<_>>().into_iter().rev().take(3).collect();
    latest.sort_by(f64::total_cmp);
    latest.get(latest.len() / 2).copied()
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

/// The least delay between what the meter plays into Ann and what it hears from Bob.
fn delay_frames(codec: Codec, rate_hz: u32) -> Result<i64, TimingFault> {
    Ok(delay_of(codec, rate_hz, &[])?.least_frames)
}

/// What lies between Ann's input and Bob's output, chirp by chirp.
struct Delay {
    least_frames: i64,
    median_frames: i64,
}

/// The delay with more flags for both, which is also what vjam says.
fn delay_of(codec: Codec, rate_hz: u32, flags: &[&str]) -> Result<Delay, TimingFault> {
    let jack = jackd::Server::start(rate_hz, PERIOD_FRAMES);
    let server = Server::start(&[]).expect("the server starts");
    let stats = std::env::temp_dir().join(format!("vjam-jack-{}.jsonl", std::process::id()));
    let [_ann, _bob] = ["Ann", "Bob"].map(|name| {
        join(&server, name, |command| {
            command.args(["--codec", codec.name()]).args(flags);
            if name == "Bob" {
                command.arg("--stats").arg(&stats);
            }
        })
    });
    let played = chirps(CHIRP_FRAMES, SECONDS * RATE_HZ);
    let [heard] = play_and_record(Some("Ann:in_1"), ["Bob:out_1"], played.clone());
    let said = said_ms(&stats);
    jack.stop();
    // It is made anew each time, and nobody else looks at it.
    let _ = std::fs::remove_file(&stats);
    let [played, heard] = [&played, &heard].map(|sound| &sound[SETTLED * RATE_HZ..]);
    let lags = 0..i64::try_from(RATE_HZ / 6).expect("a number");
    let Some(hearing) = compare(played, heard, lags) else {
        // As behind a stall of a third of a second, which the delay follows for a while.
        let level = level_db(heard);
        let fault = format!("{codec}: what Ann played is not what Bob hears ({level:.0} dB)");
        return Err(TimingFault(fault));
    };
    // One piece for each chirp: the delay as it is, not smeared over what it was.
    let chirps = segments(played, heard, hearing.delay_frames, CHIRP_FRAMES);
    let mut delays: Vec<i64> = chirps.iter().map(|segment| segment.delay_frames).collect();
    delays.sort_unstable();
    let (least, median) = (delays[0], delays[delays.len() / 2]);
    let said = said.ok_or_else(|| TimingFault(format!("{codec}: the delay was never said")))?;
    let in_ms = |frames: i64| frames as f64 * 1e3 / f64::from(rate_hz);
    eprintln!(
        "{codec} at {rate_hz} Hz: {least} frames ({:.2} ms) from input to output, half within \
         {median} ({:.2} ms; vjam says {:.2} ms), all within {}, correlation {:.3}",
        in_ms(least),
        in_ms(median),
        said,
        delays[delays.len() - 1],
        hearing.correlation,
    );
    if SAID_OFF_MS_MAX < (said - in_ms(median)).abs() {
        let heard = in_ms(median);
        return Err(TimingFault(format!("{codec}: {said:.2} ms said, {heard:.2} ms heard")));
    }
    if hearing.correlation < 0.9 {
        return Err(TimingFault(format!("{codec}: correlation {}", hearing.correlation)));
    }
    Ok(Delay { least_frames: least, median_frames: median })
}
