//! Who is sent which codec, and that everybody hears everybody in all of them.

use protocol::codec::Codec;
use tests::listen::correlation_min;
use tests::musician::Musician;
use tests::room::{Room, Seat};

fn must_hear(room: &mut Room, listener: Seat, source: Seat, codec: Codec) {
    room.play_seconds(0.7);
    room.solo(listener, source);
    room.play_seconds(0.1);
    let stretch = room.play_seconds(3.0);
    let heard = room.heard(listener, source, &stretch);
    assert!(correlation_min(codec) < heard.correlation(), "{codec}: {heard:?}");
    assert!(heard.gaps().is_zero(), "{codec}: {heard:?}");
    let stats = room.stats(listener, source).expect("there is a stream");
    assert_eq!(stats.codec, Some(codec));
    assert_eq!((stats.undecodable_packets, stats.concealed_frames), (0, 0), "{stats:?}");
}

#[test]
fn every_codec_is_heard() {
    for codec in Codec::ALL {
        let mut room = Room::new(31);
        let ann = room.join(Musician::new("Ann", "late-bus-piano").sends(codec));
        let bob = room.join(Musician::new("Bob", "harbor-oboe").sends(codec));
        must_hear(&mut room, ann, bob, codec);
        must_hear(&mut room, bob, ann, codec);
    }
}

#[test]
fn smaller_codec_delay_is_smaller_mouth_to_ear_delay() {
    let delay = |codec: Codec| {
        let mut room = Room::new(32);
        let ann = room.join(Musician::new("Ann", "late-bus-piano").sends(codec));
        let bob = room.join(Musician::new("Bob", "harbor-oboe").sends(codec));
        room.play_seconds(1.0);
        let stretch = room.play_seconds(3.0);
        room.heard(ann, bob, &stretch).delay()
    };
    let [opus_64, opus, pcm] = Codec::ALL.map(delay);
    assert!(pcm < opus_64 && opus_64 < opus, "{pcm:?} {opus_64:?} {opus:?}");
}

#[test]
fn one_who_cannot_decode_opus_64_makes_everybody_send_opus() {
    let mut room = Room::new(33);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    let bob = room.join(Musician::new("Bob", "harbor-oboe"));
    must_hear(&mut room, ann, bob, Codec::Opus64);
    let cid = Musician::new("Cid", "seven-stairs-bass").that_decodes(&[Codec::Opus]);
    let cid = room.join(cid);
    must_hear(&mut room, cid, ann, Codec::Opus);
    let (codecs, reason) = room.encodings(ann);
    assert_eq!(codecs, [Codec::Opus]);
    assert!(reason.is_some_and(|reason| reason.contains("Cid")), "{reason:?}");

    // When Cid has gone, the others are back at the lower delay.
    room.leave(cid);
    room.play_seconds(0.5);
    assert_eq!(room.encodings(ann), (&[Codec::Opus64][..], None));
    must_hear_since(&mut room, bob, ann, Codec::Opus64);
}

#[test]
fn an_ordinary_player_is_sent_opus_beside_what_the_others_play() {
    let mut room = Room::new(34);
    let ann = room.join(Musician::new("Ann", "late-bus-piano"));
    let bob = room.join(Musician::new("Bob", "harbor-oboe"));
    let phone = room.join(Musician::new("Phone", "seven-stairs-guitar").as_standard());
    must_hear(&mut room, phone, ann, Codec::Opus);
    must_hear(&mut room, ann, bob, Codec::Opus64);
    let (codecs, reason) = room.encodings(ann);
    assert_eq!(codecs, [Codec::Opus64, Codec::Opus]);
    assert!(reason.is_some_and(|reason| reason.contains("Phone")), "{reason:?}");
}

/// After a change of codec something may have been concealed before; from here on nothing is.
fn must_hear_since(room: &mut Room, listener: Seat, source: Seat, codec: Codec) {
    let before = room.stats(listener, source).expect("there is a stream").concealed_frames;
    let stretch = room.play_seconds(3.0);
    let heard = room.heard(listener, source, &stretch);
    assert!(correlation_min(codec) < heard.correlation(), "{codec}: {heard:?}");
    let stats = room.stats(listener, source).expect("there is a stream");
    assert_eq!((stats.codec, stats.concealed_frames), (Some(codec), before), "{stats:?}");
}
