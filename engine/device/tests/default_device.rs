//! The system's default device through cpal and ALSA, for real: ALSA's JACK plugin makes a JACK
//! server with the dummy driver the default device of this process.
//!
//! What is played and heard is a constant: whatever period, start or clock there is between the two
//! ends, a constant comes through as it was, or it does not.

mod jackd;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use engine_device::audio::{
    AudioChange, Callbacks, DefaultDevice, DefaultDeviceOptions, JackClient, Keeper,
    describe_devices,
};
use engine_device::{clock, probe as measure};
use jackd::{Server, wait_for};

fn main() {
    let configuration = format!("/usr/share/alsa/alsa.conf:{CONFIGURATION}");
    jackd::enter_own_namespace(&[("ALSA_CONFIG_PATH", &configuration)]);
    std::fs::write(CONFIGURATION, DEFAULT_IS_JACK).expect("/dev/shm is our own");
    jackd::run(&[
        ("sound_passes_both_ways_and_comes_back_with_the_server", sound_passes_both_ways),
        ("a_device_at_another_rate_is_converted", a_device_at_another_rate_is_converted),
        ("a_longer_way_around_is_measured_as_longer", a_longer_way_around_is_measured_as_longer),
        ("a_device_is_chosen_by_part_of_its_name", a_device_is_chosen_by_part_of_its_name),
        ("without_a_server_the_device_is_named", without_a_server_the_device_is_named),
        ("without_an_input_one_can_listen", without_an_input_one_can_listen),
    ]);
}

/// Plays [`PLAYED`], and keeps the last sample that was captured.
struct Card {
    callbacks: Callbacks,
    captured: Arc<AtomicU32>,
}

impl Card {
    fn new() -> Self {
        let captured = Arc::new(AtomicU32::new(0));
        let last = Arc::clone(&captured);
        let callbacks = Callbacks::new(
            1,
            Box::new(move |input| {
                let sample = input[0].last().copied().unwrap_or_default();
                last.store(sample.to_bits(), Ordering::Relaxed);
            }),
            Box::new(|output| output.iter_mut().for_each(|channel| channel.fill(PLAYED))),
        );
        Self { callbacks, captured }
    }

    fn captured(&self) -> f32 {
        f32::from_bits(self.captured.load(Ordering::Relaxed))
    }
}

/// A JACK client at the other end of our device: sends [`SENT`] into its input, hears its output.
struct Probe {
    client: JackClient,
    heard: Arc<AtomicU32>,
}

impl Probe {
    fn new() -> Self {
        let options = jack::ClientOptions::NO_START_SERVER;
        let (client, _) = jack::Client::new("probe", options).expect("the server runs");
        let mut out = client.register_port("out", jack::AudioOut::default()).expect("a new port");
        let ear = client.register_port("ear", jack::AudioIn::default()).expect("a new port");
        let heard = Arc::new(AtomicU32::new(0));
        let hears = Arc::clone(&heard);
        let client = jackd::activate(client, move |scope| {
            out.as_mut_slice(scope).fill(SENT);
            let sample = ear.as_slice(scope).last().copied().unwrap_or_default();
            hears.store(sample.to_bits(), Ordering::Relaxed);
        });
        Self { client, heard }
    }

    /// Connects to both halves of our device, whatever ALSA calls its clients.
    fn connect(&self) {
        let client = self.client.as_client();
        let find = |pattern: &str, flags| {
            wait_for(pattern, || client.ports(Some(pattern), None, flags).into_iter().next())
        };
        let input = find(":in_000$", jack::PortFlags::IS_INPUT);
        let output = find(":out_000$", jack::PortFlags::IS_OUTPUT);
        client.connect_ports_by_name("probe:out", &input).expect("both ports exist");
        client.connect_ports_by_name(&output, "probe:ear").expect("both ports exist");
    }

    fn heard(&self) -> f32 {
        f32::from_bits(self.heard.load(Ordering::Relaxed))
    }
}

/// The two halves have a thread each, so that a round trip is a matter of clocks: that of a delay line which is
/// twice as long must be longer by what was added.
fn a_longer_way_around_is_measured_as_longer() {
    let server = Server::start(48_000, 256);
    let mut probe = measure::Probe::new();
    let ours = Box::new(DefaultDevice::new(DefaultDeviceOptions::default()));
    let (mut keeper, format) = Keeper::start(ours, probe.callbacks()).expect("it opens");
    let burst = measure::burst();
    let sound: Vec<_> = burst.iter().map(|sample| [sample / 8.0, 0.0]).collect();
    let mut median_ms = |frames: usize| {
        let line = delay_line(frames);
        let mut times: Vec<f64> = Vec::new();
        while times.len() < 9 {
            probe.begin();
            assert!(probe.play(&sound), "there is room");
            wait_for("what was played", || {
                keeper.poll(clock::now());
                (24_000 <= probe.poll().samples.len()).then_some(())
            });
            let Some(found) = measure::find(&burst, &probe.poll().samples) else { continue };
            let time =
                probe.round_trip(found.at_frame, format.rates, keeper.status().period_frames);
            times.push(time.expect("it was played").as_secs_f64() * 1e3);
        }
        drop(line);
        times.sort_by(f64::total_cmp);
        eprintln!(
            "{frames} frames: {:.3} ms, half within {:.3} to {:.3}",
            times[4], times[2], times[6]
        );
        times[4]
    };
    let (short, long) = (median_ms(2400), median_ms(4800));
    // What this machine's load does to the callbacks of a sound server in between is not what is tested.
    assert!((long - short - 50.0).abs() < 5.0, "{short} ms, then {long} ms");
    keeper.stop().expect("it stops");
    server.stop();
}

/// From our device's output to its input, so many frames later.
fn delay_line(frames: usize) -> JackClient {
    let options = jack::ClientOptions::NO_START_SERVER;
    let (client, _) = jack::Client::new("line", options).expect("the server runs");
    let input = client.register_port("in", jack::AudioIn::default()).expect("a new port");
    let mut output = client.register_port("out", jack::AudioOut::default()).expect("a new port");
    let (mut line, mut at) = (vec![0.0; frames], 0);
    let active = jackd::activate(client, move |scope| {
        for (output, input) in output.as_mut_slice(scope).iter_mut().zip(input.as_slice(scope)) {
            *output = core::mem::replace(&mut line[at], *input);
            at = (at + 1) % line.len();
        }
    });
    let client = active.as_client();
    let find = |pattern: &str, flags| {
        wait_for(pattern, || client.ports(Some(pattern), None, flags).into_iter().next())
    };
    let to = find(":in_000$", jack::PortFlags::IS_INPUT);
    let from = find(":out_000$", jack::PortFlags::IS_OUTPUT);
    client.connect_ports_by_name("line:out", &to).expect("both ports exist");
    client.connect_ports_by_name(&from, "line:in").expect("both ports exist");
    active
}

fn sound_passes_both_ways() {
    let server = Server::start(48_000, 256);
    let card = Card::new();
    let ours = Box::new(DefaultDevice::new(DefaultDeviceOptions::default()));
    let (mut keeper, format) = Keeper::start(ours, card.callbacks.clone()).expect("it opens");
    assert_eq!(format.description, "Default Audio Device → Default Audio Device");
    let passes = |keeper: &mut Keeper| {
        let probe = Probe::new();
        probe.connect();
        wait_for("sound both ways", || {
            let change = keeper.poll(clock::now());
            assert!(matches!(change, None | Some(AudioChange::Period(_))), "{change:?}");
            let there = (probe.heard() - PLAYED).abs() < TOLERANCE;
            (there && (card.captured() - SENT).abs() < TOLERANCE).then_some(())
        });
    };
    passes(&mut keeper);
    server.stop();
    let mut next = |wanted: fn(&AudioChange) -> bool| {
        wait_for("a change", || keeper.poll(clock::now()).filter(wanted));
        keeper.status()
    };
    let status = next(|change| matches!(change, AudioChange::Ended(_)));
    assert!(status.ended.is_some(), "{status:?}");
    let server = Server::start(48_000, 256);
    let status = next(|change| matches!(change, AudioChange::Started(_)));
    assert_eq!(status.ended, None);
    passes(&mut keeper);
    keeper.stop().expect("it stops");
    server.stop();
}

fn a_device_at_another_rate_is_converted() {
    let server = Server::start(44_100, 256);
    let listed = describe_devices();
    let ways = listed.iter().flat_map(|device| &device.ways);
    let converted = ways.filter(|way| way.contains("opened at 44100 Hz (converted)")).count();
    assert!(2 <= converted, "{listed:?}");
    let card = Card::new();
    let ours = Box::new(DefaultDevice::new(DefaultDeviceOptions::default()));
    let (keeper, format) = Keeper::start(ours, card.callbacks.clone()).expect("it opens");
    assert_eq!((format.rates.input_hz, format.rates.output_hz), (44_100, 44_100));
    let probe = Probe::new();
    probe.connect();
    wait_for("sound both ways", || {
        let there = (probe.heard() - PLAYED).abs() < TOLERANCE;
        (there && (card.captured() - SENT).abs() < TOLERANCE).then_some(())
    });
    keeper.stop().expect("it stops");
    server.stop();
}

fn a_device_is_chosen_by_part_of_its_name() {
    let server = Server::start(48_000, 256);
    let listed = describe_devices();
    let names: Vec<_> = listed.iter().map(|device| device.name.as_str()).collect();
    let second = listed.iter().find(|device| device.name == "Another way in and out");
    let second = second.unwrap_or_else(|| panic!("it is listed: {names:?}"));
    assert_eq!(second.ways.len(), 2, "{second:?}");
    let options = DefaultDeviceOptions {
        input_device: Some("Another".into()),
        output_device: Some("Another".into()),
        period_frames: None,
    };
    let ours = Box::new(DefaultDevice::new(options));
    let (keeper, format) = Keeper::start(ours, Card::new().callbacks).expect("it opens");
    assert_eq!(format.description, "Another way in and out → Another way in and out");
    keeper.stop().expect("it stops");
    server.stop();
}

fn without_a_server_the_device_is_named() {
    let ours = Box::new(DefaultDevice::new(DefaultDeviceOptions::default()));
    let error = Keeper::start(ours, Card::new().callbacks).err().expect("there is no server");
    let error = error.to_string();
    assert!(error.contains("Default Audio Device") && error.contains("not available"), "{error}");
}

fn without_an_input_one_can_listen() {
    let server = Server::start(48_000, 256);
    std::fs::write(CONFIGURATION, DEFAULT_HAS_NO_INPUT).expect("/dev/shm is our own");
    let ours = Box::new(DefaultDevice::new(DefaultDeviceOptions::default()));
    let (mut keeper, format) = Keeper::start(ours, Card::new().callbacks).expect("it opens");
    assert_eq!(format.description, "no input → Default Audio Device");
    let trouble = wait_for("a word on it", || match keeper.poll(clock::now()) {
        Some(AudioChange::Trouble(reason)) => Some(reason),
        _ => None,
    });
    assert!(trouble.ends_with("listening only"), "{trouble}");
    keeper.stop().expect("it stops");
    server.stop();
}

const PLAYED: f32 = 0.25;
const SENT: f32 = 0.5;
const TOLERANCE: f32 = 0.001;

/// In the namespace's own /dev/shm.
const CONFIGURATION: &str = "/dev/shm/asound.conf";

const DEFAULT_IS_JACK: &str = "
pcm.!default {
    type jack
    name card
    playback_ports { 0 system:playback_1 1 system:playback_2 }
    capture_ports { 0 system:capture_1 1 system:capture_2 }
}
pcm.another {
    type jack
    name card
    playback_ports { 0 system:playback_1 1 system:playback_2 }
    capture_ports { 0 system:capture_1 1 system:capture_2 }
    hint { show on description \"Another way in and out\" }
}
";

const DEFAULT_HAS_NO_INPUT: &str = "
pcm.!default {
    type asym
    playback.pcm {
        type jack
    name card
        playback_ports { 0 system:playback_1 1 system:playback_2 }
    }
}
";
