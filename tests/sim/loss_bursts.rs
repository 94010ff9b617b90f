//! Packets that never come, alone and in rows: concealed and counted.

use core::time::Duration;

use protocol::codec::Codec;
use relay::weather::Weather;
use tests::musician::Musician;
use tests::room::{Room, Seat};

/// Bob's uplink loses packets; what Ann hears of him after a few seconds.
fn lossy(of_scenario: u64, codec: Codec, weather: Weather) -> (Room, Seat, Seat) {
    let mut room = Room::new(of_scenario);
    let ann = room.join(Musician::new("Ann", "late-bus-piano").sends(codec));
    let bob = Musician::new("Bob", "harbor-oboe").sends(codec).behind(weather);
    let bob = room.join(bob);
    room.play_seconds(8.0);
    (room, ann, bob)
}

#[test]
fn lone_losses_are_hardly_heard() {
    let (mut room, ann, bob) = lossy(101, Codec::Opus64, Weather::delay_ms(5).loss(0.01));
    let before = room.stats(ann, bob).expect("there is a stream");
    let stretch = room.play_seconds(10.0);
    let stats = room.stats(ann, bob).expect("there is a stream");
    let heard = room.heard(ann, bob, &stretch);
    assert!(heard.correlation() > 0.95, "{} {stats:?}", heard.correlation());
    assert_eq!(heard.gaps(), Duration::ZERO);
    let lost = stats.lost_packets - before.lost_packets;
    let recovered = stats.recovered_packets - before.recovered_packets;
    let concealed = (stats.concealed_frames - before.concealed_frames) / 64;
    assert!(40 < lost, "there was loss: {stats:?}");
    // Bob repeats himself by now; whether the repetition comes in time depends on how deep Ann's
    // buffer is, and what does not is concealed: nothing else is.
    assert!(concealed + recovered <= 2 * lost, "{lost} lost, {concealed} concealed: {stats:?}");
}

#[test]
fn what_is_lost_is_repeated_where_the_playout_waits_for_it() {
    // The network shakes by more than a packet time: the repetition is there before its moment.
    let weather = Weather::delay_ms(5).jitter_us(1_000).loss(0.01);
    let (mut room, ann, bob) = lossy(103, Codec::Opus64, weather);
    let before = room.stats(ann, bob).expect("there is a stream");
    room.play_seconds(20.0);
    let stats = room.stats(ann, bob).expect("there is a stream");
    let lost = stats.lost_packets - before.lost_packets;
    let recovered = stats.recovered_packets - before.recovered_packets;
    assert!(80 < lost, "there was loss: {stats:?}");
    assert!(lost / 2 < recovered, "{recovered} of {lost} came with a later packet: {stats:?}");
}

#[test]
fn bursts_are_concealed_and_counted() {
    for codec in [Codec::Opus, Codec::Opus64, Codec::Pcm] {
        let weather = Weather::delay_ms(5).bursts(0.002, 6.0);
        let (mut room, ann, bob) = lossy(102, codec, weather);
        let before = room.stats(ann, bob).expect("there is a stream");
        let stretch = room.play_seconds(10.0);
        let stats = room.stats(ann, bob).expect("there is a stream");
        let heard = room.heard(ann, bob, &stretch);
        assert!(heard.correlation() > 0.85, "{codec}: {} {stats:?}", heard.correlation());
        assert_eq!(heard.clicks(), 0, "{codec}: concealment does not click");
        let lost = stats.lost_packets - before.lost_packets;
        let concealed = stats.concealed_frames - before.concealed_frames;
        assert!(10 < lost, "{codec}: there was loss: {stats:?}");
        assert!(0 < concealed, "{codec}: what was lost was invented: {stats:?}");
        // Nothing else was: no more than was lost, and what it takes to come back from a burst.
        let lost_frames = lost * codec.codec_frame_frames() as u64;
        assert!(concealed < 2 * lost_frames, "{codec}: {concealed} of {lost_frames} frames");
    }
}
