//! When a frame passed a device whose callbacks come late by a little: the line of least squares through them.

use super::Mark;

/// When a frame passed, in ns; `None` where there are too few marks for a line.
pub(super) fn line_ns(marks: &[Mark], frame: f64) -> Option<f64> {
    let first = marks.first()?;
    // Parts of a period that a conversion asked for one after the other are one callback.
    let mut kept: Vec<(f64, f64)> = Vec::with_capacity(marks.len());
    for mark in marks {
        let frames = mark.frame.saturating_sub(first.frame) as f64;
        let ns = mark.at.as_ns() as f64 - first.at.as_ns() as f64;
        if kept.last().is_none_or(|(last, at)| (frames - last) * FRAME_NS < 4.0 * (ns - at)) {
            kept.push((frames, ns));
        }
    }
    if kept.len() < MARKS_MIN {
        return None;
    }
    let n = kept.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| kept.iter().map(of).sum::<f64>() / n;
    let (mean_frames, mean_ns) = (mean(|mark| mark.0), mean(|mark| mark.1));
    let spread = kept.iter().map(|(frames, _)| (frames - mean_frames).powi(2)).sum::<f64>();
    let together = kept.iter().map(|(frames, ns)| (frames - mean_frames) * (ns - mean_ns));
    let frame_ns = if 0.0 < spread { together.sum::<f64>() / spread } else { FRAME_NS };
    let frames = frame - first.frame as f64 - mean_frames;
    Some(first.at.as_ns() as f64 + mean_ns + frame_ns * frames)
}

const FRAME_NS: f64 = 1e9 / 48_000.0;

const MARKS_MIN: usize = 8;

#[cfg(test)]
mod tests {
    use protocol::time::Instant;

    use super::*;

    #[test]
    fn late_callbacks_average_out_and_parts_of_one_are_one() {
        let truth = |frame: u64| 5_000_000_000 + frame * 20_835;
        let marks: Vec<_> = (0..400_u64)
            .map(|n| {
                let (frame, late) = (128 * (n / 2) + 64 * (n % 2), n / 2 * 7919 % 200_000);
                // The second half of each callback is asked for at once.
                Mark { frame, at: Instant::from_ns(truth(128 * (n / 2)) + late + n % 2 * 3000) }
            })
            .collect();
        let at = line_ns(&marks, 12_800.0).expect("enough of them");
        let off_us = (at - truth(12_800) as f64) / 1e3;
        assert!((80.0..120.0).contains(&off_us), "late by the mean, 100 µs: {off_us}");
        assert_eq!(line_ns(&marks[..6], 0.0), None);
    }
}
