//! Somebody leaves: the others are told and play on.

use core::time::Duration;

use tests::musician::Musician;
use tests::room::Room;

#[test]
fn who_leaves_falls_silent_and_the_others_play_on() {
    let mut room = Room::new(91);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    let bob = room.join(Musician::new("Bob", "harbor-oboe"));
    let cid = room.join(Musician::new("Cid", "seven-stairs-bass"));
    room.play_seconds(3.0);
    room.leave(cid);
    room.play_seconds(0.3);
    let stretch = room.play_seconds(4.0);

    assert_eq!(room.end(cid).as_deref(), Some("Left"));
    assert!(room.notices(ann).iter().any(|notice| notice == "Cid left"));
    assert!(room.stats(ann, cid).is_none(), "the stream is gone");
    for (listener, source) in [(ann, bob), (bob, ann)] {
        let heard = room.heard(listener, source, &stretch);
        // Cid's bass would spoil the correlation.
        assert!(heard.correlation() > 0.95, "{heard:?}");
        assert_eq!(heard.gaps(), Duration::ZERO);
        let stats = room.stats(listener, source).expect("there is a stream");
        assert_eq!(stats.concealed_frames, 0, "{stats:?}");
    }
}
