//! A muted instrument is heard by nobody and says so; unmuted it is back at once.

use tests::musician::Musician;
use tests::room::Room;

#[test]
fn a_muted_musician_is_silent_for_everybody_until_unmuted() {
    let mut room = Room::new(111);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    let bob = room.join(Musician::new("Bob", "harbor-oboe"));
    room.play_seconds(2.0);
    room.set_muted(bob, true);
    room.play_seconds(0.5);
    let muted = room.play_seconds(2.0);
    assert!(room.level(ann, &muted) < -90.0, "{} dB", room.level(ann, &muted));
    assert!(room.heard(bob, ann, &muted).correlation() > 0.95, "Bob still hears Ann");

    room.set_muted(bob, false);
    room.play_seconds(0.3);
    let back = room.play_seconds(3.0);
    let heard = room.heard(ann, bob, &back);
    assert!(heard.correlation() > 0.95, "{heard:?}");
    assert!(heard.gaps().is_zero() && heard.clicks() == 0, "{heard:?}");
}
