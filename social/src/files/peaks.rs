//! How sound looks: the lowest and the highest sample of each of a thousand pieces.
//!
//! How long it is, is known only at its end. So pieces begin short, and two become one whenever there
//! are too many: memory stays the same, and each sample is looked at once.

/// Gathers them, frame by frame.
#[derive(Debug)]
pub(super) struct Peaks {
    /// What was gathered, each of as many frames.
    pieces: Vec<(f32, f32)>,
    frames_each: u64,
    /// The piece that is being gathered.
    piece: (f32, f32),
    frames: u64,
}

impl Peaks {
    pub(super) const fn new() -> Self {
        Self { pieces: Vec::new(), frames_each: 1, piece: NOTHING, frames: 0 }
    }

    /// Adds a frame: one sample of each channel.
    pub(super) fn add(&mut self, frame: &[f32]) {
        for sample in frame.iter().filter(|sample| sample.is_finite()) {
            self.piece = (self.piece.0.min(*sample), self.piece.1.max(*sample));
        }
        self.frames += 1;
        if self.frames == self.frames_each {
            self.pieces.push(std::mem::replace(&mut self.piece, NOTHING));
            self.frames = 0;
            if self.pieces.len() == PIECES_MAX {
                let pairs = self.pieces.chunks(2).map(|pair| pair.iter().fold(NOTHING, widest));
                self.pieces = pairs.collect();
                self.frames_each *= 2;
            }
        }
    }

    /// The points: of each the lowest and the highest, one after the other, as signed bytes.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.frames != 0 {
            self.pieces.push(self.piece);
        }
        let count = self.pieces.len().min(POINTS);
        let all = self.pieces.len();
        (0..count)
            .flat_map(|point| {
                let pieces = &self.pieces[point * all / count..(point + 1) * all / count];
                let (low, high) = pieces.iter().fold(NOTHING, widest);
                [byte(low), byte(high)]
            })
            .collect()
    }
}

/// What was kept of points, as two lists.
pub(super) fn split(kept: &[u8]) -> (Vec<i8>, Vec<i8>) {
    let (points, _) = kept.as_chunks::<2>();
    points.iter().map(|[low, high]| (low.cast_signed(), high.cast_signed())).unzip()
}

fn widest(all: (f32, f32), one: &(f32, f32)) -> (f32, f32) {
    (all.0.min(one.0), all.1.max(one.1))
}

/// Full scale is 127, and what is louder is cut off.
fn byte(sample: f32) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "it is within -128 to 127")]
    let byte = (sample * 127.0).round().clamp(-128.0, 127.0) as i8;
    byte.cast_unsigned()
}

/// A piece in which there was no sample: silence.
const NOTHING: (f32, f32) = (0.0, 0.0);

/// Points of a recording that is long enough.
const POINTS: usize = 1000;

/// Eight times as many pieces as points, at most, so that a point is off by an eighth of its width.
const PIECES_MAX: usize = 8 * POINTS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_sound_has_a_point_for_each_frame() {
        let mut peaks = Peaks::new();
        for frame in [[0.5, -0.25], [0.0, 0.0], [2.0, f32::NAN], [-2.0, -1.0]] {
            peaks.add(&frame);
        }
        let (min, max) = split(&peaks.finish());
        assert_eq!((min, max), (vec![-32, 0, 0, -128], vec![64, 0, 127, 0]));
        assert_eq!(Peaks::new().finish(), Vec::<u8>::new());
    }

    #[test]
    fn a_long_sound_has_a_thousand_and_each_is_where_it_sounds() {
        for frames in [1000_u32, 7999, 8000, 8001, 1_234_567] {
            let mut peaks = Peaks::new();
            for frame in 0..frames {
                // Silent in its first half.
                peaks.add(&[if frame < frames / 2 { 0.0 } else { 1.0 }]);
            }
            assert!(peaks.pieces.len() < PIECES_MAX);
            let (min, max) = split(&peaks.finish());
            assert_eq!((min.len(), max.len()), (1000, 1000), "{frames}");
            assert!(min.iter().all(|low| *low == 0), "{frames}");
            assert!(max[..498].iter().all(|high| *high == 0), "{frames}");
            assert!(max[502..].iter().all(|high| *high == 127), "{frames}");
        }
    }
}
