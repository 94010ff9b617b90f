//! Plays the click into the own output, so that each beat is at the ear when the room's clock shows it.
//!
//! Nothing of it is sent to anybody. A beat begins between two frames, where it belongs. What
//! surprises: the moment that counts is that at the ear, so a device that takes 40 ms is given its
//! beats 40 ms earlier.

use core::f32::consts::TAU;

use protocol::room_state::BeatStrength;
use protocol::time::RoomTime;

use crate::click::{Beat, Click};
use crate::room_clock::{RoomMapping, to_f64};
use crate::rt::clock_line::ClockLine;
use crate::rt::ramp::Ramp;

/// The click of one listener.
#[derive(Debug)]
pub(super) struct ClickPlayer {
    click: Option<Click>,
    mapping: Option<RoomMapping>,
    /// From the engine's output to the ear.
    to_ear_ns: i64,
    gain: Ramp,
    /// The beat that comes next, and until when what came before is played.
    due: Option<Beat>,
    played: Option<RoomTime>,
    stroke: Stroke,
}

impl ClickPlayer {
    /// No click, at unity gain.
    pub(super) const fn new() -> Self {
        Self {
            click: None,
            mapping: None,
            to_ear_ns: 0,
            gain: Ramp::at(1.0),
            due: None,
            played: None,
            stroke: Stroke::SILENT,
        }
    }

    /// Plays another click from here on.
    pub(super) fn set_click(&mut self, click: Click) {
        self.click = Some(click);
        self.due = None;
    }

    /// What the room's clock shows when the engine's output leaves the engine, and how much later it is heard.
    pub(super) const fn set_clock(&mut self, mapping: RoomMapping, to_ear_ns: i64) {
        self.mapping = Some(mapping);
        self.to_ear_ns = to_ear_ns;
    }

    /// A factor for every beat; 0 is none.
    pub(super) fn set_gain(&mut self, factor: f32) {
        self.gain.glide_to(factor);
    }

    /// Adds the frames that `line` has from `start` on to both sides.
    pub(super) fn mix_into(
        &mut self,
        line: &ClockLine,
        start: i64,
        left: &mut [f32],
        right: &mut [f32],
    ) {
        let frames = left.len().min(right.len());
        let begins = self.beat_begins(line, start, frames);
        if begins.is_none() && self.stroke.is_over() {
            // A gain that glides while nothing sounds arrives unheard.
            (0..frames).for_each(|_| {
                self.gain.next();
            });
            return;
        }
        let first = begins.map_or(frames, |(frame, _)| frame);
        for (index, (left, right)) in left.iter_mut().zip(right.iter_mut()).enumerate() {
            if index == first
                && let Some((_, stroke)) = begins
            {
                self.stroke = stroke;
            }
            let sample = self.stroke.next() * self.gain.next();
            *left += sample;
            *right += sample;
        }
    }

    /// The beat of this block: its first frame, and how it sounds from there on. Beats are further apart than blocks
    /// are long.
    fn beat_begins(
        &mut self,
        line: &ClockLine,
        start: i64,
        frames: usize,
    ) -> Option<(usize, Stroke)> {
        let (click, mapping) = (self.click?, self.mapping?);
        let end = start.wrapping_add(i64::try_from(frames).unwrap_or(i64::MAX));
        let at_ear = |frame| Some(mapping.room(line.at(frame)?).plus_ns(self.to_ear_ns));
        let (from, until) = (at_ear(start)?, at_ear(end)?);
        let set = self.played.is_none_or(|played| SET_NS < from.ns_since(played).abs());
        // What was played is not played again where the clock went back by a little.
        let since = if set { from } else { self.played.unwrap_or(from) };
        self.played = Some(if set { until } else { since.max(until) });
        if set {
            self.due = None;
        }
        let due = match self.due {
            Some(due) => due,
            None => click.next_beat(since)?,
        };
        self.due = Some(due);
        let share = to_f64(due.at.ns_since(from)) / to_f64(until.ns_since(from).max(1));
        #[expect(clippy::cast_precision_loss, reason = "a block is short")]
        let at = (share * frames as f64).max(-1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let first = at.ceil() as usize;
        if frames <= first {
            // A beat behind the last frame sounds from the next block's first frame on.
            return None;
        }
        self.due = click.next_beat(due.at.plus_ns(1));
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "below 1")]
        let passed = (first as f64 - at) as f32;
        (due.strength != BeatStrength::Silent).then(|| (first, Stroke::begun(due, passed)))
    }
}

/// A decaying sine: a point that turns in the plane and comes nearer to its middle.
#[derive(Debug, Clone, Copy)]
struct Stroke {
    at: [f32; 2],
    turn: [f32; 2],
    frames_left: u32,
}

impl Stroke {
    const SILENT: Self = Self { at: [0.0, 0.0], turn: [0.0, 0.0], frames_left: 0 };

    /// The stroke of a beat that began so many frames ago, less than one.
    fn begun(beat: Beat, passed_frames: f32) -> Self {
        let (hz, amplitude) = match (beat.strength, 1 <= beat.bar) {
            (BeatStrength::Accent, true) => (1600.0, 0.5),
            (BeatStrength::Normal, true) => (1100.0, 0.35),
            // Counted in.
            (BeatStrength::Accent, false) => (800.0, 0.5),
            (BeatStrength::Normal, false) => (550.0, 0.4),
            (BeatStrength::Silent, _) => (0.0, 0.0),
        };
        let angle = TAU * hz / FRAMES_PER_SECOND;
        let decay = |frames: f32| (-frames / DECAY_FRAMES).exp();
        let (sin, cos) = (angle * passed_frames).sin_cos();
        let size = amplitude * decay(passed_frames);
        let (turn_sin, turn_cos) = angle.sin_cos();
        let shrink = decay(1.0);
        Self {
            at: [size * cos, size * sin],
            turn: [shrink * turn_cos, shrink * turn_sin],
            frames_left: STROKE_FRAMES,
        }
    }

    const fn is_over(&self) -> bool {
        self.frames_left == 0
    }

    fn next(&mut self) -> f32 {
        if self.frames_left == 0 {
            return 0.0;
        }
        self.frames_left -= 1;
        let ([x, y], [cos, sin]) = (self.at, self.turn);
        self.at = [x * cos - y * sin, x * sin + y * cos];
        y
    }
}

const FRAMES_PER_SECOND: f32 = 48_000.0;

/// A stroke falls to a third in 12 ms, and is over at -80 dB.
const DECAY_FRAMES: f32 = 576.0;
const STROKE_FRAMES: u32 = 5_300;

/// The room's clock glides; where it is off by more than 20 ms it was set, and the click starts anew.
const SET_NS: i64 = 20_000_000;

#[cfg(test)]
mod tests {
    use protocol::room_state::{ClickSegment, room_time};
    use protocol::time::Instant;

    use super::*;
    use crate::room_clock::shifted;

    const START_US: i64 = 1_790_000_000_000_000;

    fn click() -> Click {
        let beats = vec![BeatStrength::Accent, BeatStrength::Normal, BeatStrength::Silent];
        let segment =
            ClickSegment { start_us: START_US, bar: 1, tempo_millibpm: 140_000, unit: 4, beats };
        Click::new(&[segment]).expect("a click")
    }

    /// A device whose clock is off by `ppm`, played in periods; gives the frames at which strokes begin, to a
    /// fraction, from where the sine passes zero upwards first.
    struct Device {
        player: ClickPlayer,
        line: ClockLine,
        frame: i64,
        ppm: f64,
        heard: Vec<f32>,
    }

    impl Device {
        fn new(ppm: f64) -> Self {
            let mut player = ClickPlayer::new();
            player.set_click(click());
            Self { player, line: ClockLine::default(), frame: 0, ppm, heard: Vec::new() }
        }

        #[expect(clippy::cast_possible_truncation, reason = "minutes")]
        fn now(&self) -> Instant {
            let ns = self.frame as f64 * 1e9 / 48_000.0 * (1.0 + self.ppm * 1e-6);
            shifted(Instant::from_ns(1_000_000_000), ns as i64)
        }

        fn play(&mut self, seconds: f64, period: usize) {
            let end = self.heard.len() as f64 + seconds * 48_000.0;
            while (self.heard.len() as f64) < end {
                self.line.note(self.frame, self.now());
                let (mut left, mut right) = (vec![0.0; period], vec![0.0; period]);
                self.player.mix_into(&self.line, self.frame, &mut left, &mut right);
                assert_eq!(left, right);
                self.heard.extend(left);
                self.frame += i64::try_from(period).expect("short");
            }
        }

        /// Milliseconds of local time at which strokes begin: the sine's zero before its first peak, which is found
        /// from two samples of it.
        fn onsets_ms(&self) -> Vec<f64> {
            let mut onsets = Vec::new();
            let mut quiet = 480;
            for (index, sample) in self.heard.iter().enumerate() {
                if 480 <= quiet && 0.0 < sample.abs() {
                    let before = index as f64;
                    onsets.push(before / 48.0 * (1.0 + self.ppm * 1e-6));
                }
                quiet = if sample.abs() == 0.0 { quiet + 1 } else { 0 };
            }
            onsets
        }
    }

    #[test]
    fn beats_are_at_the_ear_when_the_rooms_clock_shows_them() {
        for (ppm, rate, to_ear_ms, period) in
            [(0.0, 0.0, 0.0, 64), (130.0, -90e-6, 40.0, 128), (-150.0, 60e-6, 8.0, 256)]
        {
            let mut device = Device::new(ppm);
            // The click starts when the room's clock shows START, 1.2 s after the device began to play.
            let local = Instant::from_ns(2_200_000_000);
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds")]
            let to_ear_ns = (to_ear_ms * 1e6) as i64;
            device.player.set_clock(RoomMapping::new(local, room_time(START_US), rate), to_ear_ns);
            device.play(10.0, period);
            let onsets = device.onsets_ms();
            assert!((13..=16).contains(&onsets.len()), "every third of 20 is silent: {onsets:?}");
            for (index, onset) in onsets.iter().enumerate() {
                let beat = index as f64 + (index / 2) as f64;
                let expected = 1200.0 - to_ear_ms + beat * 60_000.0 / 140.0 / (1.0 + rate);
                let off = onset - expected;
                assert!((-0.001..0.05).contains(&off), "{index}: {off} ms at {ppm} ppm");
            }
        }
    }

    #[test]
    fn a_clock_that_glides_neither_repeats_nor_drops_a_beat_and_one_that_is_set_goes_on_there() {
        let mut device = Device::new(0.0);
        let mapping = |back_ms: i64| {
            let local = Instant::from_ns(1_000_000_000);
            RoomMapping::new(local, room_time(START_US - back_ms * 1000), 0.0)
        };
        device.player.set_clock(mapping(0), 0);
        device.play(0.01, 64);
        assert_eq!(device.onsets_ms().len(), 1);
        // The first beat was just played; the clock says that it is still ahead.
        device.player.set_clock(mapping(15), 0);
        device.play(0.3, 64);
        assert_eq!(device.onsets_ms().len(), 1, "it is not played again");
        device.player.set_clock(mapping(5_000), 0);
        device.play(3.0, 64);
        assert_eq!(device.onsets_ms().len(), 1, "before the beginning there is silence");
        device.play(3.0, 64);
        assert!(2 < device.onsets_ms().len());
    }

    #[test]
    fn gain_and_silence_are_heard() {
        let mut device = Device::new(0.0);
        device.play(0.1, 64);
        assert!(device.heard.iter().all(|sample| *sample == 0.0), "nobody knows the time");
        let mapping = RoomMapping::new(Instant::from_ns(1_000_000_000), room_time(START_US), 0.0);
        device.player.set_clock(mapping, 0);
        device.play(2.0, 64);
        let peak = |heard: &[f32]| heard.iter().fold(0.0, |peak: f32, s| peak.max(s.abs()));
        assert!((0.4..0.5).contains(&peak(&device.heard)), "{}", peak(&device.heard));
        device.player.set_gain(0.1);
        device.play(0.2, 64);
        let from = device.heard.len();
        device.play(2.0, 64);
        assert!((0.04..0.05).contains(&peak(&device.heard[from..])));
        device.player.set_click(Click::new(&[]).expect("silence"));
        device.play(0.2, 64);
        let from = device.heard.len();
        device.play(2.0, 64);
        assert!(device.heard[from..].iter().all(|sample| *sample == 0.0));
    }
}
