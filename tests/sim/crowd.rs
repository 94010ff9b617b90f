//! Forty musicians for a room of thirty-two: who fits plays, who does not is told.

use protocol::limits::ROOM_PARTICIPANTS_MAX;
use tests::clock::SoundCard;
use tests::musician::Musician;
use tests::room::{Room, Seat};
use tests::sound::MUSIC;

#[test]
fn forty_musicians_are_thirty_two_who_play_and_eight_who_are_told() {
    let mut room = Room::new(41);
    let musician = |i: usize| {
        Musician::new(&format!("Musician {i}"), MUSIC[i % MUSIC.len()])
            .on_card(SoundCard::exact(256))
    };
    let seats: Vec<Seat> = (0..40).map(|i| room.join(musician(i))).collect();
    room.play_seconds(0.4);
    let stretch = room.play_seconds(0.3);
    let (inside, outside) = seats.split_at(ROOM_PARTICIPANTS_MAX);
    for seat in inside {
        assert!(room.is_linked(*seat), "{:?}", room.notices(*seat));
        assert!(-40.0 < room.level(*seat, &stretch), "they hear the others");
        let streams = inside.iter().filter(|other| room.stats(*seat, **other).is_some()).count();
        assert_eq!(streams, ROOM_PARTICIPANTS_MAX - 1);
    }
    for seat in outside {
        let end = room.end(*seat).expect("there is no place for them");
        assert!(end.contains("32"), "the reason names the limit: {end}");
        assert!(room.level(*seat, &stretch) < -100.0, "they hear nothing");
    }
}
