//! A musician's address changes on the way, as when a laptop moves from cable to Wi-Fi.

use core::time::Duration;

use relay::weather::Weather;
use tests::musician::Musician;
use tests::room::Room;

#[test]
fn a_new_address_is_found_by_the_next_check() {
    let mut room = Room::new(141);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    let bob = Musician::new("Bob", "harbor-oboe").behind(Weather::delay_ms(5));
    let bob = room.join(bob);
    room.play_seconds(2.0);
    room.move_to_another_address(bob);
    room.play_seconds(3.0);
    let stretch = room.play_seconds(3.0);
    for (listener, source) in [(ann, bob), (bob, ann)] {
        let heard = room.heard(listener, source, &stretch);
        assert!(heard.correlation() > 0.95, "{heard:?}");
        assert_eq!(heard.gaps(), Duration::ZERO);
    }
}
