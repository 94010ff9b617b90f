//! Somebody comes when the others are playing already.

use core::time::Duration;

use relay::weather::Weather;
use tests::musician::Musician;
use tests::room::Room;

#[test]
fn a_late_joiner_hears_everybody_within_half_a_second_and_disturbs_nobody() {
    let mut room = Room::new(81);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    let bob = room.join(Musician::new("Bob", "harbor-oboe"));
    room.play_seconds(3.0);
    let cid = Musician::new("Cid", "seven-stairs-bass").behind(Weather::delay_ms(20));
    let cid = room.join(cid);
    room.play_seconds(0.5);
    let playing = room.play_seconds(4.0);
    for (listener, others) in [(ann, [bob, cid]), (bob, [ann, cid]), (cid, [ann, bob])] {
        let mix = room.mix(listener, &[others[0], others[1], listener], &playing);
        assert!(mix.parts[0].gain_db.abs() < 1.0, "{mix:?}");
        assert!(mix.parts[1].gain_db.abs() < 1.0, "{mix:?}");
        assert!(mix.parts[2].gain_db < -25.0, "{mix:?}");
    }
    for (listener, source) in [(ann, bob), (bob, ann)] {
        let stats = room.stats(listener, source).expect("there is a stream");
        assert_eq!(stats.concealed_frames, 0, "a newcomer is not heard as a glitch: {stats:?}");
    }
}

#[test]
fn a_late_joiner_is_no_gap_and_no_click_in_anybody_elses_sound() {
    let mut room = Room::new(82);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    let bob = room.join(Musician::new("Bob", "harbor-oboe"));
    room.play_seconds(1.0);
    room.solo(ann, bob);
    room.solo(bob, ann);
    room.play_seconds(1.0);
    room.join(Musician::new("Cid", "seven-stairs-bass").behind(Weather::delay_ms(20)));
    let arriving = room.play_seconds(3.0);
    for (listener, source) in [(ann, bob), (bob, ann)] {
        let heard = room.heard(listener, source, &arriving);
        assert_eq!((heard.gaps(), heard.clicks()), (Duration::ZERO, 0), "{heard:?}");
    }
}
