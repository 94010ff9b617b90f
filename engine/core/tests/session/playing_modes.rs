//! Playing modes: everybody equally late, or late by beats, and from one to the other without a glitch.

use core::time::Duration;

use engine::ClickSettings;
use protocol::codec::Codec;
use protocol::room_state::{ClickSegment, PlayingMode, room_us};
use protocol::units::Decibels;

use crate::rig::weather::Weather;
use crate::rig::{Plan, RATE, ROOM_START, Rig};

/// A short knock at each so many frames.
fn knocks(every: usize) -> impl FnMut(usize) -> [f32; 2] + 'static {
    move |frame| {
        let since = frame % every;
        let sample = if since < 24 { 0.7 * (1.0 - since as f32 / 24.0) } else { 0.0 };
        [sample; 2]
    }
}

/// The frames at which something begins after silence, from one second of them on.
fn onsets(heard: &[f32], from: usize) -> Vec<usize> {
    let mut onsets = Vec::new();
    let mut quiet = 0;
    for (index, sample) in heard.iter().enumerate() {
        let loud = 0.2 < sample.abs();
        if loud && 2_400 < quiet && from <= index {
            onsets.push(index);
        }
        quiet = if loud { 0 } else { quiet + 1 };
    }
    onsets
}

/// What a knock takes from the sender's microphone to the receiver's ear, in ms: the first of what was heard after
/// `from` seconds, by which knock is so near that it can be meant. Frame n of the sender enters at n.
fn delays_ms(rig: &Rig, every: usize, from: f64) -> Vec<f64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds")]
    let from = (from * RATE) as usize;
    let onsets = onsets(&rig.heard[0], from);
    // The first frame of a period is at the microphone a period before its callback, and so at n - 64.
    onsets.iter().map(|at| ((at + 64) % every) as f64 / 48.0).collect()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn click(tempo: u32, beats: usize) -> Vec<ClickSegment> {
    let ClickSettings { tempo_millibpm, unit, beats } = ClickSettings::new(tempo * 1000, beats);
    vec![ClickSegment { start_us: room_us(ROOM_START), bar: 1, tempo_millibpm, unit, beats }]
}

#[test]
fn aligned_remotes_are_as_late_as_the_latest_of_the_room() {
    for (drift_ppm, seed) in [(0.0, 1), (180.0, 2), (-180.0, 3)] {
        let weather = Weather::jitter(seed, 9.0, 1.0, 0.0, 0.0);
        let plan = Plan { weather, drift_ppm, ..Plan::clean(Codec::Opus64) };
        let mut rig = Rig::new(plan, knocks(24_000));
        rig.share_the_time();
        rig.run_until(4.0);
        let tight = delays_ms(&rig, 24_000, 2.0);
        assert!(tight.iter().all(|ms| *ms < 20.0), "{tight:?}");
        rig.receiver.control.set_room_least(ms(58));
        rig.receiver.control.set_playing_mode(PlayingMode::Aligned);
        rig.run_until(16.0);
        let stats = rig.stats();
        assert_eq!(stats.wanted_delay, Some(ms(65)), "58 and 3 to spare, in steps of 5");
        assert!(ms(40) < stats.padding && stats.padding < ms(60), "{stats:?}");
        let said = stats.mouth_to_device.expect("both know the time").as_secs_f64() * 1e3;
        assert!((said - 65.0).abs() < 0.5, "{said}");
        if drift_ppm == 0.0 {
            // Where clocks differ, frames are no measure of time.
            let aligned = delays_ms(&rig, 24_000, 8.0);
            assert!(10 < aligned.len());
            assert!(aligned.iter().all(|ms| (ms - 65.0).abs() < 0.5), "{aligned:?}");
        }
        rig.receiver.control.set_playing_mode(PlayingMode::Tight);
        rig.run_until(24.0);
        let stats = rig.stats();
        assert!(stats.padding < ms(1) && stats.wanted_delay.is_none(), "{stats:?}");
    }
}

#[test]
fn in_beat_mode_the_beats_of_others_fall_on_ones_own() {
    // 100 a minute: 0.6 s, 28,800 frames; a bar of 3 is 1.8 s.
    for (delay_ms, expected_ms) in [(30.0, 300), (320.0, 600), (640.0, 1_800)] {
        let plan = Plan {
            weather: Weather::jitter(5, delay_ms, 2.0, 0.0, 0.0),
            ..Plan::clean(Codec::Opus)
        };
        let mut rig = Rig::new(plan, knocks(28_800));
        rig.share_the_time();
        rig.receiver.control.set_click(&click(100, 3)).expect("a click");
        rig.receiver.control.set_click_gain(None).expect("no click is to be heard");
        rig.receiver.control.set_playing_mode(PlayingMode::Beat);
        rig.run_until(20.0);
        assert_eq!(rig.stats().wanted_delay, Some(ms(expected_ms)), "{delay_ms}");
        let onsets = onsets(&rig.heard[0], 12 * 48_000);
        assert!(10 < onsets.len(), "{onsets:?}");
        for onset in onsets {
            // Beats are at multiples of 28,800; half of one is where half a beat is meant.
            let off = (onset + 64) % 14_400;
            let off_ms = (off.min(14_400 - off)) as f64 / 48.0;
            assert!(off_ms < 1.0, "{off_ms} ms off at {onset}, {delay_ms}");
        }
    }
}

#[test]
fn switching_modes_while_it_plays_never_jumps() {
    for codec in [Codec::Pcm, Codec::Opus64] {
        let step = core::f32::consts::TAU * 300.0 / 48_000.0;
        let tone = move |frame: usize| [0.5 * (step * (frame % 160) as f32).sin(); 2];
        let plan = Plan { weather: Weather::constant(12.0), ..Plan::clean(codec) };
        let mut rig = Rig::new(plan, tone);
        rig.share_the_time();
        rig.receiver.control.set_click(&click(120, 4)).expect("a click");
        rig.receiver.control.set_click_gain(None).expect("no click is to be heard");
        rig.receiver.control.set_room_least(ms(90));
        rig.run_until(3.0);
        let mut seconds = 3.0;
        for (mode, tempo) in [
            (PlayingMode::Aligned, 120),
            (PlayingMode::Beat, 120),
            // A longer line takes the place of the first.
            (PlayingMode::Beat, 40),
            (PlayingMode::Beat, 150),
            (PlayingMode::Tight, 150),
            (PlayingMode::Beat, 90),
            (PlayingMode::Aligned, 90),
            (PlayingMode::Tight, 90),
        ] {
            rig.receiver.control.set_click(&click(tempo, 4)).expect("a click");
            rig.receiver.control.set_playing_mode(mode);
            seconds += 4.0;
            rig.run_until(seconds);
            let wanted = rig.stats().wanted_delay;
            assert_eq!(wanted.is_some(), mode != PlayingMode::Tight, "{mode:?} {wanted:?}");
        }
        let heard = &rig.heard[0][48_000..];
        let steps = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        let largest = steps.fold(0.0, f32::max);
        // A tone of 300 Hz at 0.5 moves by 0.0196 a frame at most; where it is faded to itself, by a little more.
        assert!(largest < 0.03, "{codec:?}: {largest}");
        assert!(rig.stats().padding < ms(1), "{:?}", rig.stats());
        assert_eq!(rig.stats().concealed_frames, 0);
    }
}

#[test]
fn one_may_hear_oneself_as_late_as_everybody() {
    let mut rig = Rig::new(Plan::clean(Codec::Pcm), |_| [0.0; 2]);
    rig.share_the_time();
    rig.receiver.control.set_monitor_gain(Some(Decibels(0.0))).expect("a gain");
    rig.receiver.control.set_monitor_aligned(true);
    rig.receiver.control.set_own_latency(ms(8));
    rig.receiver.control.set_room_least(ms(45));
    rig.receiver.control.set_playing_mode(PlayingMode::Aligned);
    let knock = |rig: &mut Rig, seconds: f64| {
        // The gain moves to where it is wanted while one plays, so silence is played first.
        for _ in 0..20 {
            let _ = rig.receiver.capture.capture(&[&[0.0; 64]]);
            let played = rig.heard[0].len() + 64;
            rig.run_until(played as f64 / 48_000.0);
        }
        let start = rig.heard[0].len();
        let mut period = [0.0; 64];
        period[0] = 0.5;
        let _ = rig.receiver.capture.capture(&[&period]);
        rig.run_until(seconds);
        rig.heard[0][start..].iter().position(|sample| 0.2 < sample.abs())
    };
    rig.run_until(2.0);
    // 45 and 3 to spare, in steps of 5, are 50; the device takes 8 of them.
    let late = knock(&mut rig, 3.0);
    assert_eq!(late.map(|frames| frames / 48), Some(42), "{late:?}");
    rig.receiver.control.set_playing_mode(PlayingMode::Tight);
    rig.run_until(4.0);
    assert_eq!(knock(&mut rig, 5.0), Some(0), "at once");
}
