//! Two native musicians on one JACK server (dummy driver, hermetic): mouth-to-ear delay from one's
//! input port to the other's output port, in frames of the JACK clock, for every codec.
//!
//! What is asserted are relations: a codec with a shorter frame is heard earlier, and the delay is
//! a handful of periods. The figures are printed.
//! Runs without the usual test harness, because the whole process lives in a namespace of its own.

#[path = "../../../engine/device/tests/jackd/mod.rs"]
mod jackd;

use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use jackd::wait_for;
use protocol::codec::Codec;
use tests::listen::{compare, segments};
use tests::machine::in_real_time;
use tests::process::{Process, Server, vjam};
use tests::sound::{RATE_HZ, chirps};

const PERIOD_FRAMES: u32 = 64;
/// How much is measured.
const SECONDS: usize = 5;

fn main() {
    jackd::enter_own_namespace();
    in_real_time(|_| {
        let delays = Codec::ALL.map(|codec| (codec, delay_frames(codec)));
        let of = |wanted: Codec| {
            delays.iter().find(|(codec, _)| *codec == wanted).expect("all were measured").1
        };
        let (pcm, opus_64, opus) = (of(Codec::Pcm), of(Codec::Opus64), of(Codec::Opus));
        assert!(pcm <= opus_64 && opus_64 < opus, "pcm {pcm}, opus-64 {opus_64}, opus {opus}");
        // 2.7, 4 and 7.3 ms are what a quiet machine shows.
        let periods = |delay: i64| delay / i64::from(PERIOD_FRAMES);
        assert!(periods(pcm) <= 6 && periods(opus) <= 12, "pcm {pcm}, opus {opus}");
    });
    eprintln!("test mouth_to_ear_delay_through_jack ... ok");
}

/// The median delay between what the meter plays into Ann and what it hears from Bob.
fn delay_frames(codec: Codec) -> i64 {
    let jack = jackd::Server::start(48_000, PERIOD_FRAMES);
    let server = Server::start(&[]).expect("the server starts");
    let [_ann, _bob] = ["Ann", "Bob"].map(|name| {
        let mut command = Command::new(vjam().expect("vjam builds"));
        command.args(["join", &server.link("jack"), "--name", name, "--headless"]);
        command.args(["--audio", "jack", "--jack-name", name, "--no-autoconnect"]);
        command.args(["--channels", "1", "--codec", codec.name()]);
        let mut musician = Process::start(name, &mut command).expect("it starts");
        let linked = |line: &str| line.contains("media link up").then_some(());
        musician.says("that media flows", linked).expect("it joins");
        musician
    });
    // Long enough for a first estimate of the network; the buffer then is as deep as it stays.
    std::thread::sleep(Duration::from_secs(2));
    let played = chirps(RATE_HZ / 5, SECONDS * RATE_HZ);
    let heard = play_and_record("Ann:in_1", "Bob:out_1", played.clone());
    jack.stop();
    let lags = 0..i64::try_from(RATE_HZ / 6).expect("a number");
    let hearing = compare(&played, &heard, lags).expect("Bob hears what Ann plays");
    // One piece for each chirp: the delay as it is, not smeared over what it was.
    let mut delays: Vec<i64> = segments(&played, &heard, hearing.delay_frames, RATE_HZ / 5)
        .iter()
        .map(|segment| segment.delay_frames)
        .collect();
    delays.sort_unstable();
    let median = delays[delays.len() / 2];
    eprintln!(
        "{codec}: {median} frames ({:.2} ms) from input to output, {} to {}, correlation {:.3}",
        median as f64 * 1e3 / RATE_HZ as f64,
        delays[0],
        delays[delays.len() - 1],
        hearing.correlation,
    );
    assert!(hearing.correlation > 0.9, "{codec}: {}", hearing.correlation);
    median
}

/// A JACK client that plays into one port and records another, both on JACK's clock.
fn play_and_record(to: &str, from: &str, played: Vec<f32>) -> Vec<f32> {
    let (meter, _) =
        jack::Client::new("meter", jack::ClientOptions::NO_START_SERVER).expect("the server runs");
    let mut mouth = meter.register_port("mouth", jack::AudioOut::default()).expect("a new port");
    let ear = meter.register_port("ear", jack::AudioIn::default()).expect("a new port");
    let (finished, recording) = mpsc::channel();
    let mut heard = Vec::with_capacity(played.len() + PERIOD_FRAMES as usize);
    // Connected ports first: recording starts when both are.
    let (start, started) = mpsc::channel::<()>();
    let mut running = false;
    let process =
        jack::contrib::ClosureProcessHandler::new(move |_, scope: &jack::ProcessScope| {
            let output = mouth.as_mut_slice(scope);
            output.fill(0.0);
            running = running || started.try_recv().is_ok();
            if running && heard.len() < played.len() {
                let from = heard.len();
                let to = (from + output.len()).min(played.len());
                output[..to - from].copy_from_slice(&played[from..to]);
                heard.extend_from_slice(ear.as_slice(scope));
                if played.len() <= heard.len() {
                    // The test has stopped listening only if it has failed.
                    drop(finished.send(core::mem::take(&mut heard)));
                    running = false;
                }
            }
            jack::Control::Continue
        });
    let meter = meter.activate_async((), process).expect("the server runs");
    let connect = |a: &str, b: &str| meter.as_client().connect_ports_by_name(a, b).ok();
    wait_for("Ann's input", || connect("meter:mouth", to));
    wait_for("Bob's output", || connect(from, "meter:ear"));
    start.send(()).expect("the callback listens");
    recording.recv_timeout(Duration::from_secs(30)).expect("the callback runs")
}
