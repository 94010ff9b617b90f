//! Stems whose clocks are off, wander, jitter, are set and are unknown for a while: what comes out sounds when it
//! was played.

use proptest::prelude::*;

use super::*;
use crate::stem::Hostile as What;
use crate::virtual_musician::{Musician, SOUND, START, clicks_off_ms};

fn aligned(file: &[u8], grid: Grid) -> (Vec<f32>, Coverage, Timeline) {
    let timeline = Timeline::read(file, grid.start).expect("a stem");
    let mut stem =
        AlignedStem::open(file, timeline.clone(), grid, &Interpolator::new()).expect("a stem");
    let mut sound = vec![0.0; usize::try_from(grid.frames).expect("minutes")];
    for block in sound.chunks_mut(5000) {
        stem.read(block).expect("memory can be read");
    }
    (sound, stem.coverage(), timeline)
}

/// Records ten minutes and says where the clicks are.
fn play(musician: &Musician) -> (Vec<(u32, f64)>, Coverage, Timeline) {
    let grid = Grid { start: START, frames: 600 * 48_000 };
    let (sound, coverage, timeline) = aligned(&musician.record(600.0), grid);
    (clicks_off_ms(&sound), coverage, timeline)
}

fn check(musician: &Musician, clicks: usize, within_ms: f64) -> (Coverage, Timeline) {
    let (off, coverage, timeline) = play(musician);
    assert_eq!(off.len(), clicks);
    for (click, off_ms) in &off {
        assert!(off_ms.abs() < within_ms, "click {click}: {off_ms} ms");
    }
    (coverage, timeline)
}

#[test]
fn clocks_that_differ_and_wander_stay_together() {
    for (drift_ppm, wander_ppm, seed) in
        [(-150.0, 0.0, 5), (150.0, 2.0, 6), (-60.0, -3.0, 7), (20.0, 1.0, 8), (500.0, 0.0, 9)]
    {
        let musician = Musician { drift_ppm, wander_ppm, seed, ..SOUND };
        let (coverage, timeline) = check(&musician, 120, 0.05);
        assert!((coverage.recorded_s - 600.0).abs() < 0.001, "{coverage:?}");
        let drift = timeline.clocking().drift_ppm;
        assert!((drift - drift_ppm).abs() < 0.3, "{drift} for {drift_ppm}");
    }
}

#[test]
fn a_clock_that_settles_late_or_is_set_moves_nothing() {
    let settles = |at_s: f64| if at_s < 20.0 { (20.0 - at_s) * 5e5 } else { 0.0 };
    check(&Musician { drift_ppm: 90.0, off_ns: settles, ..SOUND }, 120, 0.05);
    let set = |at_s: f64| if (200.0..290.0).contains(&at_s) { -4e6 } else { 0.0 };
    check(&Musician { drift_ppm: -90.0, wander_ppm: 2.0, off_ns: set, ..SOUND }, 120, 0.05);
    let sudden = |at_s: f64| if (400.0..401.5).contains(&at_s) { 300e6 } else { 0.0 };
    check(&Musician { drift_ppm: 10.0, off_ns: sudden, ..SOUND }, 120, 0.05);
}

#[test]
fn what_was_played_before_the_clock_was_known_is_dated_later() {
    let unknown = &[(-10.0, 90.0), (300.0, 420.0)];
    check(&Musician { drift_ppm: 120.0, unknown, ..SOUND }, 120, 0.05);
}

#[test]
fn a_stall_and_a_rejoin_leave_the_rest_in_its_place() {
    let musician = Musician {
        drift_ppm: -110.0,
        wander_ppm: 1.0,
        stalls: &[(100.0, 100.2), (201.0, 211.0)],
        away: &[(300.0, 331.0)],
        ..SOUND
    };
    // Two clicks fall into the stall, and six into the time away.
    let (coverage, timeline) = check(&musician, 112, 0.05);
    assert!((coverage.lost_s - 10.2).abs() < 0.03, "{coverage:?}");
    assert!((coverage.away_s - 31.0).abs() < 0.03, "{coverage:?}");
    assert!((coverage.recorded_s - 558.8).abs() < 0.05, "{coverage:?}");
    assert_eq!(timeline.clocking().guessed_runs, 0);
}

#[test]
fn who_comes_late_and_goes_early_is_silent_meanwhile() {
    let file = SOUND.record(60.0);
    let grid = Grid { start: START.plus_ns(-20_000_000_000), frames: 100 * 48_000 };
    let (sound, coverage, _) = aligned(&file, grid);
    assert!((coverage.late_s - 18.7).abs() < 0.002, "{coverage:?}");
    assert!((coverage.early_s - 18.0).abs() < 0.02, "{coverage:?}");
    let (first, last) = (18 * 48_000, 83 * 48_000);
    assert!(sound[..first].iter().chain(&sound[last..]).all(|sample| *sample == 0.0));
    // Only a part of a take: the same clicks, counted from elsewhere.
    let part = Grid { start: START.plus_ns(30_000_000_000), frames: 20 * 48_000 };
    let off = clicks_off_ms(&aligned(&file, part).0);
    assert_eq!(off.len(), 4);
    assert!(off.iter().all(|(_, off_ms)| off_ms.abs() < 0.1), "{off:?}");
}

#[test]
fn a_stem_without_a_clock_begins_with_the_take() {
    let file = Musician { unknown: &[(-10.0, 1000.0)], ..SOUND }.record(20.0);
    let grid = Grid { start: START, frames: 30 * 48_000 };
    let (_, coverage, timeline) = aligned(&file, grid);
    assert_eq!(timeline.clocking().guessed_runs, 1);
    assert_eq!(timeline.played(0, 0), Some(START));
    assert!((coverage.guessed_s - 23.3).abs() < 0.02, "{coverage:?}");
}

/// What a hostile writer says: records that hold, in any order, with any numbers.
fn any_stem() -> impl Strategy<Value = Vec<u8>> {
    let frames = prop_oneof![0..50_000_u64, any::<u64>()];
    let room = prop_oneof![
        (-2_000_000_000..2_000_000_000_i64).prop_map(|ns| START.plus_ns(ns).as_ns()),
        any::<i64>(),
    ];
    let what = prop_oneof![
        (0..3_u32, frames.clone(), room, any::<[u32; 3]>()).prop_map(What::Clock),
        (0..3_u32, frames, 1..3000_u16, any::<bool>()).prop_map(What::Audio),
    ];
    prop::collection::vec(what, 0..40).prop_map(|whats| {
        let mut file = Musician { unknown: &[(-9.0, 9.0)], ..SOUND }.record(-3.0);
        for what in whats {
            crate::stem::put_hostile(what, &mut file);
        }
        file
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_stem_breaks_the_alignment(file in any_stem(), start in any::<i64>(), near in any::<bool>()) {
        let start = if near { START } else { protocol::time::RoomTime::from_ns(start) };
        let (sound, coverage, _) = aligned(&file, Grid { start, frames: 48_000 });
        prop_assert_eq!(sound.len(), 48_000);
        let parts = coverage.recorded_s + coverage.late_s + coverage.lost_s + coverage.away_s + coverage.early_s;
        prop_assert!(parts < 1.01, "{:?}", coverage);
    }
}
