//! Our JACK client against a real JACK server with the dummy driver.
//!
//! Runs without the usual test harness, because the whole process has to live in a namespace of
//! its own, and one server at a time is enough.

mod jackd;

use std::io::{Read, Write};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use engine_device::audio::{
    AudioBackend, AudioChange, AudioError, Autoconnect, Callbacks, Jack, JackName, JackOptions,
    Keeper, LostFrames, Rates,
};
use engine_device::clock;
use jackd::{Server, wait_for};

fn main() {
    jackd::enter_own_namespace(&[]);
    if std::env::args().any(|argument| argument == WITHOUT_LIBRARY) {
        let error = client(Autoconnect::Nothing).start(&nothing()).expect_err("no library");
        eprintln!("{error}");
        return;
    }
    if std::env::args().any(|argument| argument == CONNECTING) {
        connect_until_stdin_ends();
        return;
    }
    let tests: [(&str, fn()); 15] = [
        (
            "without_the_library_it_says_what_to_install",
            without_the_library_it_says_what_to_install,
        ),
        ("without_a_server_it_says_how_to_start_one", without_a_server_it_says_how_to_start_one),
        ("audio_passes_with_no_frame_added", audio_passes_with_no_frame_added),
        ("a_mono_track_is_the_mean_of_what_is_connected", a_mono_track_is_the_mean),
        ("frames_that_the_server_lost_are_told", frames_that_the_server_lost_are_told),
        ("hardware_is_connected_when_asked_for", hardware_is_connected_when_asked_for),
        (
            "a_client_stops_in_peace_while_it_is_told_of_connections",
            a_client_stops_in_peace_while_it_is_told_of_connections,
        ),
        (
            "a_client_stops_in_peace_in_the_middle_of_a_callback",
            a_client_stops_in_peace_in_the_middle_of_a_callback,
        ),
        ("a_callback_that_panics_ends_its_client_only", a_callback_that_panics_ends_its_client),
        ("the_servers_period_and_its_end_are_noticed", the_servers_period_and_its_end_are_noticed),
        (
            "a_server_without_real_time_priority_is_told_of",
            a_server_without_real_time_priority_is_told_of,
        ),
        ("a_server_that_was_restarted_is_found_again", a_server_that_was_restarted_is_found_again),
        ("a_server_at_another_rate_is_converted", a_server_at_another_rate_is_converted),
        ("a_server_may_come_back_at_another_rate", a_server_may_come_back_at_another_rate),
        ("a_rate_that_is_not_converted_is_refused", a_rate_that_is_not_converted_is_refused),
    ];
    jackd::run(&tests);
}

fn client(autoconnect: Autoconnect) -> Jack {
    Jack::new(JackOptions { name: JackName::Exactly("A".into()), autoconnect })
}

/// Hands input to output within the same callback, as a cable would.
fn cable() -> Callbacks {
    let (captured, to_render) = mpsc::sync_channel::<Vec<f32>>(1);
    Callbacks::new(
        1,
        Box::new(move |input| captured.send(input[0].to_vec()).expect("it is received")),
        Box::new(move |output| {
            let period = to_render.recv().expect("capture ran before");
            output[0].copy_from_slice(&period);
            output[1].copy_from_slice(&period);
        }),
    )
}

fn nothing() -> Callbacks {
    Callbacks::new(2, Box::new(|_| ()), Box::new(|_| ()))
}

fn without_the_library_it_says_what_to_install() {
    // An empty file in the library's place, in a namespace that ends with the process.
    let script = "for file in $(ldconfig -p | sed -n 's/.*libjack\\.so\\.0.*=> //p'); do \
                  mount --bind /dev/null \"$(readlink -f \"$file\")\"; done; exec \"$0\" \"$@\"";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script])
        .arg(std::env::current_exe().expect("the test binary has a path"))
        .arg(WITHOUT_LIBRARY)
        .output()
        .expect("unshare is there: this process came through it");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.starts_with("JACK is not installed (") && text.contains("apt install"), "{text}");
}

fn without_a_server_it_says_how_to_start_one() {
    let error = client(Autoconnect::Nothing).start(&nothing()).expect_err("no server runs");
    assert!(matches!(error, AudioError::JackServerMissing(_)), "{error}");
    assert!(error.to_string().contains("\"vjam-test\". Start one (`jackd"), "{error}");
}

fn audio_passes_with_no_frame_added() {
    let server = Server::start(48_000, 64);
    let mut ours = client(Autoconnect::Nothing);
    let format = ours.start(&cable()).expect("the server runs");
    assert_eq!((format.description.as_str(), format.period_frames), ("JACK client \"A\"", 64));
    let error = client(Autoconnect::Nothing).start(&nothing()).expect_err("the name is taken");
    assert!(matches!(&error, AudioError::JackNameTaken(name) if name == "A"), "{error}");
    let frames = pulse_delay("A:in_1", &["A:out_1", "A:out_2"]);
    // A client that reads before it writes hears its own output one period later, even through a
    // bare wire: whatever is more would be ours.
    assert_eq!(frames, [64.0; 2], "frames from the probe's output to its input, for each channel");
    ours.stop().expect("it stops");
    server.stop();
}

fn hardware_is_connected_when_asked_for() {
    let server = Server::start(48_000, 64);
    let mut ours = client(Autoconnect::Hardware);
    ours.start(&nothing()).expect("the server runs");
    let (probe, _) =
        jack::Client::new("probe", jack::ClientOptions::NO_START_SERVER).expect("the server runs");
    for (port, wants) in [
        ("A:in_1", "system:capture_1"),
        ("A:in_2", "system:capture_2"),
        ("A:out_1", "system:playback_1"),
        ("A:out_2", "system:playback_2"),
    ] {
        let port = probe.port_by_name(port).unwrap_or_else(|| panic!("{port} is there"));
        assert!(port.is_connected_to(wants).expect("a port's name"), "{wants}");
    }
    server.stop();
}

/// JACK ends its threads wherever they are, be it in our callbacks.
fn a_client_stops_in_peace_while_it_is_told_of_connections() {
    let server = Server::start(48_000, 64);
    // Another process: JACK's library is not for two threads of one, of which one opens clients.
    let mut connecting = Command::new(std::env::current_exe().expect("the test binary has a path"))
        .arg(CONNECTING)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this binary runs");
    let connected = count_bytes(connecting.stdout.take().expect("it is a pipe"));
    for _ in 0..40 {
        let callbacks = nothing();
        let mut ours = client(Autoconnect::Nothing);
        // A server that is kept busy may refuse.
        wait_for("the server", || ours.start(&callbacks).ok());
        let before = connected.load(Ordering::Relaxed);
        wait_for("callbacks", || (2 <= callbacks.counts().renders).then_some(()));
        // More of them are on their way while it stops.
        wait_for("connections", || (before < connected.load(Ordering::Relaxed)).then_some(()));
        ours.stop().expect("it stops");
    }
    drop(connecting.stdin.take());
    let ended = connecting.wait().expect("it is our child");
    assert!(ended.success(), "{ended}");
    server.stop();
}

/// How many bytes came out of `pipe` so far.
fn count_bytes(mut pipe: ChildStdout) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        let mut bytes = [0; 256];
        while let Ok(read @ 1..) = pipe.read(&mut bytes) {
            counted.fetch_add(read, Ordering::Relaxed);
        }
    });
    count
}

/// Connects an input of ours, takes the connection away, and so on; writes a byte each time it did.
fn connect_until_stdin_ends() {
    let (client, _) = jack::Client::new("connecting", jack::ClientOptions::NO_START_SERVER)
        .expect("the server runs");
    let (done, over) = mpsc::channel();
    std::thread::spawn(move || {
        // An error ends it as the end does.
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        drop(done);
    });
    let mut output = std::io::stdout();
    while over.try_recv() == Err::<(), _>(mpsc::TryRecvError::Empty) {
        // It fails while the client is away.
        if client.connect_ports_by_name("system:capture_1", "A:in_1").is_ok() {
            output.write_all(b".").and_then(|()| output.flush()).expect("the parent reads it");
        }
        drop(client.disconnect_ports_by_name("system:capture_1", "A:in_1"));
    }
}

fn a_client_stops_in_peace_in_the_middle_of_a_callback() {
    let server = Server::start(48_000, 64);
    for _ in 0..20 {
        let slow = Box::new(|_: &mut [&mut [f32]]| {
            let start = clock::now();
            while clock::now().saturating_since(start) < Duration::from_millis(20) {
                std::hint::spin_loop();
            }
        });
        let callbacks = Callbacks::new(2, Box::new(|_| ()), slow);
        let mut ours = client(Autoconnect::Nothing);
        // A server that is kept busy may refuse.
        wait_for("the server", || ours.start(&callbacks).ok());
        wait_for("a callback", || (1 <= callbacks.counts().captures).then_some(()));
        ours.stop().expect("it stops");
    }
    server.stop();
}

fn a_callback_that_panics_ends_its_client() {
    let server = Server::start(48_000, 64);
    let mut ours = client(Autoconnect::Nothing);
    let panics = Callbacks::new(2, Box::new(|_| panic!("on purpose")), Box::new(|_| ()));
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    ours.start(&panics).expect("the server runs");
    let reason = wait_for("the end", || ours.status().ended);
    std::panic::set_hook(hook);
    assert_eq!(reason, "vjam's audio callback failed, which is a bug");
    ours.stop().expect("it stops");
    ours.start(&nothing()).expect("the server still runs");
    assert_eq!(ours.status().ended, None);
    ours.stop().expect("it stops");
    server.stop();
}

fn a_mono_track_is_the_mean() {
    let server = Server::start(48_000, 64);
    let (levels_seen, levels) = mpsc::channel();
    let callbacks = Callbacks::new(
        1,
        Box::new(move |input| {
            let mean = input.iter().map(|channel| channel[0]).sum::<f32>() / input.len() as f32;
            // The test stops listening when it has seen enough.
            let _ = levels_seen.send(mean);
        }),
        Box::new(|_| ()),
    );
    let mut ours = client(Autoconnect::Hardware);
    ours.start(&callbacks).expect("the server runs");
    let (probe, _) =
        jack::Client::new("probe", jack::ClientOptions::NO_START_SERVER).expect("the server runs");
    let mut source = probe.register_port("out", jack::AudioOut::default()).expect("a new port");
    let process = move |scope: &jack::ProcessScope| {
        source.as_mut_slice(scope).fill(0.5);
    };
    let probe = jackd::activate(probe, process);
    let probe = probe.as_client();
    let unused = probe.port_by_name("A:in_2").expect("both inputs are there");
    assert_eq!(unused.connected_count().expect("a port"), 0, "hardware is for one of them");
    probe.disconnect(&probe.port_by_name("A:in_1").expect("it is there")).expect("connected");
    let hears = |level: f32| {
        wait_for("the level", || levels.recv().ok().filter(|seen| (seen - level).abs() < 1e-6));
    };
    hears(0.0);
    probe.connect_ports_by_name("probe:out", "A:in_2").expect("both ports exist");
    hears(0.5);
    probe.connect_ports_by_name("system:capture_1", "A:in_1").expect("both ports exist");
    hears(0.25);
    ours.stop().expect("it stops");
    server.stop();
}

fn frames_that_the_server_lost_are_told() {
    let server = Server::start(48_000, 64);
    let lost = LostFrames::default();
    let ask = lost.clone();
    let (lost_seen, told) = mpsc::channel();
    let mut periods = 0;
    let callbacks = Callbacks::new(
        1,
        Box::new(move |_| {
            periods += 1;
            // A callback that stands still for more than a hundred periods.
            if periods == 100 {
                std::thread::sleep(Duration::from_millis(200));
            }
            // The test stops listening when it has seen enough.
            let _ = lost_seen.send((ask.take_captured(), ask.take_rendered()));
        }),
        Box::new(|_| ()),
    )
    .with_lost(lost);
    let mut ours = client(Autoconnect::Nothing);
    ours.start(&callbacks).expect("the server runs");
    let most = wait_for("lost frames", || told.recv().ok().filter(|(lost, _)| 4800 < *lost));
    assert_eq!(most.0, most.1, "in and out");
    assert!(most.0.is_multiple_of(64), "whole periods: {most:?}");
    ours.stop().expect("it stops");
    server.stop();
}

fn the_servers_period_and_its_end_are_noticed() {
    let server = Server::start(48_000, 64);
    let (frames_seen, frames) = mpsc::channel();
    let callbacks = Callbacks::new(
        1,
        // The test stops listening when it has seen enough.
        Box::new(move |input| {
            let _ = frames_seen.send(input[0].len());
        }),
        Box::new(|_| ()),
    );
    let mut ours = client(Autoconnect::Nothing);
    ours.start(&callbacks).expect("the server runs");
    assert_eq!(frames.recv(), Ok(64));
    let (other, _) =
        jack::Client::new("other", jack::ClientOptions::NO_START_SERVER).expect("the server runs");
    other.set_buffer_size(128).expect("the dummy driver takes any period");
    wait_for("the longer period", || frames.recv().ok().filter(|frames| *frames == 128));
    assert_eq!(ours.status().period_frames, 128);
    assert_eq!(ours.status().ended, None);
    drop(other);
    server.stop();
    let reason = wait_for("the end", || ours.status().ended);
    assert_eq!(reason, "the JACK server was shut down");
    ours.stop().expect("a client without a server stops too");
    let server = Server::start(48_000, 256);
    let format = ours.start(&callbacks).expect("the same client starts again");
    assert_eq!(format.period_frames, 256);
    wait_for("the new server's period", || frames.recv().ok().filter(|frames| *frames == 256));
    server.stop();
}

fn a_server_without_real_time_priority_is_told_of() {
    let mut priorities = vec![("-r", true)];
    if jackd::may_run_real_time() {
        priorities.push(("-R", false));
    }
    for (priority, complains) in priorities {
        let server = Server::start_with(priority, 48_000, 64);
        let callbacks = nothing();
        let mut ours = client(Autoconnect::Nothing);
        ours.start(&callbacks).expect("the server runs");
        wait_for("callbacks", || (2 <= callbacks.counts().renders).then_some(()));
        let trouble = ours.status().trouble;
        assert_eq!(trouble.is_some(), complains, "{priority}: {trouble:?}");
        assert!(trouble.is_none_or(|text| text.contains("jackd -R")), "it says what to do");
        ours.stop().expect("it stops");
        server.stop();
    }
}

fn a_server_that_was_restarted_is_found_again() {
    let server = Server::start(48_000, 64);
    let callbacks = nothing();
    let ours = Box::new(client(Autoconnect::Nothing));
    let (mut keeper, _) = Keeper::start(ours, callbacks.clone()).expect("the server runs");
    let called = |more_than: u64| {
        wait_for("callbacks", || (more_than < callbacks.counts().renders).then_some(()));
    };
    called(0);
    server.stop();
    let next = |keeper: &mut Keeper| wait_for("a change", || keeper.poll(clock::now()));
    let gone = "the JACK server was shut down".to_owned();
    assert_eq!(next(&mut keeper), AudioChange::Ended(gone.clone()));
    assert_eq!(keeper.status().ended, Some(gone), "it stays on screen");
    let AudioChange::Ended(reason) = next(&mut keeper) else { panic!("there is no server") };
    assert!(reason.starts_with("no JACK server answers"), "{reason}");
    assert_eq!(keeper.status().ended, Some(reason));
    let before = callbacks.counts().renders;
    let server = Server::start(48_000, 128);
    let AudioChange::Started(format) = next(&mut keeper) else { panic!("there is a server") };
    assert_eq!(format.period_frames, 128);
    called(before);
    assert_eq!(keeper.status().ended, None);
    keeper.stop().expect("it stops");
    server.stop();
}

fn a_server_at_another_rate_is_converted() {
    for rate_hz in [44_100, 96_000] {
        let server = Server::start(rate_hz, 64);
        let mut ours = client(Autoconnect::Nothing);
        let format = ours.start(&cable()).expect("the server runs");
        assert_eq!((format.rates.input_hz, format.rates.output_hz), (rate_hz, rate_hz));
        assert_eq!((format.period_frames, ours.status().rates), (64, format.rates));
        let conversion = format.rates.conversion.as_secs_f64() * f64::from(rate_hz);
        // The period that a bare wire has too, and what the filters look ahead.
        for delay in pulse_delay("A:in_1", &["A:out_1", "A:out_2"]) {
            let more = delay - 64.0 - conversion;
            assert!(more.abs() < 0.1, "{rate_hz} Hz: {delay} frames, {conversion} by filters");
        }
        ours.stop().expect("it stops");
        server.stop();
    }
}

fn a_server_may_come_back_at_another_rate() {
    let server = Server::start(48_000, 64);
    let callbacks = cable();
    let ours = Box::new(client(Autoconnect::Nothing));
    let (mut keeper, format) = Keeper::start(ours, callbacks).expect("the server runs");
    assert_eq!(format.rates, Rates::default());
    server.stop();
    for rate_hz in [44_100, 96_000, 48_000] {
        let ended = || match keeper.poll(clock::now()) {
            Some(AudioChange::Ended(reason)) => Some(reason),
            _ => None,
        };
        wait_for("the end", ended);
        let server = Server::start(rate_hz, 64);
        let format = wait_for("the server at another rate", || match keeper.poll(clock::now()) {
            Some(AudioChange::Started(format)) => Some(format),
            _ => None,
        });
        assert_eq!((format.rates.output_hz, keeper.status().rates), (rate_hz, format.rates));
        let conversion = format.rates.conversion.as_secs_f64() * f64::from(rate_hz);
        let [delay] = pulse_delay("A:in_1", &["A:out_1"])[..] else { panic!("one ear") };
        assert!((delay - 64.0 - conversion).abs() < 0.1, "{rate_hz} Hz: {delay} frames");
        server.stop();
    }
    keeper.stop().expect("it stops");
}

fn a_rate_that_is_not_converted_is_refused() {
    let server = Server::start(22_050, 64);
    let error = client(Autoconnect::Nothing).start(&nothing()).expect_err("the rate is too low");
    assert_eq!(
        error.to_string(),
        "the JACK server: 22050 Hz cannot be converted to 48000 Hz, only 32000 to 192000 Hz can. \
         Start it with `-r 48000`."
    );
    server.stop();
}

/// Sends single-sample pulses from a probe client into `to`, and gives how many frames later the middle
/// of what they have become comes back out of each of `from`: the median of nine.
fn pulse_delay(to: &str, from: &[&str]) -> Vec<f64> {
    let (probe, _) =
        jack::Client::new("probe", jack::ClientOptions::NO_START_SERVER).expect("the server runs");
    let mut pulse = probe.register_port("pulse", jack::AudioOut::default()).expect("a new port");
    let ears: Vec<_> = (0..from.len())
        .map(|n| probe.register_port(&format!("ear_{n}"), jack::AudioIn::default()))
        .collect::<Result<_, _>>()
        .expect("new ports");
    let (heard, middles) = mpsc::channel();
    let (mut now, mut sent) = (0_usize, 0);
    // What came since the pulse: how much, and the sum of that times its delay.
    let mut sums = vec![(0.0, 0.0); ears.len()];
    let process = move |scope: &jack::ProcessScope| {
        let output = pulse.as_mut_slice(scope);
        output.fill(0.0);
        for (ear, (all, moment)) in ears.iter().zip(&mut sums) {
            for (index, sample) in ear.as_slice(scope).iter().enumerate() {
                *all += f64::from(*sample);
                *moment += f64::from(*sample) * (now + index - sent) as f64;
            }
        }
        // Twenty periods apart: longer than any delay that could be right.
        if now.is_multiple_of(20 * output.len()) {
            let seen = core::mem::replace(&mut sums, vec![(0.0, 0.0); ears.len()]);
            // The test stops listening when it has heard enough.
            let _ = heard.send(seen);
            output[7] = 1.0;
            sent = now + 7;
        }
        now += output.len();
    };
    let probe = jackd::activate(probe, process);
    probe.as_client().connect_ports_by_name("probe:pulse", to).expect("both ports exist");
    for (number, port) in from.iter().enumerate() {
        let ear = format!("probe:ear_{number}");
        probe.as_client().connect_ports_by_name(port, &ear).expect("both ports exist");
    }
    // Connecting reorders the graph; what is heard after a few whole pulses is steady.
    let whole = |sums: &Vec<(f64, f64)>| sums.iter().all(|(all, _)| (all - 1.0).abs() < 0.01);
    let steady: Vec<_> = middles.iter().filter(whole).skip(3).take(9).collect();
    let median = |ear: usize| {
        let mut delays: Vec<f64> = steady.iter().map(|sums| sums[ear].1 / sums[ear].0).collect();
        delays.sort_by(f64::total_cmp);
        delays[delays.len() / 2]
    };
    (0..from.len()).map(median).collect()
}

/// Makes this binary try without libjack and say how that went.
const WITHOUT_LIBRARY: &str = "--without-library";

/// Makes this binary connect and disconnect an input of ours until its input ends.
const CONNECTING: &str = "--connecting";
