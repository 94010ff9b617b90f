//! Stems whose clocks are off, wander, jitter, are set and are unknown for a while: what comes out sounds when it
//! was played.

use protocol::time::RoomTime;

use super::grid::to_f64;
use super::*;
use crate::stem::{Header, Writer};
use crate::{StemId, TakeId};

/// A musician in virtual time, who plays a click every five seconds of room time.
struct Musician {
    /// By how much the device is faster than the room.
    drift_ppm: f64,
    /// By how much that changes within ten minutes, and back.
    wander_ppm: f64,
    /// What the room's clock is thought to be ahead, beside jitter, at a time.
    off_ns: fn(f64) -> f64,
    /// Seconds that are not recorded, within runs.
    stalls: &'static [(f64, f64)],
    /// Seconds in which the program is away; then a run begins.
    away: &'static [(f64, f64)],
    /// Seconds in which nobody knows what the clock shows.
    unknown: &'static [(f64, f64)],
    seed: u32,
}

const SOUND: Musician = Musician {
    drift_ppm: 0.0,
    wander_ppm: 0.0,
    off_ns: |_| 0.0,
    stalls: &[],
    away: &[],
    unknown: &[],
    seed: 1,
};

/// When the take begins, and how far into it the device was opened.
const START: RoomTime = RoomTime::from_ns(1_790_000_000_123_456_789);
const OPENED_S: f64 = -1.3;

impl Musician {
    /// The device's frame, counted from when it was opened first, at a second of the take.
    fn frame(&self, at_s: f64) -> f64 {
        let turn = std::f64::consts::TAU / 600.0;
        let wandered = |s: f64| -self.wander_ppm / turn * (s * turn).cos();
        let off_us = self.drift_ppm * (at_s - OPENED_S) + wandered(at_s) - wandered(OPENED_S);
        (at_s - OPENED_S + off_us * 1e-6) * 48_000.0
    }

    fn record(&self, seconds: f64) -> Vec<u8> {
        let mut file = Vec::new();
        let header = Header {
            take: TakeId::from_bytes([1; 16]),
            stem: StemId::from_bytes([2; 16]),
            participant: "Ann".to_owned(),
            label: "voice".to_owned(),
            channels: 1,
        };
        let mut writer = Writer::new(&header, &mut file).expect("a good header");
        writer.begin_run(&mut file);
        let mut origin = 0;
        let mut random = self.seed;
        let mut click = 0;
        let mut click_at = self.frame(CLICK_FIRST_S);
        let within = |at_s: f64, spans: &[(f64, f64)]| {
            spans.iter().any(|(from, to)| (*from..*to).contains(&at_s))
        };
        let mut was_away = false;
        let mut at_s = OPENED_S;
        let mut first = 0;
        while at_s < seconds + 2.0 {
            let end = first + 480;
            let block: Vec<f32> =
                (first..end).map(|frame| sample(to_f64(frame) - click_at)).collect();
            if click_at + 600.0 < to_f64(end) {
                click += 1;
                click_at = self.frame(CLICK_FIRST_S + f64::from(click) * CLICK_EVERY_S);
            }
            let is_away = within(at_s, self.away);
            if was_away && !is_away {
                writer.begin_run(&mut file);
                origin = first;
            }
            was_away = is_away;
            if !is_away && !within(at_s, self.stalls) {
                writer.audio(first - origin, &block, &mut file);
            }
            if first % 48_000 == 0 && !is_away && !within(at_s, self.unknown) {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let jitter_ns = f64::from(random >> 16) / 65_536.0 * 300_000.0 - 150_000.0;
                // The room's time at a frame: by bisection, as the frame at a time is what is known.
                let (mut low, mut high) = (at_s - 1.0, at_s + 1.0);
                for _ in 0..60 {
                    let middle = (low + high) / 2.0;
                    if self.frame(middle) < to_f64(first) { low = middle } else { high = middle }
                }
                let ns = (low * 1e9 + jitter_ns + (self.off_ns)(at_s)).round();
                #[expect(clippy::cast_possible_truncation, reason = "ten minutes of ns")]
                let room = START.plus_ns(ns as i64);
                writer.clock(first - origin, room, 100_000, 6_000_000, 0, &mut file);
            }
            first = end;
            at_s += 0.01;
        }
        writer.end(&mut file);
        file
    }
}

const CLICK_FIRST_S: f64 = 2.5;
const CLICK_EVERY_S: f64 = 5.0;

/// A click: a bell of 20 frames' width, whose middle can be told to a hundredth of a frame.
fn sample(from_middle: f64) -> f32 {
    let x = from_middle / 20.0;
    #[expect(clippy::cast_possible_truncation, reason = "a sample")]
    if x.abs() < 6.0 { (0.5 * (-x * x).exp()) as f32 } else { 0.0 }
}

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

/// By how many milliseconds each click that is there is off: its number, and the centre of its energy.
fn clicks_off_ms(sound: &[f32]) -> Vec<(u32, f64)> {
    let mut off = Vec::new();
    for click in 0_u32.. {
        let expected = (CLICK_FIRST_S + f64::from(click) * CLICK_EVERY_S) * 48_000.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
        let middle = expected.round() as usize;
        let Some(around) = sound.get(middle - 4800..middle + 4800) else { return off };
        let (mut energy, mut moment) = (0.0, 0.0);
        for (at, sample) in (0_u32..).zip(around) {
            let power = f64::from(*sample).powi(2);
            energy += power;
            moment += power * f64::from(at);
        }
        if 1.0 < energy {
            off.push((click, (moment / energy - 4800.0) / 48.0));
        }
    }
    off
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
