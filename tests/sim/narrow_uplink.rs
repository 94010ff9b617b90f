//! An uplink that does not carry what `opus-64` sends, with a queue before it.

use core::time::Duration;

use protocol::codec::Codec;
use relay::weather::Weather;
use tests::musician::Musician;
use tests::room::Room;

#[test]
fn an_uplink_that_is_too_narrow_gets_fewer_packets_and_is_heard_whole() {
    let mut room = Room::new(201);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    // 750 packets/s of 16 bytes are 342 kbit/s with all their headers, 400 of 30 are 224.
    let narrow = Weather::delay_ms(5).narrow(300_000, Duration::from_millis(30));
    let bob = room.join(Musician::new("Bob", "harbor-oboe").sends_through(narrow));
    room.play_seconds(1.5);
    assert_eq!(room.encodings(bob).0, [Codec::Opus64], "nobody knows yet");
    room.play_seconds(6.0);
    assert_eq!(room.encodings(bob).0, [Codec::Opus]);
    assert!(room.notices(bob).iter().any(|notice| notice.contains("the uplink loses")));

    // The delay comes down two seconds after the queue has gone, which costs two packets.
    room.play_seconds(1.0);
    let stretch = room.play_seconds(4.0);
    let heard = room.heard(ann, bob, &stretch);
    assert!(heard.correlation() > 0.95, "{heard:?}");
    assert_eq!(heard.gaps(), Duration::ZERO);
    assert!(room.heard(bob, ann, &stretch).correlation() > 0.95, "the way down is a good one");
}
