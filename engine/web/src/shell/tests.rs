//! Shells that play to each other, and one that plays a click.

use protocol::codec::Codec;

use super::*;

const SSRC: Ssrc = Ssrc(7);

fn shell() -> Shell {
    Shell::open(64, 1, 96_000, 1).expect("valid settings")
}

/// A sender of PCM and a receiver of it.
fn pair() -> (Shell, Shell) {
    let (mut sender, mut receiver) = (shell(), shell());
    sender.set_encoding(0, Encoding::new(Codec::Pcm, SSRC)).expect("there is a first place");
    sender.apply_encodings(1).expect("pcm can be sent");
    receiver.add_remote(SSRC, 1).expect("room for one remote");
    (sender, receiver)
}

/// Plays a constant through both for 200 periods; gives the left output's last sample.
fn play(sender: &mut Shell, receiver: &mut Shell, from_period: u32) -> f32 {
    play_all(&mut [sender], receiver, from_period)
}

fn play_all(senders: &mut [&mut Shell], receiver: &mut Shell, from_period: u32) -> f32 {
    for period in from_period..from_period + 200 {
        let now_ns = f64::from(period) * 64.0 / 48_000.0 * 1e9;
        for sender in &mut *senders {
            sender.input_mut(0).fill(0.25);
            sender.capture(now_ns, 1, 64);
            loop {
                let bytes = sender.poll_packet() as usize;
                if bytes == 0 {
                    break;
                }
                let packet = sender.packet_mut()[..bytes].to_vec();
                receiver.packet_mut()[..bytes].copy_from_slice(&packet);
                // A packet under way to a remote that was just removed is nobody's.
                let _unknown = receiver.handle_packet(now_ns, bytes);
            }
        }
        receiver.render(now_ns, 64);
    }
    receiver.output(0)[63]
}

#[test]
fn a_computer_that_is_too_slow_leaves_out_the_quietest() {
    const QUIET: Ssrc = Ssrc(8);
    let (mut loud, mut receiver) = pair();
    let mut quiet = shell();
    quiet.set_encoding(0, Encoding::new(Codec::Pcm, QUIET)).expect("there is a first place");
    quiet.apply_encodings(1).expect("pcm can be sent");
    receiver.add_remote(QUIET, 1).expect("room for another remote");
    let softer = Mix { gain_db: -20.0, pan: 0.0, mute: Mute::Open, solo: Solo::Together };
    receiver.set_mix(QUIET, softer).expect("a known remote");
    // 17 times 0.27 s of callbacks that need most of it.
    let mut left_out = |rounds: core::ops::Range<u32>, busy_ms: f64| {
        for round in rounds {
            play_all(&mut [&mut loud, &mut quiet], &mut receiver, 200 * round);
            receiver.note_load(busy_ms);
        }
        assert_eq!(receiver.update_statistics(), 2);
        let remotes = receiver.statistics()[HEAD_NUMBERS..].chunks_exact(REMOTE_NUMBERS);
        remotes.take(2).map(|remote| remote[22]).collect::<Vec<_>>()
    };
    assert_eq!(left_out(0..17, 20.0), [0.0, 0.0]);
    assert_eq!(left_out(17..51, 220.0), [0.0, 1.0]);
}

#[test]
fn mouth_to_ear_is_known_once_both_know_the_rooms_time() {
    let (mut sender, mut receiver) = pair();
    let mouth_to_ear = |receiver: &mut Shell| {
        assert_eq!(receiver.update_statistics(), 1);
        receiver.statistics()[HEAD_NUMBERS + 23]
    };
    play(&mut sender, &mut receiver, 0);
    assert!(mouth_to_ear(&mut receiver).is_nan());
    // At the sender sound is 5 ms old when it comes, and the receiver's output is heard 20 ms later.
    sender.set_room_clock(0.0, 1.79e18 - 5e6, 1.79e18);
    receiver.set_room_clock(0.0, 1.79e18, 1.79e18 + 20e6);
    play(&mut sender, &mut receiver, 200);
    let ms = mouth_to_ear(&mut receiver);
    // A frame that comes at the very moment of the callback is put off by a period of 1.33 ms.
    assert!((ms - 26.33).abs() < 0.1, "{ms}");
}

#[test]
fn everybody_is_heard_as_late_as_somebody_in_the_room_needs() {
    let (mut sender, mut receiver) = pair();
    sender.set_room_clock(0.0, 1.79e18 - 5e6, 1.79e18);
    receiver.set_room_clock(0.0, 1.79e18, 1.79e18 + 20e6);
    play(&mut sender, &mut receiver, 0);
    receiver.set_playing_mode(PlayingMode::Aligned);
    receiver.set_room_least(90.0);
    for round in 1..20 {
        play(&mut sender, &mut receiver, 200 * round);
        receiver.update_statistics();
    }
    let remote = &receiver.statistics()[HEAD_NUMBERS..][..REMOTE_NUMBERS];
    let &[mouth_to_ear_ms, padding_ms, wanted_ms] = &remote[23..26] else { unreachable!() };
    assert_eq!(wanted_ms, 95.0);
    assert!((mouth_to_ear_ms - wanted_ms).abs() < 0.5, "{mouth_to_ear_ms}");
    assert!((padding_ms - (wanted_ms - 26.3)).abs() < 1.5, "{padding_ms}");
    receiver.set_playing_mode(PlayingMode::Tight);
    receiver.update_statistics();
    assert!(receiver.statistics()[HEAD_NUMBERS + 25].is_nan());
}

/// The frames at which something begins to be heard after silence, in 4 s.
fn onsets(shell: &mut Shell) -> Vec<u32> {
    let (mut onsets, mut quiet) = (Vec::new(), 4_800);
    for period in 0..3_000_u32 {
        shell.render(f64::from(period) * 64.0 / 48_000.0 * 1e9, 64);
        for (sample, frame) in shell.output(0).iter().zip(64 * period..) {
            if *sample != 0.0 && 4_800 <= quiet {
                onsets.push(frame);
            }
            quiet = if *sample == 0.0 { quiet + 1 } else { 0 };
        }
        if period % 100 == 0 {
            shell.update_statistics();
        }
    }
    onsets
}

#[test]
fn a_click_is_heard_when_the_rooms_clock_shows_it() {
    const ROOM_US: f64 = 1.79e15;
    let segment = ClickNumbers {
        start_us: ROOM_US + 250_000.0,
        bar: 0,
        tempo_millibpm: 120_000,
        beats: 4,
        accents: 0b0001,
        silent: 0b0010,
    };
    let clicking = |heard_later_ms: f64| {
        let mut shell = shell();
        shell.set_room_clock(0.0, 1.79e18, 1.79e18 + heard_later_ms * 1e6);
        shell.click_segment(0, segment).expect("there is a first place");
        shell.apply_click(1).expect("a click");
        shell
    };
    // Beats are 24,000 frames apart; the second of each bar is not heard. A beat that falls on a frame's very
    // moment may sound from the next on.
    let expected = [0, 2, 3, 4, 6, 7].map(|beat| 12_000 + 24_000 * beat);
    let near = |onsets: &[u32], earlier: u32| {
        assert_eq!(onsets.len(), expected.len(), "{onsets:?}");
        for (onset, beat) in onsets.iter().zip(expected) {
            assert!(onset.abs_diff(beat - earlier) <= 1, "{onsets:?}");
        }
    };
    near(&onsets(&mut clicking(0.0)), 0);
    near(&onsets(&mut clicking(10.0)), 480);
    let mut silenced = clicking(0.0);
    silenced.set_click_gain(f32::NEG_INFINITY).expect("silence");
    assert!(onsets(&mut silenced).is_empty());
    let mut ended = clicking(0.0);
    ended.apply_click(0).expect("no click");
    assert!(onsets(&mut ended).is_empty());
    silenced.click_segment(4, segment).expect_err("behind the last place");
    silenced.click_segment(0, ClickNumbers { beats: 17, ..segment }).expect_err("too many");
    silenced.set_click_gain(f32::NAN).expect_err("no gain");
}

#[test]
fn what_one_shell_captures_another_renders() {
    let (mut sender, mut receiver) = pair();
    let heard = play(&mut sender, &mut receiver, 0);
    assert!((0.24..0.26).contains(&heard), "{heard}");
    assert_eq!(receiver.update_statistics(), 1);
    let remote = &receiver.statistics()[HEAD_NUMBERS..][..REMOTE_NUMBERS];
    assert_eq!(remote[0], f64::from(SSRC.0));
    assert_eq!(remote[5], 0.0, "nothing is lost");
    assert_eq!(receiver.statistics()[2], 0.0, "nothing is refused");
}

#[test]
fn gain_mute_and_removal_are_heard() {
    let (mut sender, mut receiver) = pair();
    let quieter = Mix { gain_db: -6.02, pan: 0.0, mute: Mute::Open, solo: Solo::Together };
    receiver.set_mix(SSRC, quieter).expect("a known remote");
    let heard = play(&mut sender, &mut receiver, 0);
    assert!((0.12..0.13).contains(&heard), "{heard}");
    receiver.set_mix(SSRC, Mix { mute: Mute::Muted, ..quieter }).expect("a known remote");
    assert_eq!(play(&mut sender, &mut receiver, 200), 0.0);
    receiver.set_mix(SSRC, Mix { pan: 2.0, ..quieter }).expect_err("beyond the right");
    receiver.set_mix(SSRC, quieter).expect("a known remote");
    sender.set_input_mute(Mute::Muted).expect("the callback runs");
    assert_eq!(play(&mut sender, &mut receiver, 400), 0.0);
    sender.set_input_mute(Mute::Open).expect("the callback runs");
    receiver.remove_remote(SSRC).expect("a known remote");
    assert_eq!(play(&mut sender, &mut receiver, 600), 0.0);
    assert_eq!(receiver.update_statistics(), 0);
}

#[test]
fn a_playout_mode_is_numbers_both_ways_and_in_the_statistics() {
    for mode in [0, 1, 2, 3] {
        let known = mode_of_numbers(mode, 480).expect("one of four");
        assert_eq!(mode_numbers(known), (mode, if mode == 3 { 480 } else { 0 }));
    }
    assert_eq!(mode_of_numbers(4, 0), None);
    let (_, mut receiver) = pair();
    let told = |receiver: &mut Shell| {
        receiver.update_statistics();
        let remote = &receiver.statistics()[HEAD_NUMBERS..][..REMOTE_NUMBERS];
        [remote[20], remote[21]]
    };
    assert_eq!(told(&mut receiver), [0.0, 0.0]);
    receiver.set_default_playout(PlayoutMode::Lower).expect("possible");
    assert_eq!(told(&mut receiver), [1.0, 0.0]);
    receiver.set_playout(SSRC, Some(PlayoutMode::Fixed(960))).expect("a known remote");
    assert_eq!(told(&mut receiver), [3.0, 960.0]);
    receiver.set_playout(SSRC, Some(PlayoutMode::Fixed(24_001))).expect_err("too long");
    receiver.set_playout(SSRC, None).expect("a known remote");
    assert_eq!(told(&mut receiver), [1.0, 0.0]);
}

#[test]
fn lengths_behind_the_buffers_are_refused() {
    let mut shell = shell();
    assert_eq!(shell.handle_packet(0.0, 1401), Err(ShellError::MisuseLength(1401)));
    assert_eq!(shell.capture(0.0, 1, 65), 0);
    shell.render(0.0, 65);
    assert!(shell.set_encoding(2, Encoding::new(Codec::Opus, SSRC)).is_err());
    assert!(shell.apply_encodings(3).is_err());
    assert_eq!(Shell::open(64, 3, 96_000, 1).err(), Some(ShellError::MisuseChannels(3)));
}

#[test]
fn a_packet_of_nobody_is_counted() {
    let mut shell = shell();
    shell.packet_mut()[0] = 0x80;
    assert!(shell.handle_packet(0.0, 12).is_err());
    shell.update_statistics();
    assert_eq!(shell.statistics()[2], 1.0);
}
