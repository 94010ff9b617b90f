//! Real sockets behind a relay that delays, shakes and loses.

use std::time::Duration;

use protocol::codec::Codec;
use tests::network::Weather;
use tests::process::{FileMusician, Server};
use tests::relay::Relay;
use tests::sound::RATE_HZ;

use crate::ears::{Ears, alone, music};

/// Ann plays through weather; what Bob, beside the server, hears of her.
fn check(weather: Weather, codec: Codec, check: impl FnOnce(&Ears, &tests::sound::Sound)) {
    let _alone = alone();
    let server = Server::start(&[]).expect("the server starts");
    let relay = Relay::start(server.media, weather, 7).expect("the relay starts");
    let (piano, oboe) = (music("late-bus-piano", 11), music("harbor-oboe", 11));
    let (link, via) = (server.link("r"), relay.address().to_string());
    let arguments = ["--duration", "13", "--codec", codec.name()];
    let far = [&arguments[..], &["--media-via", &via]].concat();
    let ann = FileMusician::join(&link, "Ann", &piano, &far).expect("it starts");
    let bob = FileMusician::join(&link, "Bob", &oboe, &arguments).expect("it starts");
    let (ann, bob) = (ann.heard().expect("it ends well"), bob.heard().expect("it ends well"));
    assert!(2_000 < relay.forwarded(), "media did not go through the relay");
    check(&Ears::new(&bob), &piano);
    check_hears(&Ears::new(&ann), &oboe);
}

/// The way down goes through the same weather; enough that the right sound came.
fn check_hears(ears: &Ears, played: &tests::sound::Sound) {
    let hearing = ears.hear(played);
    assert!(hearing.correlation > 0.6, "{hearing:?}");
}

#[test]
fn jitter_is_played_away() {
    check(Weather::delay_ms(10).jitter_us(1_000), Codec::Opus64, |bob, piano| {
        let hearing = bob.hear(piano);
        // A tenth of a percent of all frames may have been concealed with silence.
        assert!(hearing.gap_frames() < 10 * RATE_HZ / 1000, "{hearing:?}");
        assert!(hearing.correlation > 0.85, "{hearing:?}");
    });
}

#[test]
fn loss_is_concealed() {
    check(Weather::delay_ms(5).loss(0.01), Codec::Opus, |bob, piano| {
        let hearing = bob.hear(piano);
        assert!(hearing.correlation > 0.85, "{hearing:?}");
        assert!(hearing.gap_frames() < 10 * RATE_HZ / 1000, "{hearing:?}");
    });
}

#[test]
fn a_network_that_is_gone_for_three_seconds_comes_back_into_the_seat() {
    let _alone = alone();
    let server = Server::start(&[]).expect("the server starts");
    let relay = Relay::start(server.media, Weather::delay_ms(5), 7).expect("the relay starts");
    let (piano, oboe) = (music("late-bus-piano", 20), music("harbor-oboe", 20));
    let (link, via) = (server.link("r"), relay.address().to_string());
    let ann = ["--duration", "16", "--codec", "opus-64", "--media-via", &via];
    let ann = FileMusician::join(&link, "Ann", &piano, &ann).expect("it starts");
    let bob = ["--duration", "16", "--codec", "opus-64"];
    let bob = FileMusician::join(&link, "Bob", &oboe, &bob).expect("it starts");
    std::thread::sleep(Duration::from_secs(4));
    relay.cut_for(Duration::from_secs(3));
    let (ann, bob) = (ann.heard().expect("it ends well"), bob.heard().expect("it ends well"));
    for (who, heard, played) in [("Ann", ann, &oboe), ("Bob", bob, &piano)] {
        let heard = heard.to_mono();
        let end = heard.iter().rposition(|sample| *sample != 0.0).expect("something was heard");
        let tail = tests::sound::Sound::mono(heard[end - 6 * RATE_HZ - 1..end].to_vec());
        let hearing = Ears::new(&tail).hear(played);
        assert!(hearing.correlation > 0.9, "{who} heard {hearing:?}");
        assert!(!tests::listen::level_db(&heard).is_nan());
    }
}
