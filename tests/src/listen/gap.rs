//! Gaps: runs in which nothing was heard though the source was sounding.

use super::{SILENCE_DB, level_db};

/// Nothing where something should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// First frame, in the heard sound.
    pub at_frame: usize,
    /// How long.
    pub frames: usize,
}

/// 1 ms: shorter than a codec frame, longer than the zero crossing of a low note.
const WINDOW_FRAMES: usize = 48;
/// How far below the source's level the heard one lies in a gap. A codec's noise fills holes in
/// the spectrum, concealment fades; neither takes 30 dB within a millisecond.
const DROP_DB: f64 = 30.0;

/// Finds gaps; both sounds lined up and equally long.
pub(super) fn gaps(played_as_heard: &[f32], heard: &[f32]) -> Vec<Gap> {
    let mut out: Vec<Gap> = Vec::new();
    let windows = heard.len() / WINDOW_FRAMES;
    for i in 1..windows.saturating_sub(1) {
        let at = i * WINDOW_FRAMES;
        // The source must sound before, in and after the window: the end of a note, shifted by
        // some frames, is no gap.
        let around = [at - WINDOW_FRAMES, at, at + WINDOW_FRAMES];
        let quietest = around
            .map(|at| level_db(&played_as_heard[at..at + WINDOW_FRAMES]))
            .into_iter()
            .fold(0.0, f64::min);
        let here = level_db(&heard[at..at + WINDOW_FRAMES]);
        if quietest < SILENCE_DB || quietest - DROP_DB < here {
            continue;
        }
        match out.last_mut() {
            Some(gap) if gap.at_frame + gap.frames == at => gap.frames += WINDOW_FRAMES,
            _ => out.push(Gap { at_frame: at, frames: WINDOW_FRAMES }),
        }
    }
    out
}
