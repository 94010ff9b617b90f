//! What the remotes share within one callback: a place to decode into, and how much costly work is left.
//!
//! What is left is counted over all remotes, because gaps come in company: one hiccup of this device's
//! network makes everybody's packets late in the same callback.

use crate::limits::PACKET_FRAMES_MAX;

/// Made once, and started anew by each callback.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// One decoded packet, interleaved.
    pub(crate) audio: Box<[f32]>,
    /// Splices that may still be searched: each may decode some packets ahead.
    pub(crate) splices_left: usize,
    /// Gaps that may still be predicted, of those that begin.
    pub(crate) predictions_left: usize,
}

impl Scratch {
    /// Off the audio thread.
    pub(crate) fn new() -> Self {
        Self {
            audio: vec![0.0; 2 * PACKET_FRAMES_MAX].into_boxed_slice(),
            splices_left: 0,
            predictions_left: 0,
        }
    }

    /// Begins a callback that plays so many frames.
    pub(crate) fn start(&mut self, frames: usize) {
        self.splices_left = SPLICES_PER_PERIOD;
        self.predictions_left = (frames / PREDICTION_FRAMES).max(1);
    }
}

/// Splices searched in one callback, over all remotes.
const SPLICES_PER_PERIOD: usize = 1;

/// A prediction is begun for every so many frames that a callback plays: at 20 us each, 6 % of its
/// time. A gap beyond that is filled by repetition, which costs a quarter.
const PREDICTION_FRAMES: usize = 16;
