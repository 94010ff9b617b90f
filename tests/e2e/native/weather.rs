//! Real sockets behind a relay that delays, shakes and loses.

use std::time::Duration;

use protocol::codec::Codec;
use tests::listen::Hearing;
use tests::machine::{Machine, in_real_time};
use tests::network::Weather;
use tests::process::{FileMusician, Server};
use tests::relay::Relay;
use tests::sound::RATE_HZ;

use crate::ears::{Ears, music};

/// Ann plays through weather; what Bob, beside the server, hears of her.
fn check(weather: Weather, codec: Codec, check: impl Fn(&Hearing)) {
    in_real_time(|machine| {
        let server = Server::start(&[]).expect("the server starts");
        let relay = Relay::start(server.media, weather, 7).expect("the relay starts");
        let (piano, oboe) = (music("late-bus-piano", 11), music("harbor-oboe", 11));
        let (link, via) = (server.link("r"), relay.address().to_string());
        let arguments = ["--duration", "12", "--codec", codec.name()];
        let far = [&arguments[..], &["--media-via", &via]].concat();
        let ann = FileMusician::join(&link, "Ann", &piano, &far).expect("it starts");
        let bob = FileMusician::join(&link, "Bob", &oboe, &arguments).expect("it starts");
        let (ann, bob) = (ann.heard().expect("it ends well"), bob.heard().expect("it ends well"));
        assert!(2_000 < relay.forwarded(), "media did not go through the relay");
        // The way down goes through the same weather.
        for hearing in [Ears::new(&bob).hear(&piano), Ears::new(&ann).hear(&oboe)] {
            let (correlation, gaps) = (hearing.correlation, hearing.gap_frames());
            eprintln!("{codec} in {weather:?}: correlation {correlation:.3}, {gaps} gap frames");
            assert!(0.8 < correlation, "{hearing:?}");
            if machine == Machine::KeepsTime {
                check(&hearing);
            }
        }
    });
}

/// A thousandth of ten seconds.
const SOME_FRAMES: usize = 10 * RATE_HZ / 1000;

#[test]
fn jitter_is_played_away() {
    check(Weather::delay_ms(10).jitter_us(1_000), Codec::Opus64, |hearing| {
        assert!(hearing.gap_frames() < SOME_FRAMES, "{hearing:?}");
        assert!(hearing.correlation > 0.85, "{hearing:?}");
    });
}

#[test]
fn loss_is_concealed() {
    check(Weather::delay_ms(5).loss(0.01), Codec::Opus, |hearing| {
        assert!(hearing.gap_frames() < SOME_FRAMES, "{hearing:?}");
        assert!(hearing.correlation > 0.85, "{hearing:?}");
    });
}

#[test]
fn a_network_that_was_gone_for_three_seconds_is_played_over_again() {
    in_real_time(|machine| {
        let server = Server::start(&[]).expect("the server starts");
        let relay = Relay::start(server.media, Weather::delay_ms(5), 7).expect("it starts");
        let (piano, oboe) = (music("late-bus-piano", 17), music("harbor-oboe", 17));
        let (link, via) = (server.link("r"), relay.address().to_string());
        let arguments = ["--duration", "16", "--codec", "opus-64"];
        let far = [&arguments[..], &["--media-via", &via]].concat();
        let ann = FileMusician::join(&link, "Ann", &piano, &far).expect("it starts");
        let bob = FileMusician::join(&link, "Bob", &oboe, &arguments).expect("it starts");
        std::thread::sleep(Duration::from_secs(4));
        relay.cut_for(Duration::from_secs(3));
        let (ann, bob) = (ann.heard().expect("it ends well"), bob.heard().expect("it ends well"));
        Ears::new(&ann).at_the_end(5).must_hear("Ann", &oboe, Codec::Opus64, machine);
        Ears::new(&bob).at_the_end(5).must_hear("Bob", &piano, Codec::Opus64, machine);
    });
}
