//! A network that is gone for a while, and comes back: media and signalling alike.

use std::time::Duration;

use protocol::codec::Codec;
use relay::udp::Relay;
use relay::weather::Weather;
use serde_json::Value;
use tests::machine::{TimingFault, in_real_time};
use tests::process::{FileMusician, Server};
use tests::sound::Sound;
use tests::tcp_relay::TcpRelay;

use crate::ears::{Ears, music};

/// Ann behind a network that can go, and Bob beside the server.
struct Duo {
    server: Server,
    media: Relay,
    signalling: TcpRelay,
    plays: [Sound; 2],
    ann: FileMusician,
    bob: FileMusician,
}

impl Duo {
    /// Both join and have played to each other for some seconds.
    fn start() -> Self {
        let server = Server::start(&[]).expect("the server starts");
        let media = Relay::to(server.media, Weather::delay_ms(5), 7).expect("it starts");
        let signalling = TcpRelay::start(server.http).expect("it starts");
        let plays = ["late-bus-piano", "harbor-oboe"].map(|track| music(track, 90));
        let arguments = ["--codec", "opus-64"];
        let via = media.address().to_string();
        let far = [&arguments[..], &["--media-via", &via]].concat();
        let link = format!("http://{}/r/r", signalling.address());
        let ann = FileMusician::join(&link, "Ann", &plays[0], &far).expect("it starts");
        let bob = FileMusician::join(&server.link("r"), "Bob", &plays[1], &arguments);
        let mut duo = Self { server, media, signalling, plays, ann, bob: bob.expect("it starts") };
        duo.play(2000.0);
        duo
    }

    /// Waits until each has played so much of the other's stream.
    fn play(&mut self, ms: f64) {
        self.ann.plays_ms("Bob", ms).expect("Ann hears Bob");
        self.bob.plays_ms("Ann", ms).expect("Bob hears Ann");
    }

    fn cut(&self) {
        self.media.cut();
        self.signalling.stall();
    }

    fn restore(&self) {
        self.media.restore();
        self.signalling.restore();
    }

    /// Who Ann is to Bob.
    fn ann_to_bob(&self) -> Value {
        let stats = self.bob.stats().expect("statistics are written");
        let lines = stats.iter().rev().filter_map(|line| line["remotes"].as_array());
        let mut remotes = lines.flatten().filter(|remote| remote["name"] == "Ann");
        remotes.next().expect("Bob hears Ann")["participant"].clone()
    }

    /// How much Bob's engine has played of Ann and hers of him, in milliseconds.
    fn played_ms(&self) -> f64 {
        let of = |musician: &FileMusician| {
            let stats = musician.stats().expect("statistics are written");
            let line = stats.last().expect("a line for each second");
            line["remotes"][0]["played_ms"].as_f64().unwrap_or(0.0)
        };
        of(&self.ann).max(of(&self.bob))
    }

    /// The last line of Bob's statistics has this of Ann's stream.
    fn bobs(&self, field: &str) -> f64 {
        let stats = self.bob.stats().expect("statistics are written");
        let line = stats.last().expect("a line for each second");
        line["remotes"][0][field].as_f64().unwrap_or_else(|| panic!("{field}: {line}"))
    }

    /// Both leave; the last five seconds sounded as if nothing had happened.
    fn end(mut self, machine: &tests::machine::Machine) -> Result<(), TimingFault> {
        let bob = self.bob.leave().expect("it ends well");
        let ann = self.ann.leave().expect("it ends well");
        assert!(self.server.process.is_running().expect("it can be asked"), "the server ended");
        for (who, heard, played) in [("Ann", ann, &self.plays[1]), ("Bob", bob, &self.plays[0])] {
            let ears = Ears::new(&heard, 8)?.at_the_end(5);
            ears.must_hear(who, played, Codec::Opus64, machine)?;
        }
        Ok(())
    }
}

/// Long enough to be told from what was played before.
const AFTERWARDS_MS: f64 = 7000.0;

#[test]
fn a_moment_of_200_ms_is_a_hole_and_not_a_delay() {
    in_real_time(|machine| {
        let mut duo = Duo::start();
        let before = duo.bobs("playout_delay_ms");
        let missing = duo.bobs("concealed_ms");
        duo.media.cut_for(Duration::from_millis(200));
        let played = duo.played_ms();
        duo.play(played + AFTERWARDS_MS);
        let (concealed, after) = (duo.bobs("concealed_ms") - missing, duo.bobs("playout_delay_ms"));
        let account = format!(
            "{concealed:.0} ms were concealed, the playout delay was {before:.1} ms and is {after:.1} ms"
        );
        eprintln!("{account}");
        // Of a long hole the first 60 ms are concealed, and the rest is silence that is not counted.
        assert!(50.0 < concealed, "there was no hole: {account}");
        if 300.0 < concealed || before + 5.0 < after {
            return Err(TimingFault(account));
        }
        duo.end(machine)
    });
}

#[test]
fn media_alone_that_was_gone_for_a_moment_is_played_over_again() {
    in_real_time(|machine| {
        let mut duo = Duo::start();
        duo.media.cut();
        // Bob's engine has played what it had, and what it made up.
        let before = duo.bob.stats().expect("statistics are written").len();
        duo.bob.plays_on_until(before + 2).expect("seconds pass");
        duo.media.restore();
        let played = duo.played_ms();
        duo.play(played + AFTERWARDS_MS);
        let printed = duo.ann.process.printed();
        assert!(!printed.contains("restarting"), "nothing had to be restarted: {printed}");
        duo.end(machine)
    });
}

#[test]
fn a_network_that_was_gone_for_seconds_gives_back_seat_and_sound() {
    in_real_time(|machine| {
        let mut duo = Duo::start();
        let before = duo.ann_to_bob();
        duo.cut();
        // Media is missed after 4 s, signalling after 6.
        duo.ann.process.says_times("restarting the media link", 1).expect("it is noticed");
        duo.ann.process.says_times("nothing heard for 6 s", 1).expect("it is noticed");
        let played = duo.played_ms();
        duo.restore();
        duo.ann.process.says_times("back in room r", 1).expect("the seat was kept");
        duo.ann.process.says_times("media link up", 2).expect("media flows again");
        duo.play(played + AFTERWARDS_MS);
        assert_eq!(duo.ann_to_bob(), before, "Ann is somebody else");
        let printed = duo.bob.process.printed();
        assert!(
            !printed.contains("Ann left") && !printed.contains("did not come back"),
            "{printed}"
        );
        duo.end(machine)
    });
}

#[test]
fn a_network_that_was_gone_for_longer_than_a_seat_is_kept_costs_the_seat_not_the_sound() {
    in_real_time(|machine| {
        let mut duo = Duo::start();
        let before = duo.ann_to_bob();
        duo.cut();
        // A silent connection is believed in for 30 s, one that has ended is not: the seat waits
        // from here on.
        duo.signalling.hang_up_on_the_server();
        duo.bob.process.says_times("Ann lost the network", 1).expect("Bob is told");
        duo.bob.process.says_times("Ann did not come back", 1).expect("the seat is given up");
        duo.restore();
        duo.ann.process.says_times("the seat was given up: joining anew", 1).expect("it is told");
        duo.ann.process.says_times("media link up", 2).expect("media flows again");
        duo.play(AFTERWARDS_MS);
        assert_ne!(duo.ann_to_bob(), before, "Ann has a seat that was given up");
        duo.end(machine)
    });
}
