//! Two musicians open the same link and play. Start reading here.

use core::time::Duration;

use tests::musician::Musician;
use tests::room::Room;

#[test]
fn two_musicians_hear_each_other() {
    // A server in virtual time, and two people beside it with good sound cards. Everything that
    // happens to them follows from this seed.
    let mut room = Room::new(1);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    let bob = room.join(Musician::new("Bob", "harbor-oboe"));

    // Joining: WebSockets, tickets, the media link, published tracks, the first packets.
    room.play_seconds(0.5);

    // Five seconds of music later, each has heard what the other played...
    let five_seconds = room.play_seconds(5.0);
    for (listener, source) in [(ann, bob), (bob, ann)] {
        let heard = room.heard(listener, source, &five_seconds);
        assert!(heard.correlation() > 0.95, "{heard:?}");
        assert!(heard.level_db().abs() < 0.5, "{heard:?}");

        // ... without a hole or a click ...
        assert_eq!(heard.gaps(), Duration::ZERO);
        assert_eq!(heard.clicks(), 0);

        // ... from mouth to ear in less time than sound takes to cross a small room.
        assert!(heard.delay_at_most() < Duration::from_millis(8), "{:?}", heard.delay_at_most());
    }

    // And nobody has heard themselves.
    let in_anns_ear = room.mix(ann, &[bob, ann], &five_seconds);
    assert!(in_anns_ear.parts[0].gain_db.abs() < 0.5, "{in_anns_ear:?}");
    assert!(in_anns_ear.parts[1].gain_db < -30.0, "{in_anns_ear:?}");
}
