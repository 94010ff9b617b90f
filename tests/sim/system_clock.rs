//! A computer whose clock is wrong: packets are stamped by it, and nobody may hear it.

use core::time::Duration;

use relay::weather::Weather;
use tests::clock::SystemClock;
use tests::musician::Musician;
use tests::room::Room;

#[test]
fn a_computer_clock_that_runs_fast_is_not_taken_for_a_sound_card_that_does() {
    let fast = SystemClock { drift_ppm: 150.0, ..SystemClock::exact() };
    let mut room = Room::new(211);
    let weather = Weather::delay_ms(5).jitter_us(200);
    let ann = room.join(Musician::new("Ann", "late-bus-piano").on_clock(fast));
    let bob = room.join(Musician::new("Bob", "harbor-oboe").behind(weather));
    room.play_seconds(2.0);
    let stretch = room.play_seconds(30.0);
    let heard = room.heard(ann, bob, &stretch);
    assert!(heard.correlation() > 0.95, "{}", heard.correlation());
    assert_eq!((heard.gaps(), heard.clicks()), (Duration::ZERO, 0));
    let stats = room.stats(ann, bob).expect("there is a stream");
    let drift_ppm = stats.drift_ppm.expect("half a minute is enough to know");
    assert!(drift_ppm.abs() < 25.0, "both cards are exact: {stats:?}");
}
