//! The personal mix: gain, pan, mute, solo, monitor, levels.
//!
//! Remotes send constant values as PCM, so that what the mixer does can be read off directly.

use core::time::Duration;

use engine::{
    Channels, ControlError, Encoding, Mute, Relief, Session, SessionConfig, Solo, StreamState,
    session,
};
use protocol::codec::Codec;
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::time::Instant;
use protocol::units::Decibels;

use assert_no_alloc::assert_no_alloc;

/// A listener and the constant values (left, right) that each remote sends.
struct Ears {
    session: Session,
    remotes: Vec<(Ssrc, Option<[f32; 2]>)>,
    block: u64,
    sequence_number: u16,
    /// How much of its period a callback needs.
    load_percent: u64,
    sharpest: f32,
    last: [f32; 2],
}

impl Ears {
    fn new(values: &[[f32; 2]]) -> Self {
        let mut session = session(&SessionConfig::default()).expect("valid");
        let remotes: Vec<_> = (0_u32..)
            .zip(values)
            .map(|(number, value)| {
                session.control.add_remote(Ssrc(number), Channels::Stereo).expect("room");
                (Ssrc(number), Some(*value))
            })
            .collect();
        let mut ears = Self {
            session,
            remotes,
            block: 0,
            sequence_number: 0,
            load_percent: 10,
            sharpest: 0.0,
            last: [0.0; 2],
        };
        ears.hear(0.2);
        ears.sharpest = 0.0;
        ears
    }

    /// Listens for so long; gives the last frame heard.
    fn hear(&mut self, seconds: f64) -> [f32; 2] {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds")]
        let blocks = (seconds * 750.0) as u64;
        for _ in 0..blocks {
            let now = Instant::from_ns(self.block * 4_000_000 / 3);
            for (ssrc, value) in &self.remotes {
                let Some(value) = value else { continue };
                let sample = |side: f32| {
                    #[expect(clippy::cast_possible_truncation, reason = "a sample")]
                    let value = (side * 32_768.0) as i16;
                    value.to_be_bytes()
                };
                let mut payload = vec![113];
                for _ in 0..64 {
                    payload.extend(sample(value[0]));
                    payload.extend(sample(value[1]));
                }
                let packet = Packet {
                    marker: false,
                    capture_time: None,
                    payload_type: PayloadType::RED,
                    sequence_number: self.sequence_number,
                    timestamp: u32::try_from(self.block * 64).expect("short"),
                    ssrc: *ssrc,
                    payload: &payload,
                };
                let mut bytes = [0; 400];
                let len = packet.write(&mut bytes).expect("fits");
                let result = self.session.incoming.handle_packet(now, &bytes[..len]);
                result.expect("a known remote");
            }
            self.sequence_number = self.sequence_number.wrapping_add(1);
            self.block += 1;
            let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
            let render = &mut self.session.render;
            let now = Instant::from_ns(self.block * 4_000_000 / 3 - 500_000);
            let busy = Duration::from_nanos(self.load_percent * 13_333);
            assert_no_alloc(|| {
                render.note_load(busy);
                render.render(now, &mut [&mut left, &mut right]);
            });
            for (left, right) in left.into_iter().zip(right) {
                let step = (left - self.last[0]).abs().max((right - self.last[1]).abs());
                self.sharpest = self.sharpest.max(step);
                self.last = [left, right];
            }
        }
        self.last
    }

    /// What is saved, and who is left out.
    fn states(&mut self) -> (Relief, Vec<u32>) {
        let stats = self.session.control.stats();
        let left_out = |remote: &&engine::RemoteStats| remote.state == StreamState::LeftOut;
        (stats.relief, stats.remotes.iter().filter(left_out).map(|remote| remote.ssrc.0).collect())
    }

    #[track_caller]
    fn check(&mut self, expected: [f32; 2]) {
        let heard = self.hear(0.1);
        let off = (heard[0] - expected[0]).abs().max((heard[1] - expected[1]).abs());
        assert!(off < 1e-4, "{heard:?}, expected {expected:?}");
        // The loudest change here is 0.8 in 240 frames.
        assert!(self.sharpest < 0.005, "a step of {}", self.sharpest);
    }
}

#[test]
fn remotes_add_up() {
    Ears::new(&[[0.25, 0.125], [0.125, -0.25]]).check([0.375, -0.125]);
}

#[test]
fn gain_is_in_decibels_and_glides() {
    let mut ears = Ears::new(&[[0.25, 0.125]]);
    ears.session.control.set_gain(Ssrc(0), Decibels(6.0206)).expect("there");
    ears.check([0.5, 0.25]);
    ears.session.control.set_gain(Ssrc(0), Decibels(-120.0)).expect("there");
    ears.check([0.0, 0.0]);
    ears.session.control.set_gain(Ssrc(0), Decibels::UNITY).expect("there");
    ears.check([0.25, 0.125]);
}

#[test]
fn pan_fades_the_other_side_and_raises_none() {
    let mut ears = Ears::new(&[[0.25, 0.25]]);
    for (pan, expected) in
        [(-1.0, [0.25, 0.0]), (1.0, [0.0, 0.25]), (0.5, [0.125, 0.25]), (0.0, [0.25, 0.25])]
    {
        ears.session.control.set_pan(Ssrc(0), pan).expect("there");
        ears.check(expected);
    }
}

#[test]
fn mute_silences_one_and_solo_all_others() {
    let mut ears = Ears::new(&[[0.25; 2], [0.125; 2], [0.0625; 2]]);
    let mute = |ears: &mut Ears, ssrc, mute| ears.session.control.set_muted(Ssrc(ssrc), mute);
    let solo = |ears: &mut Ears, ssrc, solo| ears.session.control.set_soloed(Ssrc(ssrc), solo);
    mute(&mut ears, 0, Mute::Muted).expect("there");
    ears.check([0.1875; 2]);
    solo(&mut ears, 2, Solo::Soloed).expect("there");
    ears.check([0.0625; 2]);
    solo(&mut ears, 0, Solo::Soloed).expect("there");
    // Mute comes before solo.
    ears.check([0.0625; 2]);
    mute(&mut ears, 0, Mute::Open).expect("there");
    ears.check([0.3125; 2]);
    solo(&mut ears, 0, Solo::Together).expect("there");
    solo(&mut ears, 2, Solo::Together).expect("there");
    ears.check([0.4375; 2]);
}

#[test]
fn a_removed_remote_fades_and_its_place_is_free_again() {
    let mut ears = Ears::new(&[[0.25; 2]]);
    ears.remotes[0].1 = None;
    ears.session.control.remove_remote(Ssrc(0)).expect("there");
    ears.check([0.0; 2]);
    assert_eq!(
        ears.session.control.set_pan(Ssrc(0), 0.0),
        Err(ControlError::UnknownRemote(Ssrc(0)))
    );
    for round in 0..300_u32 {
        ears.session.control.add_remote(Ssrc(round), Channels::Mono).expect("room");
        ears.hear(0.01);
        ears.session.control.remove_remote(Ssrc(round)).expect("there");
        ears.hear(0.02);
    }
}

#[test]
fn there_is_room_for_so_many_and_no_more() {
    let mut ears = Ears::new(&[]);
    let control = &mut ears.session.control;
    for ssrc in 0..124 {
        assert_eq!(control.add_remote(Ssrc(ssrc), Channels::Mono), Ok(()));
    }
    let twice = control.add_remote(Ssrc(5), Channels::Mono);
    assert_eq!(twice, Err(ControlError::MisuseRemoteTwice(Ssrc(5))));
    let more = control.add_remote(Ssrc(999), Channels::Mono);
    assert_eq!(more, Err(ControlError::ExhaustedRemotes));
    ears.hear(0.1);
    ears.session.control.remove_remote(Ssrc(7)).expect("there");
    ears.hear(0.1);
    assert_eq!(ears.session.control.add_remote(Ssrc(999), Channels::Mono), Ok(()));
}

#[test]
fn values_that_are_no_gains_are_refused() {
    let mut ears = Ears::new(&[[0.25; 2]]);
    let control = &mut ears.session.control;
    for gain in [f32::NAN, 41.0, f32::INFINITY] {
        let refused = Err(ControlError::MisuseValue);
        assert_eq!(control.set_gain(Ssrc(0), Decibels(gain)), refused);
        assert_eq!(control.set_input_gain(Decibels(gain)), refused);
        assert_eq!(control.set_monitor_gain(Some(Decibels(gain))), refused);
    }
    assert_eq!(control.set_pan(Ssrc(0), 1.01), Err(ControlError::MisuseValue));
    assert_eq!(control.set_pan(Ssrc(0), f32::NAN), Err(ControlError::MisuseValue));
    ears.check([0.25; 2]);
}

#[test]
fn levels_are_those_of_the_remote_whatever_the_mix_does_with_it() {
    let mut ears = Ears::new(&[[0.5, 0.5]]);
    ears.session.control.set_muted(Ssrc(0), Mute::Muted).expect("there");
    ears.hear(5.0);
    let stats = ears.session.control.stats();
    let level = stats.remotes[0].level;
    assert!((level.peak.0 - -6.02).abs() < 0.05 && (level.rms.0 - -6.02).abs() < 0.05, "{level:?}");
    assert!(stats.output.rms.0 < -60.0, "{:?}", stats.output);
}

/// One duplex callback after the other with a constant input; gives the last frame of output.
fn duplex(session: &mut Session, input: f32, blocks: u64) -> f32 {
    let mut last = 0.0;
    for block in 0..blocks {
        let block_in = [input; 48];
        let (mut left, mut right) = ([0.0; 48], [0.0; 48]);
        assert_no_alloc(|| {
            session.capture.capture(&[&block_in]);
            session.render.render(Instant::from_ns(block), &mut [&mut left, &mut right]);
        });
        last = left[47];
    }
    last
}

#[test]
fn the_monitor_lets_one_hear_oneself_at_once() {
    let mut session = session(&SessionConfig::default()).expect("valid");
    assert_eq!(duplex(&mut session, 0.5, 20), 0.0);
    session.control.set_monitor_gain(Some(Decibels(-6.0206))).expect("takes commands");
    assert!((duplex(&mut session, 0.5, 20) - 0.25).abs() < 1e-4);
    // No frame of delay: a new value is heard in the same callback.
    assert!((duplex(&mut session, 0.25, 1) - 0.125).abs() < 1e-4);
    session.control.set_monitor_gain(None).expect("takes commands");
    assert_eq!(duplex(&mut session, 0.5, 20), 0.0);
}

#[test]
fn the_input_level_follows_gain_and_not_mute() {
    let mut session = session(&SessionConfig::default()).expect("valid");
    session.control.set_input_gain(Decibels(6.0206)).expect("takes commands");
    session.control.set_input_muted(Mute::Muted).expect("takes commands");
    duplex(&mut session, 0.25, 3000);
    let level = session.control.input_level();
    assert!((level.peak.0 - -6.02).abs() < 0.1 && (level.rms.0 - -6.02).abs() < 0.1, "{level:?}");
}

#[test]
fn an_overloaded_mix_stays_within_full_scale() {
    let mut ears = Ears::new(&[[0.9, 0.9], [0.9, -0.9], [0.9, 0.9]]);
    let heard = ears.hear(1.0);
    assert!((0.85..=1.0).contains(&heard[0]) && (0.25..=1.0).contains(&heard[1]), "{heard:?}");
}

#[test]
fn one_and_three_output_channels_are_served() {
    let mut session = session(&SessionConfig::default()).expect("valid");
    session.control.set_monitor_gain(Some(Decibels::UNITY)).expect("takes commands");
    duplex(&mut session, 0.5, 20);
    session.capture.capture(&[&[0.5; 8]]);
    let mut mono = [9.0; 8];
    session.render.render(Instant::ZERO, &mut [&mut mono]);
    assert!(mono.iter().all(|sample| (sample - 0.5).abs() < 1e-4), "{mono:?}");
    session.capture.capture(&[&[0.5; 8]]);
    let (mut left, mut right, mut third) = ([9.0; 8], [9.0; 8], [9.0; 8]);
    session.render.render(Instant::ZERO, &mut [&mut left, &mut right, &mut third]);
    assert!((right[7] - 0.5).abs() < 1e-4);
    assert_eq!(third, [0.0; 8]);
    session.render.render(Instant::ZERO, &mut []);
}

#[test]
fn nothing_is_sent_before_an_encoding_is_set_and_nothing_after_the_last_is_gone() {
    let mut session = session(&SessionConfig::default()).expect("valid");
    assert_eq!(session.capture.capture(&[&[0.1; 640]]), 0);
    let encoding = Encoding::new(Codec::Pcm, Ssrc(1));
    session.control.set_encodings(&[encoding]).expect("valid");
    assert_eq!(session.capture.capture(&[&[0.1; 640]]), 10);
    session.control.set_encodings(&[]).expect("valid");
    assert_eq!(session.capture.capture(&[&[0.1; 640]]), 0);
}

#[test]
fn a_machine_that_is_too_slow_leaves_out_the_quietest_and_takes_them_back() {
    let mut ears = Ears::new(&[[0.25, 0.125], [0.0625, 0.0625], [-0.125, 0.0]]);
    ears.load_percent = 70;
    // Half a second says that it is too slow, and what nobody hears is all that is saved until then.
    ears.hear(0.6);
    assert_eq!(ears.states(), (Relief::Remotes(1), vec![1]));
    ears.check([0.125, 0.125]);
    ears.hear(0.2);
    assert_eq!(ears.states(), (Relief::Remotes(2), vec![1, 2]));
    ears.check([0.25, 0.125]);
    // The last one stays, however slow the machine.
    ears.hear(2.0);
    ears.check([0.25, 0.125]);
    ears.load_percent = 10;
    ears.hear(5.5);
    assert_eq!(ears.states(), (Relief::Remotes(1), vec![1]));
    ears.check([0.125, 0.125]);
    ears.hear(5.0);
    assert_eq!(ears.states(), (Relief::Unheard, vec![]));
    ears.check([0.1875, 0.1875]);
    ears.hear(5.0);
    assert_eq!(ears.states(), (Relief::Nothing, vec![]));
    for remote in ears.session.control.stats().remotes {
        assert_eq!((remote.concealed_frames, remote.late_packets), (0, 0), "{}", remote.ssrc.0);
    }
}

#[test]
fn whom_the_musician_touches_is_heard_though_the_machine_is_too_slow() {
    let mut ears = Ears::new(&[[0.25, 0.125], [0.0625, 0.0625], [-0.125, 0.0]]);
    ears.session.control.set_muted(Ssrc(0), Mute::Muted).expect("there");
    ears.load_percent = 70;
    ears.hear(0.35);
    // Who is muted is not decoded any more.
    ears.load_percent = 40;
    assert_eq!(ears.states(), (Relief::Unheard, vec![]));
    assert_eq!(ears.session.control.stats().remotes[0].state, StreamState::Idle);
    ears.check([-0.0625, 0.0625]);
    ears.session.control.set_muted(Ssrc(0), Mute::Open).expect("there");
    ears.check([0.1875, 0.1875]);
    ears.load_percent = 70;
    ears.hear(0.5);
    ears.load_percent = 40;
    ears.hear(0.1);
    let (_, left_out) = ears.states();
    assert_eq!(left_out[0], 1);
    ears.session.control.set_gain(Ssrc(1), Decibels(6.0206)).expect("there");
    ears.hear(0.2);
    assert!(!ears.states().1.contains(&1), "{:?}", ears.states());
}
