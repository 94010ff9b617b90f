//! Breaks sound on purpose: whatever a test relies on hearing must be heard here.

mod glides;

use super::*;
use crate::musician::Musician;
use crate::room::Room;
use crate::sound::{MUSIC, Sound, chirps, sine};

const LAGS: Range<i64> = -4_800..48_000;

fn track(name: &str) -> Vec<f32> {
    Sound::music(name).expect("the track is in tests/music").to_mono()
}

fn late(samples: &[f32], frames: usize) -> Vec<f32> {
    let mut out = vec![0.0; frames];
    out.extend_from_slice(samples);
    out
}

/// Damages the piano, played 1,000 frames late, and listens.
fn hear(damage: impl FnOnce(&mut Vec<f32>)) -> Hearing {
    let played = track("late-bus-piano");
    let mut heard = late(&played, 1_000);
    damage(&mut heard);
    compare(&played, &heard, LAGS).expect("it is still the piano")
}

/// Deterministic noise between -1 and 1.
fn noise(seed: u32) -> impl Iterator<Item = f32> {
    let mut state = seed;
    core::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    })
}

#[test]
fn an_undamaged_track_is_late_and_nothing_else() {
    for name in MUSIC {
        let played = track(name);
        let hearing = compare(&played, &late(&played, 777), LAGS).expect("the same track");
        assert_eq!((hearing.delay_frames, hearing.delay_frames_median()), (777, 777), "{name}");
        assert!(hearing.correlation > 0.999_9, "{name}: {}", hearing.correlation);
        assert_eq!(hearing.gaps, [], "{name}");
        assert_eq!(hearing.clicks, [], "{name}");
        assert!(hearing.level_db.abs() < 0.01, "{name}: {} dB", hearing.level_db);
    }
}

#[test]
fn a_hole_of_one_codec_frame_is_a_gap() {
    let hearing = hear(|heard| heard[100_000..100_120].fill(0.0));
    assert_eq!(hearing.gaps.len(), 1, "{:?}", hearing.gaps);
    assert!(hearing.gaps[0].at_frame.abs_diff(100_000) < 96);
    assert!((48..=120).contains(&hearing.gap_frames()));
}

#[test]
fn a_repeated_or_lost_piece_moves_the_delay_of_what_follows() {
    let lost = hear(|heard| drop(heard.drain(240_000..240_480)));
    let repeated = hear(|heard| {
        let piece = heard[240_000..240_480].to_vec();
        heard.splice(240_000..240_000, piece);
    });
    let last = |hearing: &Hearing| hearing.segments.last().expect("it sounds").delay_frames;
    assert_eq!((last(&lost), last(&repeated)), (520, 1_480));
    assert_eq!(lost.segments[0].delay_frames, 1_000);
}

#[test]
fn a_playout_that_moves_within_a_piece_costs_no_likeness() {
    // Pieces begin at multiples of 12,000 frames: these moves lie well inside of one.
    let lost = hear(|heard| drop(heard.drain(247_000..247_300)));
    let repeated = hear(|heard| {
        let piece = heard[247_000..247_087].to_vec();
        heard.splice(247_000..247_000, piece);
    });
    for hearing in [lost, repeated] {
        let moved: Vec<&Segment> = hearing.segments.iter().filter(|s| s.moved).collect();
        assert_eq!(moved.len(), 1, "{moved:?}");
        assert!(moved[0].correlation > 0.999, "{moved:?}");
        assert!(hearing.correlation > 0.999_9, "{}", hearing.correlation);
        assert_eq!(hearing.gaps, []);
    }
}

#[test]
fn a_short_part_with_a_move_in_it_is_found_where_it_lies() {
    // Thirteen seconds in which the five that were heard may lie, with a millisecond less in the
    // middle: some note at an end of them looks more alike than all of it does.
    let mut played = track("late-bus-piano");
    played.extend_from_within(..);
    for start in (0..10).map(|second| second * RATE_HZ) {
        let mut heard = played[start..start + 5 * RATE_HZ].to_vec();
        heard.drain(2 * RATE_HZ..2 * RATE_HZ + RATE_HZ / 1000);
        let from = start.saturating_sub(4 * RATE_HZ);
        let cut = &played[from..start + 9 * RATE_HZ];
        let shift = i64::try_from(start - from).expect("short");
        let reach = i64::try_from(4 * RATE_HZ).expect("short");
        let hearing = compare(cut, &heard, -shift - reach..reach - shift).expect("it is there");
        assert!(hearing.correlation > 0.97, "from {start}: {}", hearing.correlation);
    }
}

#[test]
fn a_jump_in_the_wave_is_a_click() {
    let hearing = hear(|heard| heard[100_000..].iter_mut().for_each(|s| *s += 0.2));
    assert!(hearing.clicks.iter().any(|click| click.at_frame.abs_diff(100_000) < 4));
}

#[test]
fn noise_lowers_the_correlation_by_what_it_weighs() {
    // 0.068 is the level of the piano: as much noise as signal.
    let hearing = hear(|heard| {
        heard.iter_mut().zip(noise(1)).for_each(|(s, noise)| *s += 0.068 * 1.732 * noise);
    });
    assert!((0.6..0.85).contains(&hearing.correlation), "{}", hearing.correlation);
    assert_eq!(hearing.delay_frames, 1_000);
}

#[test]
fn half_the_level_is_six_decibels_less() {
    let hearing = hear(|heard| heard.iter_mut().for_each(|s| *s *= 0.5));
    assert!((hearing.level_db + 6.02).abs() < 0.05, "{}", hearing.level_db);
    assert!(hearing.correlation > 0.999);
}

#[test]
fn a_muffled_sound_lacks_its_treble() {
    let hearing = hear(|heard| {
        // One-pole low-pass at about 1 kHz, twice.
        for _ in 0..2 {
            let mut state = 0.0;
            for sample in heard.iter_mut() {
                state += 0.12 * (*sample - state);
                *sample = state;
            }
        }
    });
    let treble = hearing.bands_db[3].expect("the piano has treble");
    let bass = hearing.bands_db[1].expect("the piano has bass");
    assert!(treble < -15.0 && bass.abs() < 3.0, "{:?}", hearing.bands_db);
}

#[test]
fn a_stranger_is_not_recognized() {
    for pair in MUSIC.windows(2) {
        let hearing = compare(&track(pair[0]), &track(pair[1]), LAGS);
        let correlation = hearing.map_or(0.0, |hearing| hearing.correlation);
        assert!(correlation < 0.7, "{pair:?} correlate by {correlation}");
    }
    assert!(compare(&[0.0; 48_000], &sine(440.0, 0.5, 48_000), LAGS).is_none());
}

#[test]
fn a_mix_comes_apart_into_who_is_in_it_and_who_is_not() {
    let [piano, bass, oboe] = ["late-bus-piano", "late-bus-bass", "harbor-oboe"].map(track);
    let mut heard: Vec<f32> = late(&piano, 500);
    heard.iter_mut().zip(late(&bass, 900)).for_each(|(s, bass)| *s += 0.5 * bass);
    let mix = unmix(&[&piano, &bass, &oboe], &heard, LAGS);
    assert_eq!((mix.parts[0].delay_frames, mix.parts[1].delay_frames), (500, 900));
    assert!(mix.parts[0].gain_db.abs() < 0.1, "{mix:?}");
    assert!((mix.parts[1].gain_db + 6.02).abs() < 0.1, "{mix:?}");
    assert!(mix.parts[2].gain_db < -30.0, "{mix:?}");
    assert!(mix.explained > 0.999, "{mix:?}");
}

#[test]
fn an_echo_of_oneself_below_a_loud_band_is_found() {
    let [own, bass] = ["harbor-harp", "late-bus-bass"].map(track);
    let mut heard: Vec<f32> = late(&bass, 300);
    let clean = unmix(&[&own, &bass], &heard, LAGS);
    heard.iter_mut().zip(late(&own, 1_200)).for_each(|(s, own)| *s += 0.03 * own);
    let echo = unmix(&[&own, &bass], &heard, LAGS);
    assert_eq!(echo.parts[0].delay_frames, 1_200);
    assert!(echo.parts[0].gain_db > clean.parts[0].gain_db + 10.0, "{echo:?} {clean:?}");
}

/// What the thresholds stand on: music through two engines in good weather, in every codec.
#[test]
fn every_track_keeps_well_clear_of_the_threshold_of_every_codec() {
    for codec in Codec::ALL {
        for track in MUSIC {
            let mut room = Room::new(51);
            let ann = room.join(Musician::new("Ann", track).sends(codec));
            let bob = room.join(Musician::new("Bob", track).sends(codec));
            room.play_seconds(0.7);
            let stretch = room.play_seconds(9.0);
            let heard = room.heard(bob, ann, &stretch);
            let (lost, allowed) = (1.0 - heard.correlation(), 1.0 - correlation_min(codec));
            assert!(2.0 * lost < allowed, "{codec}: {track} loses {lost:.4} of {allowed:.4}");
            assert_eq!((heard.gaps().as_nanos(), heard.clicks()), (0, 0), "{codec}: {track}");
        }
    }
}
