//! Two sound cards never agree on what a second is.

use std::f64::consts::TAU;

use protocol::codec::Codec;

use crate::rig::listen::{TONE_HZ, disturbances, fit, tone};
use crate::rig::weather::Weather;
use crate::rig::{Heard, Plan, RATE, Rig, run};

fn minute(codec: Codec, drift_ppm: f64, weather: Weather) -> Heard {
    let plan = Plan { drift_ppm, weather, seconds: 60.0, ..Plan::clean(codec) };
    run(plan, tone)
}

#[test]
fn clocks_200_ppm_apart_neither_starve_nor_pile_up() {
    for codec in Codec::ALL {
        for drift_ppm in [-200.0, 200.0] {
            let heard = minute(codec, drift_ppm, Weather::constant(2.0));
            let end = heard.end;
            let what = format!("{codec} {drift_ppm} {end:?}");
            // Nothing is dropped or repeated for it, and no packet misses its moment.
            assert_eq!((end.splices, end.concealed_frames, end.late_packets), (0, 0, 0), "{what}");
            let delays = heard.history[20..].iter().map(|stats| stats.playout_delay_frames);
            assert!(delays.max().expect("a minute") <= 64 + 112 + 64 + 24, "{what}");
            let found = f64::from(end.drift_ppm.expect("a minute was seen"));
            assert!((found - drift_ppm).abs() < 5.0, "{what}");
            // The tone's pitch is off by the drift, which its fit does not notice.
            let disturbed = disturbances(&heard.left[96_000..], 96_000, 0.5).len();
            assert_eq!(disturbed, 0, "{what}");
        }
    }
}

#[test]
fn clocks_that_drift_lose_and_repeat_no_sample() {
    // Bad quartz for half a minute, and a better one for two.
    for (drift_ppm, seconds) in [(500.0, 30.0), (-500.0, 30.0), (100.0, 120.0)] {
        let plan =
            Plan { drift_ppm, weather: Weather::constant(2.0), seconds, ..Plan::clean(Codec::Pcm) };
        let heard = run(plan, tone);
        let end = heard.end;
        let what = format!("{drift_ppm} ppm: {end:?}");
        // A clock so bad may cost a moment before anything is known of it.
        assert_eq!(end.splices, 0, "{what}");
        assert_eq!(end.concealed_frames, heard.history[25].concealed_frames, "{what}");
        assert!(end.concealed_frames <= 4 * 64, "{what}");
        // A sample too many or too few is a step of 0.135 rad in this tone; half a percent is one of 0.08.
        let from = 48_000 * 10;
        let step = largest_step(&heard.left[from..], from, drift_ppm);
        assert!(step < 0.1, "{what}: {step} rad");
        // It follows the drift, and the periods that slide past each other.
        let rates = heard.history[100..].iter().map(|stats| f64::from(stats.rate_ppm));
        let rate_ppm = rates.sum::<f64>() / (heard.history.len() - 100) as f64;
        assert!((rate_ppm - drift_ppm).abs() < 20.0, "{what}: {rate_ppm} ppm");
    }
}

#[test]
fn an_hour_at_100_ppm_loses_and_repeats_no_sample() {
    const DRIFT_PPM: f64 = 100.0;
    let plan =
        Plan { drift_ppm: DRIFT_PPM, weather: Weather::constant(2.0), ..Plan::clean(Codec::Pcm) };
    let mut rig = Rig::new(plan, tone);
    // A minute at a time, looked at and forgotten, but for a last piece that the next one begins with.
    let (mut start, mut after_first) = (0, None);
    for minute in 1..=60 {
        rig.run_until(f64::from(minute) * 60.0);
        let stats = rig.stats();
        let heard = &rig.heard[0];
        let pieces = heard.len() / 120;
        let step = largest_step(heard, start, DRIFT_PPM);
        // Until the drift is known, concealment moves the phase.
        if let Some(before) = after_first {
            assert!(step < 0.1, "minute {minute}: {step} rad, {stats:?}");
            assert_eq!((stats.concealed_frames, stats.late_packets), before, "minute {minute}");
        }
        after_first.get_or_insert((stats.concealed_frames, stats.late_packets));
        let looked_at = (pieces - 1) * 120;
        rig.forget(looked_at);
        start += looked_at;
    }
    let stats = rig.stats();
    assert_eq!((stats.splices, stats.resynchronizations), (0, 0), "{stats:?}");
    assert!((stats.played_frames as f64 / RATE - 3600.0).abs() < 1.0, "{stats:?}");
}

/// The largest step of a tone's phase from one 2.5 ms to the next, beside what the drift makes.
fn largest_step(heard: &[f32], start: usize, drift_ppm: f64) -> f64 {
    let phases: Vec<f64> = heard
        .chunks_exact(120)
        .enumerate()
        .map(|(index, window)| fit(window, start + index * 120).phase)
        .collect();
    let drifted = drift_ppm * 1e-6 * 120.0 * TONE_HZ / RATE * TAU;
    let step = |pair: &[f64]| {
        let step = pair[1] - pair[0] - drifted;
        (step - (step / TAU).round() * TAU).abs()
    };
    phases.windows(2).map(step).fold(0.0, f64::max)
}

#[test]
fn drift_is_measured_through_jitter() {
    let heard = minute(Codec::Opus64, 100.0, Weather::jitter(4, 10.0, 2.0, 0.0, 0.0));
    let found = heard.end.drift_ppm.expect("a minute was seen");
    assert!((found - 100.0).abs() < 25.0, "{found}");
    assert_eq!(heard.history[100].drift_ppm, None);
}

#[test]
fn a_device_that_stopped_plays_on_where_the_music_is() {
    for (codec, lost_ms) in [(Codec::Opus64, 20.0), (Codec::Opus, 20.0), (Codec::Pcm, 2000.0)] {
        let mut rig = Rig::new(Plan::clean(codec), tone);
        rig.run_until(3.0);
        let before = rig.stats();
        rig.phase_frames += lost_ms * 48.0;
        rig.run_until(5.0);
        let after = rig.stats();
        // What piled up meanwhile is left out, not played: the delay is what it was.
        assert!(
            after.playout_delay_frames <= before.playout_delay_frames + 96,
            "{codec}: {before:?} {after:?}"
        );
        let heard = rig.into_heard();
        let at = 48_000 * 9 / 2;
        assert!(disturbances(&heard.left[at..], at, 0.5).is_empty(), "{codec}");
    }
}

#[test]
fn a_sound_card_that_is_slow_by_an_eighth_still_plays_a_tone() {
    // The mock card of a browser was; no player can follow that, but what it plays can be told.
    for codec in Codec::ALL {
        let plan = Plan {
            drift_ppm: -120_000.0,
            sender_period: 128,
            weather: Weather::constant(2.0),
            seconds: 8.0,
            ..Plan::clean(codec)
        };
        let heard = run(plan, tone);
        let from = 2 * 48_000;
        let windows = heard.left[from..].chunks_exact(480).enumerate();
        let foreign: Vec<f64> =
            windows.map(|(index, window)| fit(window, from + index * 480).foreign).collect();
        let mean = foreign.iter().sum::<f64>() / foreign.len() as f64;
        assert!(mean < 0.2, "{codec}: {mean} of it is no tone, {:?}", heard.end);
    }
}
