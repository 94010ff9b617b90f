//! Everybody goes, each in another way: in the end the server holds nothing.

use core::time::Duration;

use tests::musician::Musician;
use tests::room::{Holdings, Room};

#[test]
fn when_all_have_gone_the_server_holds_nothing() {
    let mut room = Room::new(191);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    let bob = room.join(Musician::new("Bob", "harbor-oboe").as_standard());
    let cid = room.join(Musician::new("Cid", "seven-stairs-bass"));
    let dee = room.join(Musician::new("Dee", "harbor-harp").in_room("attic"));
    room.play_seconds(2.0);
    let four = room.holdings();
    assert_eq!((four.connections, four.rooms, four.participants, four.links), (4, 2, 4, 4));
    // Each publishes, and each of the trio is sent two streams.
    assert!(4 <= four.sources && 6 <= four.streams, "{four:?}");

    room.leave(ann);
    room.leave(dee);
    room.cut_off_for(bob, Duration::from_secs(3600));
    room.lose_network_for(cid, Duration::from_secs(3600));
    room.play_seconds(1.0);
    let two = room.holdings();
    assert_eq!((two.connections, two.rooms, two.participants, two.links), (1, 1, 2, 2));
    assert!(two.sources < four.sources && two.streams < four.streams, "{two:?} of {four:?}");

    // Bob's seat waits for fifteen seconds. Cid is not even missed before thirty are over.
    room.play_seconds(15.0);
    let one = room.holdings();
    assert_eq!((one.connections, one.participants, one.links), (1, 1, 1));
    room.play_seconds(31.0);
    assert_eq!(room.holdings(), Holdings::default());
}
