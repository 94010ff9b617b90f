//! From frames of one run to room time, and back.

use protocol::time::RoomTime;

use super::grid::{FRAME_NS, Grid, signed_to_f64, to_f64};
use super::smoother::{Curve, Point, SlopePrior};
use crate::stem::ClockReading;

/// Which frame of a run was played when, from one frame on.
#[derive(Debug, Clone)]
pub(super) struct ClockMap {
    /// The first frame that it is for.
    pub(super) from_frame: u64,
    /// What all times are counted from.
    base: RoomTime,
    /// By how much the room's clock is ahead of `base` and the frames' nominal time, over that time.
    curve: Curve,
    /// What readings are off, mostly, in ns.
    pub(super) spread_ns: f64,
    /// How many readings it was made of.
    pub(super) readings: usize,
}

/// Where a map is on a grid; goes forward only.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    /// Where frame 0 of the grid is, in ns after the map's base.
    start_ns: f64,
    interval: usize,
}

/// The rate that a run is likely to have before anything is known of it.
pub(super) const UNKNOWN: SlopePrior = SlopePrior { slope: 0.0, sigma: 100_000.0 };

/// The maps of one run, from its readings in the order of their frames: one, or more where frames or the room's clock
/// jumped by what neither could have been wrong.
pub(super) fn maps(readings: &[ClockReading], prior: SlopePrior) -> Vec<ClockMap> {
    let mut maps = Vec::new();
    for part in parts(readings) {
        let Some(first) = part.first() else { continue };
        let points: Vec<Point> = part
            .iter()
            .map(|reading| {
                let nominal_ns = to_f64(reading.frame) * FRAME_NS;
                let sigma_ns = sigma_ns(reading);
                let value_ns = signed_to_f64(reading.at.ns_since(first.at)) - nominal_ns;
                Point { at_s: nominal_ns / 1e9, value_ns, sigma_ns }
            })
            .collect();
        let curve = monotone(Curve::fit(&points, prior));
        let mut sigmas: Vec<f64> = points.iter().map(|point| point.sigma_ns).collect();
        sigmas.sort_by(f64::total_cmp);
        let spread_ns = curve.spread(&points) * sigmas[sigmas.len() / 2];
        let from_frame = if maps.is_empty() { 0 } else { first.frame };
        maps.push(ClockMap { from_frame, base: first.at, curve, spread_ns, readings: part.len() });
    }
    maps
}

/// How far a reading is likely to be off. What is far away is known a little less well than it seems.
fn sigma_ns(reading: &ClockReading) -> f64 {
    let precision = f64::from(reading.precision_ns).clamp(20_000.0, 100e6);
    let bound = f64::from(reading.bound_ns).min(1e9);
    precision.hypot(bound / 100.0)
}

/// Readings that may belong to one clock, apart from the next. One or two that belong to none are left out.
fn parts(readings: &[ClockReading]) -> Vec<Vec<ClockReading>> {
    let mut parts: Vec<Vec<ClockReading>> = Vec::new();
    let mut aside: Vec<ClockReading> = Vec::new();
    for reading in readings {
        let Some(part) = parts.last_mut() else {
            parts.push(vec![*reading]);
            continue;
        };
        if part.last().is_none_or(|last| agree(last, reading)) {
            part.push(*reading);
            aside.clear();
            continue;
        }
        if aside.last().is_some_and(|last| !agree(last, reading)) {
            aside.clear();
        }
        aside.push(*reading);
        // The first reading of all may be the one that is wrong.
        if ASIDE_MAX <= aside.len() || part.len() < aside.len() {
            let aside = std::mem::take(&mut aside);
            if part.len() < ASIDE_MAX {
                parts.pop();
            }
            parts.push(aside);
        }
    }
    parts
}

/// Whether both may be right: the truth is within the bound of each, and no clock is off by more than 0.1 %.
fn agree(one: &ClockReading, next: &ClockReading) -> bool {
    let frames = next.frame.saturating_sub(one.frame);
    let off = signed_to_f64(next.at.ns_since(one.at)) - to_f64(frames) * FRAME_NS;
    let bounds = f64::from(one.bound_ns) + f64::from(next.bound_ns);
    off.abs() <= bounds + to_f64(frames) * FRAME_NS * RATE_OFF_MAX + JITTER_MAX_NS
}

/// Holds the slope within what clocks are off, so that time never stands still.
fn monotone(mut curve: Curve) -> Curve {
    let most = RATE_OFF_MAX * 1e9 * curve.step_s;
    if let Some(first) = curve.knots_ns.first_mut()
        && !first.is_finite()
    {
        *first = 0.0;
    }
    for at in 1..curve.knots_ns.len() {
        let before = curve.knots_ns[at - 1];
        let knot = &mut curve.knots_ns[at];
        *knot = if knot.is_finite() { knot.clamp(before - most, before + most) } else { before };
    }
    curve
}

impl ClockMap {
    /// A map for a run of which no reading is there: nominal from a frame on that is at a moment.
    pub(super) fn guessed(frame: u64, at: RoomTime, prior: SlopePrior) -> Self {
        let nominal_ns = to_f64(frame) * FRAME_NS;
        let point = Point { at_s: nominal_ns / 1e9, value_ns: -nominal_ns, sigma_ns: 1e6 };
        let curve = monotone(Curve::fit(&[point], prior));
        Self { from_frame: 0, base: at, curve, spread_ns: 0.0, readings: 0 }
    }

    /// Where on a grid a frame is, in frames of the grid.
    pub(super) fn on_grid(&self, frame: u64, grid: &Grid) -> f64 {
        let nominal_ns = to_f64(frame) * FRAME_NS;
        let since_base = nominal_ns + self.curve.at(nominal_ns / 1e9);
        since_base / FRAME_NS - self.start_ns(grid) / FRAME_NS
    }

    /// When a frame was played.
    pub(super) fn room(&self, frame: u64) -> RoomTime {
        let nominal_ns = to_f64(frame) * FRAME_NS;
        self.base.plus_ns(round(nominal_ns + self.curve.at(nominal_ns / 1e9)))
    }

    /// The mean slope of the curve between two frames, in ns a second: how slow the device is.
    pub(super) fn slope(&self, from: u64, to: u64) -> f64 {
        let [from_s, to_s] = [from, to].map(|frame| to_f64(frame) * FRAME_NS / 1e9);
        let span_s = (to_s - from_s).max(1.0);
        (self.curve.at(from_s + span_s) - self.curve.at(from_s)) / span_s
    }

    /// For walking along a grid.
    pub(super) fn cursor(&self, grid: &Grid) -> Cursor {
        Cursor { start_ns: self.start_ns(grid), interval: 0 }
    }

    fn start_ns(&self, grid: &Grid) -> f64 {
        signed_to_f64(grid.start.ns_since(self.base))
    }

    /// The frame, with its fraction, that sounds at a frame of the grid. Grid frames rise from call to call.
    pub(super) fn frame_at(&self, grid_frame: u64, cursor: &mut Cursor) -> f64 {
        let wanted_ns = cursor.start_ns + to_f64(grid_frame) * FRAME_NS;
        let last = self.curve.knots_ns.len() - 2;
        while cursor.interval < last && self.knot_room_ns(cursor.interval + 1) <= wanted_ns {
            cursor.interval += 1;
        }
        let left = self.knot_room_ns(cursor.interval);
        let right = self.knot_room_ns(cursor.interval + 1);
        let into_ns = (wanted_ns - left) / (right - left) * (self.curve.step_s * 1e9);
        (self.knot_ns(cursor.interval) + into_ns) / FRAME_NS
    }

    /// A knot's nominal time.
    fn knot_ns(&self, knot: usize) -> f64 {
        let knot = to_f64(u64::try_from(knot).expect("usize has at most 64 bits"));
        (self.curve.first_s + self.curve.step_s * knot) * 1e9
    }

    fn knot_room_ns(&self, knot: usize) -> f64 {
        self.knot_ns(knot) + self.curve.knots_ns[knot]
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the cast itself keeps within the bounds")]
fn round(ns: f64) -> i64 {
    ns.round() as i64
}

/// Readings that agree with each other and with nothing before are a clock of their own from this number on.
const ASIDE_MAX: usize = 3;
/// By how much device and room may run apart: 500 ppm each at worst.
const RATE_OFF_MAX: f64 = 1e-3;
/// What callbacks jitter, which no bound includes.
const JITTER_MAX_NS: f64 = 2e6;

#[cfg(test)]
mod tests {
    use super::super::grid::ceil;
    use super::*;

    fn reading(frame: u64, ns: i64) -> ClockReading {
        ClockReading {
            run: 0,
            frame,
            at: RoomTime::from_ns(1_790_000_000_000_000_000 + ns),
            precision_ns: 50_000,
            bound_ns: 5_000_000,
            steps: 0,
        }
    }

    fn every_second(seconds: std::ops::Range<u64>, ahead_ns: i64) -> Vec<ClockReading> {
        let ns = |second| i64::try_from(second).expect("small") * 1_000_000_000;
        seconds.map(|second| reading(second * 48_000, ns(second) + ahead_ns)).collect()
    }

    #[test]
    fn there_and_back_is_the_same_frame() {
        let readings: Vec<_> = (0..300)
            .map(|second| {
                reading(second * 48_007, i64::try_from(second).expect("small") * 999_900_000)
            })
            .collect();
        let maps = maps(&readings, UNKNOWN);
        assert_eq!(maps.len(), 1);
        let grid = Grid { start: readings[0].at.plus_ns(-2_000_000_000), frames: 48_000_000 };
        let mut cursor = maps[0].cursor(&grid);
        for frame in (0..300 * 48_007).step_by(4801) {
            let on_grid = maps[0].on_grid(frame, &grid);
            let back = maps[0].frame_at(ceil(on_grid), &mut cursor);
            let expected = to_f64(frame) + (on_grid.ceil() - on_grid) * 48_007.0 / 47_995.2;
            assert!((back - expected).abs() < 1e-5, "{frame} came back as {back}");
        }
        let off_ns = maps[0].room(100 * 48_007).ns_since(readings[100].at);
        assert!(off_ns.abs() < 1000, "{off_ns}");
    }

    #[test]
    fn what_no_bound_allows_is_another_clock() {
        let slept = [every_second(0..60, 0), every_second(60..120, 700_000_000)].concat();
        let maps = maps(&slept, UNKNOWN);
        assert_eq!(maps.iter().map(|map| map.from_frame).collect::<Vec<_>>(), [0, 60 * 48_000]);
        assert_eq!(maps[1].room(90 * 48_000).ns_since(slept[90].at) / 1000, 0);
    }

    #[test]
    fn a_lone_reading_that_is_far_off_is_left_out() {
        for wrong in [0, 30, 59] {
            let mut readings = every_second(0..60, 0);
            readings[wrong].at = readings[wrong].at.plus_ns(900_000_000);
            let maps = maps(&readings, UNKNOWN);
            assert_eq!(maps.len(), 1, "{wrong}");
            assert_eq!(maps[0].readings, 59, "{wrong}");
        }
    }

    #[test]
    fn nonsense_leaves_time_going_forward() {
        let readings: Vec<_> = (0..50)
            .map(|n| reading(n * n, if n % 2 == 0 { i64::MAX / 2 } else { i64::MIN / 2 }))
            .collect();
        for map in maps(&readings, UNKNOWN) {
            let grid = Grid { start: readings[0].at, frames: 1000 };
            let mut cursor = map.cursor(&grid);
            let mut before = f64::MIN;
            for frame in 0..1000 {
                let at = map.frame_at(frame, &mut cursor);
                assert!(before < at, "{before} {at}");
                before = at;
            }
        }
    }
}
