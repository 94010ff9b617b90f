//! A sound that says where in the music it comes from, however it was cut, stretched or resampled.
//!
//! Left and right are the cosine and sine of a slow turn, so their ratio is the place within
//! [`TURN_FRAMES`], whatever the loudness. On top are two tones, the same on both sides, so that the
//! sound is not the same everywhere and a splice or a concealment has something to match. A reading is
//! the mean of 10 ms under a window that hides the tones; it is good to a frame or two.

use std::sync::OnceLock;

use crate::trace::FRAMES;

/// Frames of one turn: 2 s, more than any delay.
pub(crate) const TURN_FRAMES: usize = 96_000;

/// Frames between two readings: 5 ms.
pub(crate) const HOP_FRAMES: usize = 240;

const WINDOW_FRAMES: usize = 2 * HOP_FRAMES;
const AMPLITUDE: f32 = 0.4;

/// A part of the amplitude below which nothing is heard: -30 dB.
const SILENT: f32 = 0.03;

/// Where the sound is from, at the middle of a stretch of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reading {
    /// The middle, in frames since the first that was heard.
    pub(crate) heard: f64,
    /// Frames from the start of the turn; `None` where nothing or something else is heard.
    pub(crate) place: Option<f64>,
}

/// Reads what is heard.
pub(crate) struct Reader {
    left: Vec<f32>,
    right: Vec<f32>,
    window: Vec<f32>,
    /// Frames heard before what is kept.
    before: usize,
}

impl Reader {
    pub(crate) fn new() -> Self {
        let hann = |index: usize| {
            let turn = std::f64::consts::TAU * index as f64 / WINDOW_FRAMES as f64;
            to_f32((1.0 - turn.cos()) / WINDOW_FRAMES as f64)
        };
        let window = (0..WINDOW_FRAMES).map(hann).collect();
        Self { left: Vec::new(), right: Vec::new(), window, before: 0 }
    }

    /// Takes a period, and gives what can be read since.
    pub(crate) fn take(&mut self, left: &[f32], right: &[f32], mut see: impl FnMut(Reading)) {
        self.left.extend_from_slice(left);
        self.right.extend_from_slice(right);
        while WINDOW_FRAMES <= self.left.len() {
            let mean = |side: &[f32]| -> f32 {
                side.iter().zip(&self.window).map(|(sample, weight)| sample * weight).sum()
            };
            let (x, y) = (mean(&self.left), mean(&self.right));
            let found = SILENT * AMPLITUDE < x.hypot(y);
            let turn = (f64::from(y).atan2(f64::from(x)) / std::f64::consts::TAU).rem_euclid(1.0);
            see(Reading {
                heard: (self.before + WINDOW_FRAMES / 2) as f64,
                place: found.then_some(turn * TURN_FRAMES as f64),
            });
            self.left.drain(..HOP_FRAMES);
            self.right.drain(..HOP_FRAMES);
            self.before += HOP_FRAMES;
        }
    }
}

/// The frames of a packet, one after the other, left and right.
pub(crate) fn packet(number: usize) -> impl Iterator<Item = [f32; 2]> {
    let turn = turn();
    let first = number * FRAMES;
    (first..first + FRAMES).filter_map(|frame| turn.get(frame % TURN_FRAMES).copied())
}

fn turn() -> &'static [[f32; 2]] {
    static TURN: OnceLock<Vec<[f32; 2]>> = OnceLock::new();
    TURN.get_or_init(|| {
        let frame = |frame: usize| {
            let part = frame as f64 / TURN_FRAMES as f64 * std::f64::consts::TAU;
            // Whole numbers of periods in a turn, none of them a whole number of frames.
            let tones = 0.1 * ((part * 2062.0).sin() + (part * 3142.0).sin());
            let amplitude = f64::from(AMPLITUDE);
            [amplitude * part.cos() + tones, amplitude * part.sin() + tones].map(to_f32)
        };
        (0..TURN_FRAMES).map(frame).collect()
    })
}

#[expect(clippy::cast_possible_truncation, reason = "a sample")]
fn to_f32(sample: f64) -> f32 {
    sample as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads what is heard when the frame at each moment is `source`, by linear interpolation.
    fn read(frames: usize, gain: f32, source: impl Fn(f64) -> f64) -> Vec<Reading> {
        let mut reader = Reader::new();
        let mut readings = Vec::new();
        for heard in 0..frames {
            let at = source(heard as f64).rem_euclid(TURN_FRAMES as f64);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a frame")]
            let (whole, part) = (at.floor() as usize, at.fract());
            let [here, next] = [whole, whole + 1].map(|frame| turn()[frame % TURN_FRAMES]);
            let side = |side: usize| gain * (here[side] + (next[side] - here[side]) * to_f32(part));
            reader.take(&[side(0)], &[side(1)], |reading| readings.push(reading));
        }
        readings
    }

    fn off(readings: &[Reading], expected: impl Fn(f64) -> f64) -> f64 {
        let turn = TURN_FRAMES as f64;
        let off = |reading: &Reading| {
            let place = reading.place.expect("it can be read");
            let off = (place - expected(reading.heard)).rem_euclid(turn);
            off.min(turn - off)
        };
        readings.iter().map(off).fold(0.0, f64::max)
    }

    #[test]
    fn a_delay_is_read_to_a_frame_or_two() {
        let source = |heard: f64| heard - 1234.5;
        let readings = read(2 * TURN_FRAMES, 1.0, source);
        assert_eq!(readings.len(), 2 * TURN_FRAMES / HOP_FRAMES - 1);
        let off = off(&readings, source);
        assert!(off < 2.0, "{off}");
    }

    #[test]
    fn neither_resampling_nor_loudness_matters() {
        let source = |heard: f64| heard * 1.005 + 300.0;
        let off = off(&read(TURN_FRAMES, 0.6, source), source);
        assert!(off < 3.0, "{off}");
    }

    #[test]
    fn silence_is_nowhere() {
        assert!(read(4800, 0.0, |heard| heard).iter().all(|reading| reading.place.is_none()));
    }
}
