//! Real sockets behind a relay that delays, shakes and loses.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use protocol::codec::Codec;
use relay::random::Random;
use relay::trace::Trace;
use relay::udp::{Relay, Settings, Way};
use relay::weather::Weather;
use serde_json::Value;
use tests::listen::Hearing;
use tests::machine::{TimingFault, in_real_time};
use tests::process::{FileMusician, Server};
use tests::sound::RATE_HZ;

use crate::ears::{Ears, music};

/// Ann plays through weather; what Bob, beside the server, hears of her, and she of him. `check`
/// takes what was heard; `check_stats` the last statistics of a time in which both were there, and
/// whose they are.
fn check(
    ways: &[Way; 2],
    codec: Codec,
    check: impl Fn(&Hearing) -> bool,
    check_stats: impl Fn(&str, &Value),
) {
    in_real_time(|_| {
        let server = Server::start(&[]).expect("the server starts");
        let relay = relay_before(&server, ways);
        let (piano, oboe) = (music("late-bus-piano", 11), music("harbor-oboe", 11));
        let (link, via) = (server.link("r"), relay.address().to_string());
        let arguments = ["--duration", "12", "--codec", codec.name()];
        let far = [&arguments[..], &["--media-via", &via]].concat();
        let mut ann = FileMusician::join(&link, "Ann", &piano, &far).expect("it starts");
        let mut bob = FileMusician::join(&link, "Bob", &oboe, &arguments).expect("it starts");
        let heard = [&mut ann, &mut bob].map(|musician| musician.heard().expect("it ends well"));
        assert!(2_000 < relay.forwarded(), "media did not go through the relay");
        // The way down goes through the same weather.
        for (musician, name) in [(&ann, "Bob"), (&bob, "Ann")] {
            let stats = musician.stats().expect("statistics are written");
            let there = |line: &&Value| line["remotes"][0]["state"] == "playing";
            let line = stats.iter().rfind(there).expect("they played");
            assert_eq!(line["remotes"][0]["name"], name, "{line}");
            check_stats(name, line);
        }
        for (heard, played) in heard.iter().zip([&oboe, &piano]) {
            let hearing = Ears::new(heard, 9)?.hear(played);
            let (correlation, gaps) = (hearing.correlation, hearing.gap_frames());
            let account = format!(
                "{codec}: correlation {correlation:.3}, {gaps} gap frames, {} clicks",
                hearing.clicks.len()
            );
            eprintln!("{account}");
            assert!(0.8 < correlation, "{account}");
            if !check(&hearing) {
                return Err(TimingFault(account));
            }
        }
        Ok(())
    });
}

fn relay_before(server: &Server, ways: &[Way; 2]) -> Relay {
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    let settings = Settings { listen, target: server.media, ways: ways.clone(), seed: 7 };
    Relay::start(settings).expect("the relay starts")
}

fn both(weather: Weather) -> [Way; 2] {
    let way = Way { weather, trace: None };
    [way.clone(), way]
}

/// A thousandth of ten seconds.
const SOME_FRAMES: usize = 10 * RATE_HZ / 1000;

fn is_whole(hearing: &Hearing) -> bool {
    hearing.gap_frames() < SOME_FRAMES && 0.85 < hearing.correlation
}

#[test]
fn jitter_is_played_away() {
    let weather = Weather::delay_ms(10).jitter_us(1_000);
    check(&both(weather), Codec::Opus64, is_whole, |_, _| ());
}

#[test]
fn loss_is_concealed_and_counted() {
    check(&both(Weather::delay_ms(5).loss(0.01)), Codec::Opus, is_whole, |_, line| {
        eprintln!("{line}");
        let of = |field: &str| line[field].as_f64().unwrap_or_else(|| panic!("{field}: {line}"));
        let remote = &line["remotes"][0];
        let heard =
            |field: &str| remote[field].as_f64().unwrap_or_else(|| panic!("{field}: {line}"));
        // One in a hundred of some three or four thousand.
        let lost = heard("lost_packets");
        let part = lost / (lost + heard("received_packets"));
        assert!((0.003..0.03).contains(&part), "{part} of all packets were lost: {line}");
        // Opus repeats nothing: each of them was concealed, 2.5 ms at a time, and whatever came late.
        let missing = lost + heard("late_packets");
        let concealed = heard("concealed_ms");
        assert!(lost * 2.5 * 0.8 <= concealed && concealed < missing * 2.5 * 3.0, "{line}");
        assert_eq!(heard("recovered_packets"), 0.0, "{line}");
        assert!(concealed < 0.2 * heard("played_ms"), "{line}");
        // What waits is part of the delay, and the codec's look-ahead comes on top.
        let delay = heard("playout_delay_ms");
        assert!(0.0 < heard("buffer_ms") && heard("buffer_ms") < 100.0, "{line}");
        assert!(0.0 < delay && delay < heard("added_delay_ms"), "{line}");
        assert!((delay - heard("playout_delay_target_ms")).abs() < 100.0, "{line}");
        // Periods of 128 frames: 375 callbacks a second, each done before the next.
        let times = ["callback_p50_us", "callback_p99_us", "callback_max_us"].map(of);
        assert!(0.0 < times[0] && times.is_sorted(), "{line}");
        assert!((100.0..1000.0).contains(&of("callbacks")), "{line}");
    });
}

/// A recording of a line that wavers between 4 and 8 ms and loses every fiftieth datagram.
fn recorded() -> Trace {
    let mut random = Random::from_seed(5);
    let mut text = String::from("# delays in microseconds\n");
    let mut delay_us = 6_000.0_f64;
    for datagram in 0..5_000 {
        delay_us = (delay_us + 100.0 * random.gaussian()).clamp(4_000.0, 8_000.0);
        match datagram % 50 {
            49 => text.push_str("lost\n"),
            _ => writeln!(text, "{delay_us:.0}").expect("a string takes everything"),
        }
    }
    Trace::parse(&text).expect("it is a trace")
}

#[test]
fn a_trace_is_heard_as_it_was_recorded() {
    let up = Way { weather: Weather::default(), trace: Some(recorded()) };
    let down = Way { weather: Weather::delay_ms(5), trace: None };
    check(&[up, down], Codec::Opus, is_whole, |of, line| {
        let remote = &line["remotes"][0];
        let count = |field: &str| remote[field].as_f64().unwrap_or_else(|| panic!("{line}"));
        let part = count("lost_packets") / (count("lost_packets") + count("received_packets"));
        // The way down loses nothing; what a stall of the machine costs is late, not lost.
        match of {
            "Ann" => assert!((0.017..0.023).contains(&part), "{part} of all were lost: {line}"),
            _ => assert!(part < 0.003, "{part} of all were lost: {line}"),
        }
    });
}

#[test]
fn an_uplink_that_is_too_narrow_gets_fewer_packets_and_is_heard_whole() {
    in_real_time(|machine| {
        let server = Server::start(&[]).expect("the server starts");
        // With all their headers, 750 packets a second of opus-64 are 440 kbit, 400 of opus 280.
        let narrow = Weather::delay_ms(5).narrow(350_000, Duration::from_millis(30));
        let up = Way { weather: narrow, trace: None };
        let down = Way { weather: Weather::delay_ms(5), trace: None };
        let relay = relay_before(&server, &[up, down]);
        let (piano, oboe) = (music("late-bus-piano", 60), music("harbor-oboe", 60));
        let (link, via) = (server.link("r"), relay.address().to_string());
        let far = ["--media-via", &via];
        let mut ann = FileMusician::join(&link, "Ann", &piano, &far).expect("it starts");
        let mut bob = FileMusician::join(&link, "Bob", &oboe, &[]).expect("it starts");
        ann.process.says_times("the uplink loses", 1).expect("Ann's engine notices");
        let before = bob.stats().expect("statistics are written").len();
        // What is looked at is the end, and its beginning has to be over.
        bob.plays_on_until(before + 8).expect("seconds pass");
        let heard = [&mut ann, &mut bob].map(|musician| musician.leave().expect("it ends well"));
        let up = relay.counts().ways[0];
        assert!(0 < up.lost && up.lost < up.arrived / 4, "{up:?}");
        let expected = [("Ann", &oboe, Codec::Opus64), ("Bob", &piano, Codec::Opus)];
        for (heard, (who, played, codec)) in heard.iter().zip(expected) {
            Ears::new(heard, 8)?.at_the_end(5).must_hear(who, played, codec, machine)?;
        }
        Ok(())
    });
}
