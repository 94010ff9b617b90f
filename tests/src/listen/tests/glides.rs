//! Sound that is well but for its delay, which glides; and the same sound, damaged.

use std::f64::consts::TAU;

use super::*;

/// Plays a sound so that frame `n` of what is heard was played at `n - delay(n)`: interpolated with
/// twice the taps and another window than the ears have.
fn play_late(played: &[f32], frames: usize, delay: impl Fn(f64) -> f64) -> Vec<f32> {
    const HALF: i64 = 32;
    let at = |i: i64| usize::try_from(i).ok().and_then(|i| played.get(i)).copied();
    let sample = |frame: usize| {
        let place = frame as f64 - delay(frame as f64);
        let (first, fraction) = (round(place.floor()) - HALF + 1, place - place.floor());
        let sine = (fraction * TAU / 2.0).sin() / (TAU / 2.0);
        let tap = |i: i64| {
            let x = i as f64 - place;
            let sign = if (i - first) % 2 == 0 { 1.0 } else { -1.0 };
            let sinc = if x.abs() < 1e-9 { 1.0 } else { sign * sine / x };
            let window = (1.0 - (x / HALF as f64).powi(2)).powi(2);
            sinc * window * f64::from(at(i).unwrap_or(0.0))
        };
        #[expect(clippy::cast_possible_truncation, reason = "a sample")]
        let sample = (first..first + 2 * HALF).map(tap).sum::<f64>() as f32;
        sample
    };
    (0..frames).map(sample).collect()
}

/// From 1,000 frames over 0.5 % of 300 ms to 1,072, and back, from two seconds on each second.
fn there_and_back(frame: f64) -> f64 {
    const STEP: f64 = 14_400.0;
    let since = frame % RATE_HZ as f64;
    let steps = if since < STEP { since } else { (2.0 * STEP - since).max(0.0) };
    1_000.0 + 0.005 * steps
}

/// A rate that swings by 0.3 % either way, twice a second.
fn swinging(frame: f64) -> f64 {
    let turn = TAU * 2.0 / RATE_HZ as f64;
    1_000.0 - 0.003 / turn * (turn * frame).cos()
}

/// 100 ppm, and half a frame besides.
fn drifting(frame: f64) -> f64 {
    1_000.5 + 1e-4 * frame
}

fn between_frames(_frame: f64) -> f64 {
    1_000.37
}

fn hear_late(name: &str, delay: fn(f64) -> f64, damage: impl FnOnce(&mut Vec<f32>)) -> Hearing {
    let played = track(name);
    let mut heard = play_late(&played, 8 * RATE_HZ, delay);
    damage(&mut heard);
    compare(&played, &heard, LAGS).expect("the same track")
}

const GLIDES: [fn(f64) -> f64; 4] = [there_and_back, swinging, drifting, between_frames];

/// Tracks on which a glide of half a percent is not followed everywhere: drums say nothing between two
/// hits, and notes that stand for long look alike a period later.
const HARD_TO_FOLLOW: [&str; 4] =
    ["late-bus-drums", "harbor-oboe", "seven-stairs-guitar", "seven-stairs-vibraphone"];

#[test]
fn a_delay_that_glides_costs_nothing() {
    for name in MUSIC {
        for (i, delay) in GLIDES.into_iter().enumerate() {
            let hearing = hear_late(name, delay, |_| ());
            let what = format!("{name}, glide {i}");
            if i < 2 && HARD_TO_FOLLOW.contains(&name) {
                assert!(hearing.correlation > 0.95, "{what}: {}", hearing.correlation);
                continue;
            }
            assert!(hearing.correlation > 0.99, "{what}: {}", hearing.correlation);
            let worst = hearing.worst_segment().expect("it sounds");
            assert!(worst.correlation > 0.97, "{what}: {worst:?}");
            assert_eq!(hearing.gaps, [], "{what}");
            assert_eq!(hearing.clicks, [], "{what}");
            assert!(hearing.level_db.abs() < 0.05, "{what}: {} dB", hearing.level_db);
            assert_eq!(hearing.track.jumps().count(), 0, "{what}");
        }
    }
}

#[test]
fn the_track_is_the_delay_to_a_fraction_of_a_frame() {
    for (i, delay) in GLIDES.into_iter().enumerate() {
        let hearing = hear_late("late-bus-drums", delay, |_| ());
        let off = |frame: usize| (hearing.track.delay_frames(frame) - delay(frame as f64)).abs();
        let mut off: Vec<f64> = (RATE_HZ..7 * RATE_HZ).step_by(480).map(off).collect();
        off.sort_by(f64::total_cmp);
        assert!(off[off.len() / 2] < 0.2, "glide {i}: half within {}", off[off.len() / 2]);
        // Between the drums there is little to hear.
        assert!(off[off.len() * 19 / 20] < 5.0, "glide {i}: {}", off[off.len() * 19 / 20]);
    }
}

#[test]
fn how_steep_a_glide_is_can_be_told() {
    for (delay, ppm) in GLIDES.into_iter().zip([5_000.0, 2_270.0, 100.0, 0.0]) {
        let found = hear_late("seven-stairs-guitar", delay, |_| ()).track.glide_ppm_max();
        assert!((found - ppm).abs() < 50.0 + 0.1 * ppm, "{found} ppm of {ppm}");
    }
}

#[test]
fn a_hole_in_a_glide_is_a_gap() {
    for delay in GLIDES {
        let hole = |heard: &mut Vec<f32>| heard[106_000..106_120].fill(0.0);
        let hearing = hear_late("harbor-strings", delay, hole);
        assert_eq!(hearing.gaps.len(), 1, "{:?}", hearing.gaps);
        assert!(hearing.gaps[0].at_frame.abs_diff(106_000) < 96);
        assert!((48..=120).contains(&hearing.gap_frames()));
    }
}

#[test]
fn a_jump_of_the_wave_in_a_glide_is_a_click() {
    for delay in GLIDES {
        let step = |heard: &mut Vec<f32>| heard[106_000..].iter_mut().for_each(|s| *s += 0.2);
        let hearing = hear_late("harbor-strings", delay, step);
        assert_eq!(hearing.clicks.len(), 1, "{:?}", hearing.clicks);
        assert!(hearing.clicks[0].at_frame.abs_diff(106_000) < 4);
    }
}

#[test]
fn half_the_level_of_a_glide_is_six_decibels_less() {
    for delay in GLIDES {
        let quiet = |heard: &mut Vec<f32>| heard.iter_mut().for_each(|s| *s *= 0.5);
        let hearing = hear_late("late-bus-piano", delay, quiet);
        assert!((hearing.level_db + 6.02).abs() < 0.05, "{}", hearing.level_db);
    }
}

#[test]
fn noise_in_a_glide_lowers_the_correlation_by_what_it_weighs() {
    let clean = hear_late("late-bus-piano", between_frames, |_| ());
    for delay in GLIDES {
        let hearing = hear_late("late-bus-piano", delay, |heard| {
            heard.iter_mut().zip(noise(1)).for_each(|(s, noise)| *s += 0.03 * noise);
        });
        assert!((0.9..0.985).contains(&hearing.correlation), "{}", hearing.correlation);
        assert!(hearing.correlation < clean.correlation - 0.01);
    }
}

#[test]
fn another_instrument_that_glides_is_not_recognized() {
    for pair in MUSIC.windows(2) {
        let heard = play_late(&track(pair[1]), 8 * RATE_HZ, there_and_back);
        let hearing = compare(&track(pair[0]), &heard, LAGS);
        let correlation = hearing.map_or(0.0, |hearing| hearing.correlation);
        assert!(correlation < 0.7, "{pair:?} correlate by {correlation}");
    }
}

/// As a machine that stalls again and again has it: 0.5 % either way, every three seconds.
#[test]
fn chirps_are_found_though_the_delay_moves_all_the_time() {
    let turn = TAU / 3.0 / RATE_HZ as f64;
    let played = chirps(RATE_HZ / 5, 5 * RATE_HZ);
    let heard = play_late(&played, 5 * RATE_HZ, |at| 130.0 + 0.005 / turn * (turn * at).sin());
    let hearing = compare(&played, &heard, 0..8_000).expect("the same chirps");
    assert!(0.9 < hearing.correlation, "{}", hearing.correlation);
}

#[test]
fn a_splice_in_a_glide_is_a_jump_and_no_click() {
    // Cross-faded over 5 ms to a place 300 frames later.
    for delay in GLIDES {
        let played = track("late-bus-piano");
        let before = play_late(&played, 8 * RATE_HZ, delay);
        let after = play_late(&played, 8 * RATE_HZ, |frame| delay(frame) + 300.0);
        let faded = |i: usize| {
            let part = (i.saturating_sub(150_000) as f32 / 240.0).min(1.0);
            before[i] * (1.0 - part) + after[i] * part
        };
        let heard: Vec<f32> = (0..before.len()).map(faded).collect();
        let hearing = compare(&played, &heard, LAGS).expect("the same track");
        let jumps: Vec<usize> = hearing.track.jumps().collect();
        assert_eq!(jumps.len(), 1, "{jumps:?}");
        assert!(jumps[0].abs_diff(150_120) < 200, "{jumps:?}");
        assert!(hearing.correlation > 0.995, "{}", hearing.correlation);
        assert_eq!((hearing.gaps, hearing.clicks), (vec![], vec![]));
        assert_eq!(hearing.segments.iter().filter(|segment| segment.moved).count(), 1);
    }
}

#[test]
fn a_glide_that_wobbles_with_every_codec_frame_is_not_forgiven() {
    // Four frames there and back a hundred times a second: rough, and no glide.
    fn wobbling(frame: f64) -> f64 {
        1_000.0 + 4.0 * (TAU * 100.0 * frame / RATE_HZ as f64).sin()
    }
    let hearing = hear_late("harbor-strings", wobbling, |_| ());
    assert!(hearing.correlation < 0.98, "{}", hearing.correlation);
}

#[test]
fn a_mix_of_sounds_that_glide_apart_comes_apart() {
    let [piano, bass, oboe] = ["late-bus-piano", "late-bus-bass", "harbor-oboe"].map(track);
    let mut heard = play_late(&piano, 4 * RATE_HZ, there_and_back);
    let bass_heard = play_late(&bass, 4 * RATE_HZ, swinging);
    heard.iter_mut().zip(bass_heard).for_each(|(s, bass)| *s += 0.5 * bass);
    let mix = unmix(&[&piano, &bass, &oboe], &heard, LAGS);
    assert!(mix.parts[0].gain_db.abs() < 0.1, "{mix:?}");
    assert!((mix.parts[1].gain_db + 6.02).abs() < 0.1, "{mix:?}");
    assert!(mix.parts[2].gain_db < -30.0, "{mix:?}");
    assert!(mix.explained > 0.99, "{mix:?}");
}
