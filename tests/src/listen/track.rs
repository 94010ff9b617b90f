//! How late each moment was heard, when that changes on the way.
//!
//! A playout follows the network by playing a little faster or slower, so that its delay glides;
//! or it repeats a stretch or leaves one out, so that its delay jumps. What surprises: a note
//! sounds the same one period later, so a short piece alone cannot tell its delay. Each piece of
//! 40 ms says how well it fits at every delay, and the track is the cheapest way through all of
//! them: gliding costs next to nothing, jumping must pay off over several pieces. It is found in
//! whole frames, then between them, then smoothed.

use super::correlate::{Segment, correlations, signed};
use super::smooth::{Reading, smooth};
use super::warp::likeness;
use super::{SEGMENT_FRAMES, SILENCE_DB, level_db};
use crate::sound::RATE_HZ;

/// The delay of every moment of a heard sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// At least one, in order.
    stretches: Vec<Stretch>,
}

/// A part of the heard sound in which the delay does not jump.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stretch {
    /// Its first frame, in the heard sound.
    pub(super) from_frame: usize,
    /// The frame of the first of `delays`; the others follow every [`HOP_FRAMES`].
    first_frame: f64,
    /// At least one, in frames.
    delays: Vec<f64>,
}

/// Frames from one piece to the next, and of a piece: one and a half periods of a bass's lowest
/// string, in which the steepest glide moves the sound by ten frames.
pub(super) const HOP_FRAMES: usize = 960;
const PIECE_FRAMES: usize = 1920;

impl Track {
    /// By how many frames what is heard at a frame comes later than it was played.
    #[must_use]
    pub fn delay_frames(&self, heard_frame: usize) -> f64 {
        let after = self.stretches.partition_point(|stretch| stretch.from_frame <= heard_frame);
        self.stretches[after.saturating_sub(1)].delay_frames(heard_frame)
    }

    /// The steepest glide: the change of the delay within a fifth of a second, jumps apart, in
    /// millionths. A playout that turns up by 0.5 % for so long has 5,000.
    #[must_use]
    pub fn glide_ppm_max(&self) -> f64 {
        const HOPS: usize = 10;
        let steepest = |stretch: &Stretch| {
            let pairs = stretch.delays.iter().zip(stretch.delays.iter().skip(HOPS));
            pairs.map(|(a, b)| (b - a).abs() / (HOPS * HOP_FRAMES) as f64).fold(0.0, f64::max)
        };
        1e6 * self.stretches.iter().map(steepest).fold(0.0, f64::max)
    }

    pub(super) fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// Reads the delay once more against the sound as the track lays it, where nothing glides any
    /// more: a piece in which the sound slides by ten frames is a blurred reading.
    pub(super) fn sharpen(&mut self, laid: &[f32], heard: &[f32]) {
        for i in 0..self.stretches.len() {
            let end = self.stretches.get(i + 1).map_or(heard.len(), |next| next.from_frame);
            let stretch = &self.stretches[i];
            let readings = stretch.delays.iter().enumerate().map(|(n, delay)| {
                let at = stretch.middles()[0] + n * HOP_FRAMES - PIECE_FRAMES / 2;
                let inside = stretch.from_frame <= at && at + PIECE_FRAMES <= end;
                let off = if inside { residue(laid, heard, at) } else { None };
                let off = off.unwrap_or(Reading { delay: 0.0, weight: 0.0 });
                Reading { delay: delay + off.delay, ..off }
            });
            let readings: Vec<Reading> = readings.collect();
            // Pieces that reach beyond a jump say nothing, and nothing may come of that.
            if readings.iter().any(|reading| 0.0 < reading.weight) {
                self.stretches[i].delays = smooth(&readings);
            }
        }
    }

    pub(super) fn stretches_mut(&mut self) -> &mut [Stretch] {
        &mut self.stretches
    }

    /// Where the delay jumps: the first frames after it, in the heard sound.
    pub(super) fn jumps(&self) -> impl Iterator<Item = usize> {
        self.stretches.iter().skip(1).map(|stretch| stretch.from_frame)
    }

    /// A delay that never changes.
    fn constant(delay: i64) -> Self {
        let delays = vec![to_f64(delay)];
        Self { stretches: vec![Stretch { from_frame: 0, first_frame: 0.0, delays }] }
    }
}

impl Stretch {
    /// Outside of its pieces the last slope goes on for one of them.
    pub(super) fn delay_frames(&self, heard_frame: usize) -> f64 {
        let place = (heard_frame as f64 - self.first_frame) / HOP_FRAMES as f64;
        let place = place.clamp(-1.0, self.delays.len() as f64);
        #[expect(clippy::cast_possible_truncation, reason = "at most the number of delays")]
        #[expect(clippy::cast_sign_loss, reason = "not below zero")]
        let before = (place.max(0.0) as usize).min(self.delays.len().saturating_sub(2));
        let [a, b] = [before, before + 1].map(|i| self.delays[i.min(self.delays.len() - 1)]);
        a + (b - a) * (place - before as f64)
    }

    /// The frames of its first and of its last piece's middle.
    pub(super) fn middles(&self) -> [usize; 2] {
        #[expect(clippy::cast_possible_truncation, reason = "a frame of a recording")]
        #[expect(clippy::cast_sign_loss, reason = "not below zero")]
        let first = self.first_frame as usize;
        [first, first + (self.delays.len() - 1) * HOP_FRAMES]
    }
}

/// Follows the delay, which `segments` (or where there is none, `lag`) say roughly.
pub(super) fn follow(played: &[f32], heard: &[f32], segments: &[Segment], lag: i64) -> Track {
    let mut pieces = Vec::new();
    let mut bands = Bands::new(segments, lag);
    for at_frame in (0..heard.len().saturating_sub(PIECE_FRAMES)).step_by(HOP_FRAMES) {
        let piece = &heard[at_frame..at_frame + PIECE_FRAMES];
        let (least, most) = bands.around(at_frame + PIECE_FRAMES / 2);
        pieces.push(Piece::new(played, piece, at_frame, least, most));
    }
    if pieces.is_empty() {
        return Track::constant(lag);
    }
    let way = cheapest_way(&pieces);
    let mut stretches = Vec::new();
    let mut start = 0;
    for end in 1..=way.len() {
        if end < way.len() && (way[end] - way[end - 1]).abs() <= SLIDE_FRAMES_MAX {
            continue;
        }
        let readings: Vec<Reading> =
            pieces[start..end].iter().zip(&way[start..end]).map(|(p, d)| p.read(*d)).collect();
        stretches.push(Stretch {
            // Between two middles for the time being: see `warp::place_jumps`.
            from_frame: if start == 0 { 0 } else { pieces[start].at_frame + HOP_FRAMES / 2 },
            first_frame: (pieces[start].at_frame + PIECE_FRAMES / 2) as f64,
            delays: smooth(&readings),
        });
        start = end;
    }
    Track { stretches }
}

/// How well a piece of the heard sound fits at every delay of a band.
struct Piece {
    at_frame: usize,
    least_delay: i64,
    /// Normalised correlation at the least delay and those that follow.
    fits: Vec<f64>,
    /// What it has to say, 0 to 1: nothing in silence.
    weight: f64,
}

impl Piece {
    fn new(played: &[f32], piece: &[f32], at_frame: usize, least: i64, most: i64) -> Self {
        let weight = ((level_db(piece) - SILENCE_DB) / 20.0).clamp(0.0, 1.0);
        // Looked for in what was played, so a late piece lies early.
        let at = signed(at_frame);
        let lags = at - most..at - least + 1;
        let found = if weight == 0.0 { None } else { correlations(piece, played, lags) };
        let weight = if found.is_some() { weight } else { 0.0 };
        let delays = usize::try_from(most - least + 1).unwrap_or(0);
        let mut fits = found.unwrap_or_else(|| vec![0.0; delays]);
        fits.reverse();
        Self { at_frame, least_delay: least, fits, weight }
    }

    /// The delay to a fraction of a frame by the parabola around the best fit, and how sharp it is.
    fn read(&self, delay: i64) -> Reading {
        let fit = |i: usize| self.fits.get(i).copied().unwrap_or(0.0);
        let start = usize::try_from(delay - self.least_delay).unwrap_or(0);
        let mut i = start;
        // The way through all pieces need not touch each one's top.
        while i < start + SLIDE_FRAMES && fit(i) < fit(i + 1) {
            i += 1;
        }
        while i + SLIDE_FRAMES > start && 0 < i && fit(i) < fit(i - 1) {
            i -= 1;
        }
        let sharpness = 2.0 * fit(i) - fit(i.saturating_sub(1)) - fit(i + 1);
        if i == 0 || self.fits.len() <= i + 1 || sharpness <= 0.0 {
            return Reading { delay: to_f64(delay), weight: 0.0 };
        }
        let fraction = 0.5 * (fit(i + 1) - fit(i - 1)) / sharpness;
        let delay = to_f64(self.least_delay + signed(i)) + fraction.clamp(-0.5, 0.5);
        // A piece that fits badly has something else in it: a jump, a hole.
        Reading { delay, weight: self.weight * sharpness * fit(i).max(0.0).powi(4) }
    }
}

/// By how many frames a piece comes later than it was laid.
fn residue(laid: &[f32], heard: &[f32], at_frame: usize) -> Option<Reading> {
    const REACH: usize = 8;
    let piece = heard.get(at_frame..at_frame + PIECE_FRAMES)?;
    let weight = ((level_db(piece) - SILENCE_DB) / 20.0).clamp(0.0, 1.0);
    if weight == 0.0 {
        return None;
    }
    let fit = |later: usize| {
        let from = (at_frame + REACH).checked_sub(later)?;
        Some(likeness(laid.get(from..from + PIECE_FRAMES)?, piece))
    };
    let fits = (0..=2 * REACH).map(fit).collect::<Option<Vec<f64>>>()?;
    let piece = Piece { at_frame, least_delay: -signed(REACH), fits, weight };
    Some(piece.read(0))
}

/// In which delays to look: around those of the segments within a second, since some in a row may
/// have been taken in by a note that comes again.
struct Bands<'a> {
    /// Where each segment was heard, and its delay.
    segments: &'a [Segment],
    lag: i64,
    /// The first segment that is not over long before the last place asked for.
    first: usize,
}

impl<'a> Bands<'a> {
    fn new(segments: &'a [Segment], lag: i64) -> Self {
        Self { segments, lag, first: 0 }
    }

    /// The least and the greatest delay for a frame of the heard sound; frames rise from call to
    /// call.
    fn around(&mut self, frame: usize) -> (i64, i64) {
        /// 10 ms either way: more than the middle of a glide lies off, and a short period of a note.
        const MARGIN_FRAMES: i64 = 480;
        let distance = |segment: &Segment| {
            signed(segment.at_frame + SEGMENT_FRAMES / 2) + segment.delay_frames - signed(frame)
        };
        let near = signed(RATE_HZ);
        while self.first + 1 < self.segments.len()
            && distance(&self.segments[self.first]) < -near
            && distance(&self.segments[self.first + 1]) <= near
        {
            self.first += 1;
        }
        let nearby = self.segments[self.first.min(self.segments.len())..].iter();
        let mut nearby = nearby.enumerate().take_while(|(i, s)| *i == 0 || distance(s) <= near);
        let (least, most) = match nearby.next() {
            None => (self.lag, self.lag),
            Some((_, first)) => {
                let delays = (first.delay_frames, first.delay_frames);
                nearby.fold(delays, |(least, most), (_, segment)| {
                    (least.min(segment.delay_frames), most.max(segment.delay_frames))
                })
            }
        };
        (least - MARGIN_FRAMES, most + MARGIN_FRAMES)
    }
}

/// What a piece's delay may differ from the one before's without being a jump: 0.8 % of a hop.
const SLIDE_FRAMES: usize = 8;
const SLIDE_FRAMES_MAX: i64 = 8;
/// What a frame of gliding costs, in correlations of one piece.
const SLIDE_COST: f64 = 1e-3;
/// What a jump costs: the hundred milliseconds between two of them must fit better by a sixth.
const JUMP_COST: f64 = 0.8;

/// The delay of each piece for which all of them together fit best.
fn cheapest_way(pieces: &[Piece]) -> Vec<i64> {
    // For each piece and delay, from which delay of the piece before.
    let mut from: Vec<Vec<u32>> = Vec::with_capacity(pieces.len());
    let mut totals: Vec<f64> = pieces[0].fits.iter().map(|fit| fit * pieces[0].weight).collect();
    for pair in pieces.windows(2) {
        let [before, piece] = [&pair[0], &pair[1]];
        let best = (0..totals.len()).max_by(|a, b| totals[*a].total_cmp(&totals[*b])).unwrap_or(0);
        let jump = totals[best] - JUMP_COST;
        let mut origins = Vec::with_capacity(piece.fits.len());
        let shift = piece.least_delay - before.least_delay;
        let next = piece.fits.iter().enumerate().map(|(i, fit)| {
            let same = signed(i) + shift;
            let (mut total, mut origin) = (jump, best);
            let lowest = usize::try_from(same - SLIDE_FRAMES_MAX).unwrap_or(0);
            let beyond = usize::try_from(same + SLIDE_FRAMES_MAX + 1).unwrap_or(0);
            for (j, reached) in
                totals.iter().enumerate().take(beyond).skip(lowest.min(totals.len()))
            {
                let slid = reached - SLIDE_COST * to_f64((signed(j) - same).abs());
                if total < slid {
                    (total, origin) = (slid, j);
                }
            }
            origins.push(u32::try_from(origin).unwrap_or(0));
            total + piece.weight * fit
        });
        totals = next.collect();
        from.push(origins);
    }
    let mut i = (0..totals.len()).max_by(|a, b| totals[*a].total_cmp(&totals[*b])).unwrap_or(0);
    let mut way = vec![0; pieces.len()];
    for (at, piece) in pieces.iter().enumerate().rev() {
        way[at] = piece.least_delay + signed(i);
        if 0 < at {
            i = from[at - 1][i] as usize;
        }
    }
    way
}

fn to_f64(frames: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a delay is short")]
    let frames = frames as f64;
    frames
}
