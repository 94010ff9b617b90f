//! A seed repeats a run exactly: every datagram, every message, every sample that is heard.

use core::time::Duration;

use relay::weather::Weather;
use tests::clock::SoundCard;
use tests::musician::Musician;
use tests::room::Room;

/// Everything that can happen to a trio within a few seconds.
fn play(of_scenario: u64) -> u64 {
    let mut room = Room::new(of_scenario);
    let weather = Weather::delay_ms(10)
        .jitter_us(1_500)
        .loss(0.01)
        .bursts(0.001, 4.0)
        .reorder(0.01, Duration::from_millis(2))
        .duplicate(0.01);
    let card = SoundCard { drift_ppm: 80.0, wander_ppm: 10.0, ..SoundCard::exact(96) };
    let ann = room.join(Musician::new("Ann", "late-bus-piano").behind(weather).on_card(card));
    room.join(Musician::new("Bob", "harbor-oboe").behind(weather));
    room.play_seconds(1.5);
    let cid = room.join(Musician::new("Cid", "late-bus-bass").as_standard());
    room.play_seconds(1.0);
    room.cut_off_for(ann, Duration::from_millis(700));
    room.say(cid, "where is Ann?");
    room.play_seconds(2.0);
    room.leave(cid);
    room.play_seconds(0.5);
    room.fingerprint()
}

#[test]
fn the_same_seed_plays_the_same_jam_and_another_seed_another() {
    assert_eq!(play(151), play(151));
    if std::env::var_os("VJAM_SEED").is_none() {
        assert_ne!(play(151), play(152));
    }
}
