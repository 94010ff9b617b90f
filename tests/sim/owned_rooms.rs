//! A room that an account owns: whoever is silenced is heard by nobody and hears everybody, whoever is
//! taken out is gone, and nobody else may do either.

use core::time::Duration;

use protocol::signal::RoomRole;
use tests::musician::Musician;
use tests::room::{Room, Seat};

/// An owner and a guest, playing.
fn duo(seed: u64) -> (Room, Seat, Seat) {
    let mut room = Room::new(seed);
    let ann = room.join(Musician::new("Ann", "late-bus-piano").with_role(RoomRole::Owner));
    let bob = room.join(Musician::new("Bob", "harbor-oboe").with_role(RoomRole::Guest));
    room.play_seconds(2.0);
    (room, ann, bob)
}

#[test]
fn who_is_silenced_is_not_heard_and_hears_until_it_is_lifted() {
    let (mut room, ann, bob) = duo(211);
    room.silence(ann, bob, true);
    room.play_seconds(0.5);
    // Their own switch is another one.
    room.set_muted(bob, true);
    room.set_muted(bob, false);
    let silenced = room.play_seconds(2.0);
    assert!(room.level(ann, &silenced) < -90.0, "{} dB", room.level(ann, &silenced));
    assert!(room.heard(bob, ann, &silenced).correlation() > 0.95, "Bob still hears Ann");
    assert!(room.notices(bob).iter().any(|notice| notice.contains("nobody hears you")));

    room.silence(ann, bob, false);
    room.play_seconds(0.5);
    let back = room.play_seconds(3.0);
    let heard = room.heard(ann, bob, &back);
    assert!(heard.correlation() > 0.95, "{heard:?}");
    assert!(heard.gaps().is_zero() && heard.clicks() == 0, "{heard:?}");
}

#[test]
fn who_is_taken_out_is_gone_and_the_others_play_on() {
    let (mut room, ann, bob) = duo(212);
    let cid = room.join(Musician::new("Cid", "seven-stairs-bass").with_role(RoomRole::Guest));
    room.play_seconds(3.0);
    room.remove(ann, cid);
    room.play_seconds(0.3);
    let stretch = room.play_seconds(4.0);

    let end = room.end(cid).expect("it has ended for Cid");
    assert!(end.contains("Ann took you out of the room"), "{end}");
    assert!(room.notices(bob).iter().any(|notice| notice == "Cid was taken out of the room"));
    assert!(room.stats(ann, cid).is_none(), "the stream is gone");
    assert!(room.level(cid, &stretch) < -90.0, "Cid hears nothing");
    for (listener, source) in [(ann, bob), (bob, ann)] {
        let heard = room.heard(listener, source, &stretch);
        assert!(heard.correlation() > 0.95, "{heard:?}");
        assert_eq!(heard.gaps(), Duration::ZERO);
        let stats = room.stats(listener, source).expect("there is a stream");
        assert_eq!(stats.concealed_frames, 0, "{stats:?}");
    }
}

#[test]
fn guests_silence_and_remove_nobody_and_nobody_does_in_a_room_without_an_owner() {
    let (mut room, ann, bob) = duo(213);
    let eve = room.join(Musician::new("Eve", "harbor-harp").in_room("attic"));
    let fay = room.join(Musician::new("Fay", "seven-stairs-guitar").in_room("attic"));
    room.play_seconds(1.0);
    for (by, whom) in [(bob, ann), (eve, fay), (bob, eve)] {
        room.silence(by, whom, true);
        room.remove(by, whom);
    }
    room.play_seconds(0.3);
    let stretch = room.play_seconds(3.0);
    let told =
        |seat, what: &str| room.notices(seat).iter().filter(|notice| notice.contains(what)).count();
    assert_eq!(told(bob, "only the owner of the room"), 2);
    assert_eq!(told(bob, "not in this room"), 2, "Eve is in another");
    assert_eq!(told(eve, "nobody owns this room"), 2);
    for (listener, source) in [(ann, bob), (bob, ann), (eve, fay), (fay, eve)] {
        let heard = room.heard(listener, source, &stretch);
        assert!(heard.correlation() > 0.95, "{heard:?}");
        assert!(room.end(listener).is_none());
    }
}
