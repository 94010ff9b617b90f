//! A network that shakes: the playout waits as long as it must, and no longer when it is over.

use core::time::Duration;

use relay::weather::Weather;
use tests::musician::Musician;
use tests::room::Room;

#[test]
fn jitter_is_played_away_and_the_delay_comes_back_down() {
    let mut room = Room::new(71);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    let calm = Weather::delay_ms(10);
    let bob = room.join(Musician::new("Bob", "harbor-oboe").behind(calm));
    room.play_seconds(2.0);
    let before = room.play_seconds(3.0);
    let delay_before = room.heard(ann, bob, &before).delay();
    assert!(delay_before < Duration::from_millis(18), "{delay_before:?}");

    room.set_weather(bob, calm.jitter_us(2_000));
    room.play_seconds(2.0);
    let shaken = room.play_seconds(10.0);
    let heard = room.heard(ann, bob, &shaken);
    let stats = room.stats(ann, bob).expect("there is a stream");
    assert!(heard.correlation() > 0.85, "{} {stats:?}", heard.correlation());
    assert!(heard.gaps() < Duration::from_millis(20), "{:?} {stats:?}", heard.gaps());
    // Ten milliseconds of network, five for the devices and the codec, and what a deviation of
    // 2 ms asks for: 4 deviations are 8 ms.
    assert!(heard.delay() < Duration::from_millis(27), "{:?}", heard.delay());
    assert!(delay_before < heard.delay(), "a shaken network costs something");

    room.set_weather(bob, calm);
    room.play_seconds(20.0);
    let after = room.play_seconds(3.0);
    let heard = room.heard(ann, bob, &after);
    assert!(heard.correlation() > 0.95, "{}", heard.correlation());
    let grown = heard.delay().saturating_sub(delay_before);
    assert!(grown < Duration::from_millis(1), "still {grown:?} later than before the jitter");
    // Jitter that came and went is not a clock that drifts.
    let drift_ppm = room.stats(ann, bob).and_then(|stats| stats.drift_ppm).expect("long enough");
    assert!(drift_ppm.abs() < 15.0, "{drift_ppm} ppm");
}
