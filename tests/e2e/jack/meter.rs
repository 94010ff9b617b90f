//! A JACK client that plays into one port and records others, all on JACK's clock.

use std::sync::mpsc;
use std::time::Duration;

use engine_device::audio::JackClient;

use crate::PERIOD_FRAMES;
use crate::jackd::{self, wait_for};

/// A JACK client that plays a sound once into as many ports as want it, from the start on or later.
pub(crate) struct Player {
    client: JackClient,
    start: mpsc::Sender<()>,
    finished: mpsc::Receiver<()>,
}

impl Player {
    pub(crate) fn new(played: Vec<f32>) -> Self {
        let (client, _) = jack::Client::new("player", jack::ClientOptions::NO_START_SERVER)
            .expect("the server runs");
        let mut mouth =
            client.register_port("mouth", jack::AudioOut::default()).expect("a new port");
        let (start, started) = mpsc::channel::<()>();
        let (finish, finished) = mpsc::channel();
        let (mut running, mut at) = (false, 0);
        let process = move |scope: &jack::ProcessScope| {
            let output = mouth.as_mut_slice(scope);
            output.fill(0.0);
            running = running || started.try_recv().is_ok();
            if running && at < played.len() {
                let to = (at + output.len()).min(played.len());
                output[..to - at].copy_from_slice(&played[at..to]);
                at = to;
                if at == played.len() {
                    // The test has stopped listening only if it has failed.
                    let _ = finish.send(());
                }
            }
        };
        Self { client: jackd::activate(client, process), start, finished }
    }

    /// Plays into a port from here on, as soon as it is there.
    pub(crate) fn connect(&self, to: &str) {
        let connect = || self.client.as_client().connect_ports_by_name("player:mouth", to).ok();
        wait_for("an input", connect);
    }

    pub(crate) fn start(&self) {
        self.start.send(()).expect("the callback listens");
    }

    pub(crate) fn wait(&self) {
        self.finished.recv_timeout(Duration::from_secs(60)).expect("the callback runs");
    }
}

/// Plays into `to`, if anybody, and gives what came from each of `from` meanwhile, frame by frame.
pub(crate) fn play_and_record<const N: usize>(
    to: Option<&str>,
    from: [&str; N],
    played: Vec<f32>,
) -> [Vec<f32>; N] {
    let (meter, _) =
        jack::Client::new("meter", jack::ClientOptions::NO_START_SERVER).expect("the server runs");
    let mut mouth = meter.register_port("mouth", jack::AudioOut::default()).expect("a new port");
    let names: [String; N] = std::array::from_fn(|ear| format!("ear_{ear}"));
    let ears = names
        .each_ref()
        .map(|name| meter.register_port(name, jack::AudioIn::default()).expect("a new port"));
    let (finished, recording) = mpsc::channel();
    let capacity = played.len() + PERIOD_FRAMES as usize;
    let mut heard: [Vec<f32>; N] = std::array::from_fn(|_| Vec::with_capacity(capacity));
    // Connected ports first: recording starts when all are.
    let (start, started) = mpsc::channel::<()>();
    let mut running = false;
    let mut at = 0;
    let process = move |scope: &jack::ProcessScope| {
        let output = mouth.as_mut_slice(scope);
        output.fill(0.0);
        running = running || started.try_recv().is_ok();
        if running && at < played.len() {
            let to = (at + output.len()).min(played.len());
            output[..to - at].copy_from_slice(&played[at..to]);
            at += output.len();
            for (heard, ear) in heard.iter_mut().zip(&ears) {
                heard.extend_from_slice(ear.as_slice(scope));
            }
            if played.len() <= at {
                // The test has stopped listening only if it has failed.
                let heard = std::mem::replace(&mut heard, std::array::from_fn(|_| Vec::new()));
                drop(finished.send(heard));
                running = false;
            }
        }
    };
    let meter = jackd::activate(meter, process);
    let connect = |a: &str, b: &str| meter.as_client().connect_ports_by_name(a, b).ok();
    if let Some(to) = to {
        wait_for("an input", || connect("meter:mouth", to));
    }
    for (from, name) in from.into_iter().zip(&names) {
        wait_for("an output", || connect(from, &format!("meter:{name}")));
    }
    start.send(()).expect("the callback listens");
    recording.recv_timeout(Duration::from_secs(60)).expect("the callback runs")
}
