//! The server dies without a word and comes back: everybody rejoins by themselves.

use core::time::Duration;

use relay::weather::Weather;
use tests::musician::Musician;
use tests::room::Room;

#[test]
fn everybody_is_back_seconds_after_the_server_is() {
    let mut room = Room::new(161);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    let bob = Musician::new("Bob", "harbor-oboe").behind(Weather::delay_ms(10));
    let bob = room.join(bob);
    room.play_seconds(3.0);
    room.restart_server(Duration::from_secs(2));
    // A try every few seconds at the latest, then a new link.
    room.play_seconds(6.0);
    let stretch = room.play_seconds(3.0);
    for (listener, source) in [(ann, bob), (bob, ann)] {
        let heard = room.heard(listener, source, &stretch);
        assert!(heard.correlation() > 0.95, "{heard:?} {:?}", room.notices(listener));
        assert_eq!(heard.gaps(), Duration::ZERO);
    }
}
