//! Streams that go where none should: what a broken or a hostile publisher costs, and how soon it is over.

use engine::limits::AHEAD_FRAMES_MAX;
use protocol::codec::Codec;

use super::publisher::Form;
use super::{Device, Room};
use crate::rig::ears::bends;
use crate::rig::listen::{disturbances, fit};
use crate::rig::to_ns;

const PCM: Form = Form::Ours(Codec::Pcm, 0);

fn device() -> Device {
    Device { periods: vec![64], stop: None, calm_period: 64 }
}

/// A room in which everything has gone well for two seconds.
fn room(form: Form) -> Room {
    let mut room = Room::new(form);
    room.calm(2.0, &device());
    assert_eq!((room.stats().concealed_frames, room.stats().refused_packets), (0, 0));
    room
}

/// Amplitude of the tone that was heard in the latest 10 ms.
fn loudness(room: &Room) -> f64 {
    let from = room.left.len() - 480;
    fit(&room.left[from..], from).amplitude
}

#[test]
fn a_heap_of_long_packets_far_ahead_keeps_nobody_waiting() {
    let mut room = room(PCM);
    let before = room.stats();
    room.publisher.change(Form::Opus(2880));
    let at_ns = to_ns(room.publisher.played() as f64 / 48_000.0);
    // 23 s of sound, as much as the jitter buffer has places for.
    for packet in room.publisher.race(384) {
        room.throw(at_ns, packet);
    }
    room.publisher.change(PCM);
    room.publisher.gain = 0.2;
    for _ in 0..10 {
        room.calm(0.1, &device());
        let waiting = i64::from(room.stats().buffer_frames);
        assert!(waiting <= AHEAD_FRAMES_MAX + 2 * 2880, "{waiting} frames wait");
    }
    // What is played a second later is what the musician has played meanwhile.
    let heard = loudness(&room);
    assert!((heard - 0.1).abs() < 0.01, "{heard}");
    room.calm(1.0, &device());
    let after = room.stats();
    assert!(0 < after.refused_packets, "{after:?}");
    assert!(after.playout_delay_frames <= before.playout_delay_frames + 24, "{before:?} {after:?}");
    let last = room.left.len() - 24_000;
    assert_eq!(disturbances(&room.left[last..], last, 0.1), Vec::<usize>::new());
}

#[test]
fn a_stream_that_jumps_anywhere_is_back_within_100_ms_and_does_not_click() {
    for form in [PCM, Form::Ours(Codec::Opus64, 0), Form::Ours(Codec::Opus, 0)] {
        // By a little more than anything waits, a little less than what is another time, and out of it.
        for jump in [35_000, 47_000, -35_000, 480_000, -480_000, i32::MIN] {
            let mut room = room(form);
            let (before, from) = (room.stats(), room.left.len());
            room.publisher.jump(jump);
            room.calm(0.1, &device());
            let heard = loudness(&room);
            assert!((heard - 0.5).abs() < 0.05, "{form:?} {jump}: {heard}");
            let sharpest = bends(&room.left[from - 480..]).fold(0.0, f32::max);
            // The tone's own are 0.0091 at most, and a cut makes half a one.
            assert!(sharpest < 0.04, "{form:?} {jump}: {sharpest}");
            let after = room.stats();
            assert_eq!(after.resynchronizations, before.resynchronizations + 1, "{after:?}");
            assert!(after.refused_packets <= 2, "{form:?} {jump} {after:?}");
        }
    }
}

#[test]
fn packets_that_overlap_are_decoded_a_few_at_a_time() {
    let mut room = room(Form::Opus(2880));
    let before = room.stats();
    // Each begins a frame after the one before: to decode all of them would be 2880 times the work.
    for _ in 0..300 {
        let at_ns = to_ns(room.publisher.played() as f64 / 48_000.0);
        for packet in room.publisher.race(1) {
            room.throw(at_ns, packet);
        }
        room.publisher.jump(1 - 2880);
    }
    room.calm(1.0, &device());
    let after = room.stats();
    let refused = after.refused_packets - before.refused_packets;
    assert!((200..=300).contains(&refused), "{after:?}");
    room.calm(2.0, &device());
    let last = room.left.len() - 24_000;
    assert_eq!(disturbances(&room.left[last..], last, 0.5), Vec::<usize>::new());
}

#[test]
fn what_late_packets_asked_for_does_not_outlive_a_jump() {
    let mut room = room(PCM);
    // A network that begins to shake: a longer delay is asked for at once, and for half a second.
    for number in 0..60 {
        let late_s = if number % 9 < 4 { 0.004 } else { 0.0 };
        for packet in room.publisher.play() {
            let sent_s = room.publisher.played() as f64 / 48_000.0;
            room.throw(to_ns(sent_s + 0.005 + late_s), packet);
        }
        let until_ns = to_ns(room.publisher.played() as f64 / 48_000.0);
        room.listen(until_ns, &device(), Some(64));
    }
    assert!(3 <= room.stats().late_packets, "{:?}", room.stats());
    room.publisher.jump(480_000);
    room.calm(0.1, &device());
    let heard = loudness(&room);
    assert!((heard - 0.5).abs() < 0.05, "{heard}");
}
