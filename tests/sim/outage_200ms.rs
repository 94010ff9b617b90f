//! A network that stops for a fifth of a second and goes on: the hole is heard, nothing after it.

use core::time::Duration;

use relay::weather::Weather;
use tests::musician::Musician;
use tests::room::Room;

#[test]
fn an_outage_is_a_hole_and_not_a_delay() {
    let mut room = Room::new(121);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    let bob = Musician::new("Bob", "harbor-strings").behind(Weather::delay_ms(10));
    let bob = room.join(bob);
    room.play_seconds(2.0);
    let before = room.play_seconds(2.0);
    let delay_before = room.heard(ann, bob, &before).delay();

    room.lose_network_for(bob, Duration::from_millis(200));
    let hole = room.play_seconds(1.0);
    let heard = room.heard(ann, bob, &hole);
    assert!(heard.gaps() < Duration::from_millis(250), "{:?}", heard.gaps());
    assert_eq!(heard.clicks(), 0, "it fades out and in");

    let after = room.play_seconds(3.0);
    let heard = room.heard(ann, bob, &after);
    assert!(heard.correlation() > 0.95, "{heard:?}");
    assert_eq!(heard.gaps(), Duration::ZERO);
    let grown = heard.delay().saturating_sub(delay_before);
    assert!(grown < Duration::from_millis(3), "{grown:?} later than before the outage");
}
