//! A musician's network is gone for a while; the seat waits.

use core::time::Duration;

use tests::musician::Musician;
use tests::network::Weather;
use tests::room::{Room, Seat};

fn duo(of_scenario: u64) -> (Room, Seat, Seat) {
    let mut room = Room::new(of_scenario);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    let bob = Musician::new("Bob", "harbor-oboe").behind(Weather::delay_ms(10));
    let bob = room.join(bob);
    room.play_seconds(2.0);
    (room, ann, bob)
}

fn must_hear_each_other(room: &mut Room, ann: Seat, bob: Seat) {
    let stretch = room.play_seconds(3.0);
    for (listener, source) in [(ann, bob), (bob, ann)] {
        let heard = room.heard(listener, source, &stretch);
        assert!(heard.correlation() > 0.95, "{heard:?}");
        assert_eq!(heard.gaps(), Duration::ZERO, "{heard:?}");
        assert!(heard.delay_at_most() < Duration::from_millis(25), "{heard:?}");
    }
}

#[test]
fn who_is_back_within_fifteen_seconds_has_their_seat_and_plays_on() {
    let (mut room, ann, bob) = duo(21);
    let who = room.participant(bob);
    room.lose_network_for(bob, Duration::from_secs(3));
    let silence = room.play_seconds(3.0);
    let late = silence.start + Duration::from_secs(1)..silence.end;
    assert!(!room.heard(ann, bob, &late).is_heard(), "nothing comes from nowhere");
    assert!(room.notices(ann).iter().any(|notice| notice.contains("Bob lost the network")));

    // The next try, a WebSocket, an ICE restart: a second and a half in all.
    room.play_seconds(5.5);
    assert_eq!(room.participant(bob), who, "it is the same seat");
    assert!(room.notices(ann).iter().any(|notice| notice.contains("Bob is back")));
    must_hear_each_other(&mut room, ann, bob);
}

#[test]
fn a_dropped_websocket_alone_is_not_heard() {
    let (mut room, ann, bob) = duo(22);
    room.lose_network_for(bob, Duration::ZERO);
    must_hear_each_other(&mut room, ann, bob);
    assert!(room.notices(bob).iter().any(|notice| notice.contains("back in room")));
}

#[test]
fn who_comes_after_fifteen_seconds_gets_a_new_seat() {
    let (mut room, ann, bob) = duo(23);
    let who = room.participant(bob);
    room.lose_network_for(bob, Duration::from_secs(18));
    room.play_seconds(16.5);
    assert!(room.notices(ann).iter().any(|notice| notice.contains("Bob did not come back")));
    assert!(room.stats(ann, bob).is_none(), "the stream is gone with the seat");
    room.play_seconds(9.0);
    assert_ne!(room.participant(bob), who);
    must_hear_each_other(&mut room, ann, bob);
}
