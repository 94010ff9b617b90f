//! Sound cards that do not run at 48 kHz, and do not agree on what a second is either.

use std::f64::consts::TAU;

use engine::RemoteStats;
use protocol::codec::Codec;

use crate::rig::listen::{TONE_HZ, disturbances, fit, tone};
use crate::rig::weather::Weather;
use crate::rig::{Heard, Plan, RATE, Rig, run};

/// A minute of a tone from a card at one rate to a card at another, with every second frame left out of
/// what the latter plays at 96 kHz. It has as many turns in a frame of that as [`TONE_HZ`] at 48 kHz.
fn minute(codec: Codec, (from_hz, to_hz): (u32, u32), drift_ppm: f64) -> Heard {
    let plan = Plan {
        drift_ppm,
        sender_rate_hz: from_hz,
        receiver_rate_hz: to_hz,
        weather: Weather::constant(2.0),
        seconds: 60.0,
        ..Plan::clean(codec)
    };
    let turns_per_frame = TONE_HZ / RATE * f64::from(thinned_hz(to_hz)) / f64::from(from_hz);
    let mut heard = run(plan, move |frame| {
        #[expect(clippy::cast_possible_truncation, reason = "a sample")]
        let sample = ((frame as f64 * turns_per_frame * TAU).sin() * 0.5) as f32;
        [sample; 2]
    });
    let kept = usize::try_from(to_hz / thinned_hz(to_hz)).expect("1 or 2");
    heard.left = heard.left.into_iter().step_by(kept).collect();
    heard
}

fn thinned_hz(rate_hz: u32) -> u32 {
    if rate_hz == 96_000 { 48_000 } else { rate_hz }
}

/// How much faster than it should the tone goes, by the clock of the one who hears, in ppm.
fn pitch_ppm(heard: &[f32]) -> f64 {
    let from = heard.len() / 2;
    let phases: Vec<f64> = heard[from..]
        .chunks_exact(120)
        .enumerate()
        .map(|(index, window)| fit(window, from + index * 120).phase)
        .collect();
    let turn = |pair: &[f64]| {
        let step = pair[1] - pair[0];
        step - (step / TAU).round() * TAU
    };
    let turned: f64 = phases.windows(2).map(turn).sum();
    let turns = (phases.len() - 1) as f64 * 120.0 * TONE_HZ / RATE;
    // A phase that falls is a tone that is ahead.
    -turned / TAU / turns * 1e6
}

#[test]
fn cards_at_44_1_and_96_khz_hear_a_steady_tone_whatever_their_clocks() {
    for codec in Codec::ALL {
        for rates in [(44_100, 96_000), (96_000, 44_100)] {
            for drift_ppm in [-200.0, 200.0] {
                let heard = minute(codec, rates, drift_ppm);
                let end = heard.end;
                let what = format!("{codec} {rates:?} {drift_ppm} {end:?}");
                // Packets of 120 frames from periods of 69 or 70 are late in some way that was not seen
                // yet, at first, as they are from periods of 70 at 48 kHz; later nothing is.
                let begun = &heard.history[20];
                assert!(begun.concealed_frames <= 4 * 120, "{begun:?}");
                assert!(codec == Codec::Opus || begun.concealed_frames == 0, "{begun:?}");
                let all = |stats: &RemoteStats| {
                    (stats.splices, stats.concealed_frames, stats.late_packets)
                };
                assert_eq!((all(&end), end.splices), (all(begun), 0), "{what}");
                let delays = heard.history[20..].iter().map(|stats| stats.playout_delay_frames);
                let longest = delays.max().expect("a minute");
                assert!(longest <= 64 + 112 + 70 + 24, "{longest} {what}");
                let found = f64::from(end.drift_ppm.expect("a minute was seen"));
                assert!((found - drift_ppm).abs() < 5.0, "{what}");
                let disturbed = disturbances(&heard.left[96_000..], 96_000, 0.5).len();
                assert_eq!(disturbed, 0, "{what}");
                let pitch = pitch_ppm(&heard.left);
                assert!((pitch - drift_ppm).abs() < 5.0, "{pitch} ppm, {what}");
            }
        }
    }
}

#[test]
fn periods_of_69_and_70_in_turn_are_no_reason_to_bend_the_delay() {
    // Whether every way was seen in which packets fall against periods must not depend on which of the
    // two came last: the delay would change its mind in every callback.
    for (codec, from_hz, period) in
        [(Codec::Opus, 96_000, 64), (Codec::Pcm, 48_000, 256), (Codec::Pcm, 44_100, 256)]
    {
        let plan = Plan {
            sender_rate_hz: from_hz,
            receiver_rate_hz: 44_100,
            receiver_period: period,
            weather: Weather::constant(2.0),
            ..Plan::clean(codec)
        };
        let end = run(plan, |_| [0.5; 2]).end;
        assert!(end.concealed_frames == 0 && end.splices <= 2, "{codec} {from_hz} {end:?}");
    }
}

#[test]
fn frames_that_a_card_at_44_1_khz_lost_leave_the_delay_as_it_was() {
    let plan = Plan {
        receiver_rate_hz: 44_100,
        weather: Weather::constant(2.0),
        ..Plan::clean(Codec::Pcm)
    };
    let mut rig = Rig::new(plan, tone);
    rig.run_until(4.0);
    let before = rig.stats();
    for (turn, lost) in [(1, 10_000), (2, 63), (3, 1), (4, 20_001)] {
        rig.phase_frames += f64::from(lost);
        let lost = rig.output.skip(usize::try_from(lost).expect("a number"));
        rig.receiver.render.skip(lost);
        // Sooner than the engine would find out by itself.
        rig.run_until(3.1 + f64::from(turn));
        let after = rig.stats();
        assert!(after.buffer_frames <= before.buffer_frames + 140, "{lost} {before:?} {after:?}");
        rig.run_until(4.0 + f64::from(turn));
    }
    rig.run_until(10.0);
    let after = rig.stats();
    let longer = after.playout_delay_frames.saturating_sub(before.playout_delay_frames);
    assert!(longer <= 8, "{before:?} {after:?}");
    // The tone of 1031 Hz has more turns in a frame of this card than at 48 kHz.
    let heard = rig.into_heard();
    let from = heard.left.len() - 44_100;
    let turns =
        heard.left[from..].windows(2).filter(|pair| pair[0] < 0.0 && 0.0 <= pair[1]).count();
    assert!((1030..=1032).contains(&turns), "{turns} Hz");
}

#[test]
fn another_rate_costs_a_period_of_playout_delay_at_most() {
    // Through the air of the same room, so to speak: clocks in step, a period of 64.
    let delay = |rate_hz| {
        let plan =
            Plan { sender_rate_hz: rate_hz, receiver_rate_hz: rate_hz, ..Plan::clean(Codec::Pcm) };
        let mut rig = Rig::new(plan, |_| [0.0; 2]);
        rig.run_until(3.0);
        rig.stats().playout_delay_frames
    };
    let (native, studio, cd) = (delay(48_000), delay(96_000), delay(44_100));
    // 64 frames at 96 kHz are 32, which divide a packet; at 44.1 they are 69.66, with which packets are
    // not in step.
    assert!(studio <= native && cd <= native + 70, "{native} {studio} {cd}");
}
