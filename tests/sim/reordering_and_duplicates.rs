//! Packets that overtake each other and packets that come twice: played once, in order.

use core::time::Duration;

use relay::weather::Weather;
use tests::musician::Musician;
use tests::room::Room;

#[test]
fn order_is_restored_and_nothing_is_played_twice() {
    let mut room = Room::new(131);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    let weather = Weather::delay_ms(5).reorder(0.02, Duration::from_millis(3)).duplicate(0.05);
    let bob = room.join(Musician::new("Bob", "harbor-oboe").behind(weather));
    room.play_seconds(5.0);
    let before = room.stats(ann, bob).expect("there is a stream");
    let stretch = room.play_seconds(8.0);
    let stats = room.stats(ann, bob).expect("there is a stream");
    let heard = room.heard(ann, bob, &stretch);
    assert!(heard.correlation() > 0.9, "{} {stats:?}", heard.correlation());
    assert_eq!(heard.gaps(), Duration::ZERO);
    assert_eq!(heard.clicks(), 0);
    // Bob's uplink is on Ann's way, his downlink on his own.
    assert!(50 < stats.reordered_packets, "{stats:?}");
    let own = room.stats(bob, ann).expect("there is a stream");
    assert!(50 < own.duplicate_packets, "{own:?}");
    assert_eq!(own.lost_packets, 0, "{own:?}");
    assert!(stats.received_packets - before.received_packets <= 6_001, "once each: {stats:?}");
    assert!(room.heard(bob, ann, &stretch).correlation() > 0.9);
}
