//! Two sound cards whose clocks differ by 100 ppm: six milliseconds in a minute, in either
//! direction, that nobody may hear.

use core::time::Duration;

use tests::clock::SoundCard;
use tests::musician::Musician;
use tests::room::Room;

fn check(drift_ppm: f64) {
    let mut room = Room::new(51);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    let card = SoundCard { drift_ppm, phase: Duration::from_micros(400), ..SoundCard::exact(64) };
    let bob = room.join(Musician::new("Bob", "harbor-oboe").on_card(card));
    room.play_seconds(2.0);
    let minute = room.play_seconds(60.0);
    for (listener, source, expected_ppm) in [(ann, bob, drift_ppm), (bob, ann, -drift_ppm)] {
        let heard = room.heard(listener, source, &minute);
        assert_eq!(heard.gaps(), Duration::ZERO, "{drift_ppm} ppm");
        assert_eq!(heard.clicks(), 0, "{drift_ppm} ppm");
        assert!(heard.correlation() > 0.9, "{drift_ppm} ppm: {}", heard.correlation());
        // Without correction the delay would have grown, or the buffer run dry, by 6 ms.
        assert!(heard.delay_at_most() < Duration::from_millis(9), "{:?}", heard.delay_at_most());
        let stats = room.stats(listener, source).expect("there is a stream");
        let estimate = f64::from(stats.drift_ppm.expect("a minute is enough to know"));
        assert!((estimate - expected_ppm).abs() < 25.0, "{estimate} ppm of {expected_ppm}");
        let concealed = stats.concealed_frames as f64 / stats.played_frames as f64;
        assert!(concealed < 1e-3, "{stats:?}");
    }
}

#[test]
fn a_fast_card_is_followed() {
    check(100.0);
}

#[test]
fn a_slow_card_is_followed() {
    check(-100.0);
}
