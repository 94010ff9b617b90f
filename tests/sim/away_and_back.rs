//! A musician's network is gone for a while; the seat waits.

use core::time::Duration;

use relay::weather::Weather;
use tests::musician::Musician;
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
    room.cut_off_for(bob, Duration::from_secs(3));
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
    room.cut_off_for(bob, Duration::ZERO);
    must_hear_each_other(&mut room, ann, bob);
    assert!(room.notices(bob).iter().any(|notice| notice.contains("back in room")));
}

#[test]
fn a_network_that_is_back_within_seconds_is_a_hole_and_nothing_else() {
    let (mut room, ann, bob) = duo(24);
    let told = [ann, bob].map(|seat| room.notices(seat).to_vec());
    room.lose_network_for(bob, Duration::from_secs(3));
    room.play_seconds(3.5);
    must_hear_each_other(&mut room, ann, bob);
    assert_eq!([ann, bob].map(|seat| room.notices(seat).to_vec()), told, "nobody need know");
}

#[test]
fn a_network_that_says_nothing_is_given_up_and_the_seat_is_still_there() {
    let (mut room, ann, bob) = duo(25);
    let who = room.participant(bob);
    // No end is told: Bob gives the WebSocket up after six seconds, the server would after thirty.
    room.lose_network_for(bob, Duration::from_secs(8));
    room.play_seconds(8.0);
    assert!(!room.is_linked(bob), "four seconds of silence are enough to know");
    room.play_seconds(6.0);
    assert_eq!(room.participant(bob), who, "it is the same seat");
    assert!(room.notices(bob).iter().any(|notice| notice.contains("back in room")));
    assert_eq!(room.holdings().connections, 2, "the WebSocket that Bob gave up is gone");
    must_hear_each_other(&mut room, ann, bob);
}

#[test]
fn who_says_nothing_for_too_long_loses_the_seat() {
    let (mut room, ann, bob) = duo(26);
    let who = room.participant(bob);
    room.lose_network_for(bob, Duration::from_secs(50));
    room.play_seconds(28.0);
    let told = |room: &Room, what: &str| room.notices(ann).iter().any(|told| told == what);
    assert!(!told(&room, "Bob lost the network"), "the server waits");
    room.play_seconds(4.0);
    assert!(told(&room, "Bob lost the network"));
    room.play_seconds(16.0);
    assert!(told(&room, "Bob did not come back"));
    room.play_seconds(9.0);
    assert_ne!(room.participant(bob), who);
    must_hear_each_other(&mut room, ann, bob);
}

#[test]
fn who_comes_after_fifteen_seconds_gets_a_new_seat() {
    let (mut room, ann, bob) = duo(23);
    let who = room.participant(bob);
    room.cut_off_for(bob, Duration::from_secs(18));
    room.play_seconds(16.5);
    assert!(room.notices(ann).iter().any(|notice| notice.contains("Bob did not come back")));
    assert!(room.stats(ann, bob).is_none(), "the stream is gone with the seat");
    room.play_seconds(9.0);
    assert_ne!(room.participant(bob), who);
    must_hear_each_other(&mut room, ann, bob);
}
