//! One clock for the room: everybody learns it soon, and knows how well.

use core::time::Duration;

use protocol::codec::Codec;
use relay::weather::{JitterShape, Weather};
use tests::clock::{SoundCard, SystemClock};
use tests::musician::Musician;
use tests::room::{Room, Seat};

/// What may be wrong with a delay that is said.
const OFF_MAX: Duration = Duration::from_micros(500);

/// Asks that somebody's clock is right to this, and no further off than they say.
fn is_right(room: &Room, seat: Seat, within_ms: f64) {
    let (off_ms, stats) = room.clock_error_ms(seat).expect("they were told");
    assert!(off_ms.abs() < within_ms, "off by {off_ms} ms: {stats:?}");
    assert!(off_ms.abs() <= stats.bound.as_secs_f64() * 1e3, "off by {off_ms} ms: {stats:?}");
}

#[test]
fn three_seconds_after_joining_everybody_has_the_time_through_jitter() {
    let mut room = Room::new(311);
    let uneven =
        Weather { jitter_shape: JitterShape::Gamma, ..Weather::delay_ms(12).jitter_us(2_000) };
    let seats = [-150.0, -20.0, 90.0, 150.0].map(|drift_ppm| {
        let system = SystemClock { drift_ppm, ..SystemClock::exact() };
        let musician = Musician::new(&format!("{drift_ppm}"), "late-bus-piano");
        room.join(musician.on_clock(system).behind(uneven))
    });
    // Joining itself takes some of it. (Queues keep their order, and the way down carries three streams: the two
    // ways are not quite alike. What 5 ms do where they are is `engine/core/tests/room_time`'s.)
    room.run_for(Duration::from_millis(3500));
    for _ in 0..100 {
        seats.iter().for_each(|seat| is_right(&room, *seat, 0.5));
        room.run_for(Duration::from_millis(100));
    }
    for seat in seats {
        let (_, stats) = room.clock_error_ms(seat).expect("they were told");
        assert!(stats.settled && stats.steps == 0, "{stats:?}");
    }
}

#[test]
fn a_way_that_is_longer_there_than_back_is_within_the_bound() {
    let mut room = Room::new(313);
    let [near, far] = [Weather::delay_ms(3).jitter_us(300), Weather::delay_ms(23).jitter_us(300)];
    let ann = room.join(Musician::new("Ann", "late-bus-piano").behind(near).sends_through(far));
    room.run_for(Duration::from_secs(5));
    let (off_ms, stats) = room.clock_error_ms(ann).expect("she was told");
    // Half of what the ways differ by is what nobody can see; she says so.
    assert!((9.0..11.0).contains(&off_ms.abs()), "{off_ms} ms");
    assert!(off_ms.abs() < stats.bound.as_secs_f64() * 1e3, "{stats:?}");
    assert!(stats.precision < Duration::from_millis(1), "{stats:?}");
}

#[test]
fn the_time_survives_a_network_that_goes_and_a_server_that_starts_again() {
    let mut room = Room::new(317);
    let system = SystemClock { drift_ppm: 80.0, ..SystemClock::exact() };
    let weather = Weather::delay_ms(8).jitter_us(500);
    let ann = room.join(Musician::new("Ann", "late-bus-piano").on_clock(system).behind(weather));
    room.run_for(Duration::from_secs(10));
    room.lose_network_for(ann, Duration::from_secs(8));
    for _ in 0..16 {
        room.run_for(Duration::from_millis(500));
        is_right(&room, ann, 1.0);
    }
    room.restart_server(Duration::from_secs(1));
    room.run_for(Duration::from_secs(12));
    is_right(&room, ann, 0.5);
}

#[test]
fn what_the_engine_says_of_mouth_to_ear_is_what_ears_measure() {
    for (codec, seed) in [(Codec::Pcm, 331), (Codec::Opus64, 337), (Codec::Opus, 347)] {
        let mut room = Room::new(seed);
        let card = SoundCard { drift_ppm: 60.0, ..SoundCard::exact(64) };
        let weather = Weather::delay_ms(7).jitter_us(400);
        let system = SystemClock { drift_ppm: -40.0, ..SystemClock::exact() };
        let ann = Musician::new("Ann", "late-bus-piano").on_card(card).on_clock(system);
        let ann = room.join(ann.behind(weather).sends(codec));
        let bob = room.join(Musician::new("Bob", "harbor-oboe").sends(codec));
        room.run_for(Duration::from_secs(8));
        for (listener, source) in [(ann, bob), (bob, ann)] {
            let said = |room: &Room| {
                let said = room.stats(listener, source).and_then(|stats| stats.mouth_to_device);
                said.expect("both know the room's time")
            };
            // The delay may be on its way to somewhere else.
            let before = said(&room);
            let stretch = room.play_seconds(1.0);
            let after = said(&room);
            let heard = room.heard(listener, source, &stretch).delay();
            let within = before.min(after).saturating_sub(OFF_MAX)..before.max(after) + OFF_MAX;
            assert!(within.contains(&heard), "{codec:?}: {before:?}, {after:?} said, {heard:?}");
            // Everybody in the room knows, oneself and the other.
            for reader in [ann, bob] {
                let told = room.told_delay_us(reader, listener, source).expect("it is told");
                let told = Duration::from_micros(told.into());
                let within = within.start.saturating_sub(OFF_MAX)..within.end + OFF_MAX;
                assert!(within.contains(&told), "{told:?} told, {heard:?} heard");
            }
        }
    }
}
