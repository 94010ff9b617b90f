//! Who loses packets is sent codec frames twice, nobody else is, and it ends with the loss.

use protocol::codec::Codec;
use relay::weather::Weather;
use tests::musician::Musician;
use tests::room::Room;

#[test]
fn who_loses_packets_is_sent_frames_twice_until_the_loss_ends() {
    let mut room = Room::new(104);
    let [ann, bob, cleo] =
        [("Ann", "late-bus-piano"), ("Bob", "harbor-oboe"), ("Cleo", "late-bus-bass")]
            .map(|(name, plays)| Musician::new(name, plays).sends(Codec::Opus64))
            .map(|musician| room.join(musician.behind(Weather::delay_ms(5))));
    room.play_seconds(5.0);
    let repeating = |room: &Room, listener| room.repeating_packets(listener, ann);
    assert_eq!(
        (repeating(&room, bob), repeating(&room, cleo)),
        (0, 0),
        "clean links repeat nothing"
    );

    // The network shakes too, so that the playout waits long enough for what is repeated.
    let lossy = Weather::delay_ms(5).jitter_us(1_000).loss(0.05);
    room.set_weather_down(bob, lossy);
    room.play_seconds(10.0);
    let before = (repeating(&room, bob), room.stats(bob, ann).expect("there is a stream"));
    room.play_seconds(10.0);
    let stats = room.stats(bob, ann).expect("there is a stream");
    let repeated = repeating(&room, bob) - before.0;
    let lost = stats.lost_packets - before.1.lost_packets;
    let recovered = stats.recovered_packets - before.1.recovered_packets;
    assert!(250 < lost, "5 % of 7,500: {stats:?}");
    assert!(7_000 <= repeated, "{repeated} of 7,500 packets repeat");
    assert!(lost / 2 < recovered, "{recovered} of {lost} came with a later packet: {stats:?}");
    assert_eq!(repeating(&room, cleo), 0, "Cleo's way is clean");
    assert_eq!(room.repeating_packets(ann, cleo), 0, "and so is Ann's");
    assert!(0 < room.repeating_packets(bob, cleo), "Bob loses Cleo's packets too");

    room.set_weather_down(bob, Weather::delay_ms(5));
    room.play_seconds(17.0);
    let calm = repeating(&room, bob);
    room.play_seconds(5.0);
    assert_eq!(repeating(&room, bob), calm, "it ends with the loss");
}
