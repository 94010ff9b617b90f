//! Hands the dry input to whoever records it: before gain, silent where it is muted.
//!
//! What surprises: a block for which there is no room is dropped whole. Frames are numbered, so whoever records
//! sees what is missing, and the callback never waits.

use protocol::time::Instant;

use crate::limits::TAP_BLOCKS;
use crate::rt::ramp::{Ramp, clean};

/// The callback's end.
#[derive(Debug)]
pub(crate) struct Tap {
    blocks: rtrb::Producer<TapBlock>,
    samples: rtrb::Producer<f32>,
}

/// What of a recording belongs together: a callback's frames, or what was left of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TapBlock {
    /// The number of its first frame. Numbers that are left out are frames that are missing.
    pub first_frame: i64,
    /// How many there are.
    pub frames: usize,
    /// When the first was at the microphone, by the line of all callbacks; `None` where the device does not say.
    pub captured: Option<Instant>,
}

/// The recorder's end, for one thread.
#[derive(Debug)]
pub struct Recording {
    blocks: rtrb::Consumer<TapBlock>,
    samples: rtrb::Consumer<f32>,
    channels: usize,
}

/// Both ends, with room for [`TAP_BLOCKS`] callbacks and so many frames.
pub(crate) fn tap(channels: usize, frames: usize) -> (Tap, Recording) {
    let (to_blocks, blocks) = rtrb::RingBuffer::new(TAP_BLOCKS);
    let (to_samples, samples) = rtrb::RingBuffer::new(channels * frames);
    (Tap { blocks: to_blocks, samples: to_samples }, Recording { blocks, samples, channels })
}

impl Tap {
    /// Passes a callback's input on; `mute` is where the input's mute begins in it.
    pub(super) fn push(
        &mut self,
        mut block: TapBlock,
        channels: usize,
        sides: [&[f32]; 2],
        mut mute: Ramp,
    ) {
        let [left, right] = sides;
        block.frames = left.len().min(right.len());
        if self.blocks.is_full() || block.frames == 0 {
            return;
        }
        let Ok(chunk) = self.samples.write_chunk_uninit(channels * block.frames) else { return };
        let frames = left.iter().zip(right).map(move |(left, right)| {
            let factor = mute.next();
            [factor * left, factor * right]
        });
        if channels == 1 {
            chunk.fill_from_iter(frames.map(|[left, right]| clean(0.5 * (left + right))));
        } else {
            chunk.fill_from_iter(frames.flatten().map(clean));
        }
        // There is room, as was seen.
        let _ = self.blocks.push(block);
    }
}

impl Recording {
    /// Samples of a frame: 1 or 2.
    #[must_use]
    pub const fn channels(&self) -> usize {
        self.channels
    }

    /// The next block, its samples appended to `out`, interleaved; `None` when there is none yet.
    pub fn next_block(&mut self, out: &mut Vec<f32>) -> Option<TapBlock> {
        let block = self.blocks.pop().ok()?;
        let chunk = self.samples.read_chunk(self.channels * block.frames).ok()?;
        let (first, second) = chunk.as_slices();
        out.extend_from_slice(first);
        out.extend_from_slice(second);
        chunk.commit_all();
        Some(block)
    }

    /// Whether the callback has let go of its end and nothing is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.blocks.is_empty() && self.blocks.is_abandoned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(first_frame: i64) -> TapBlock {
        TapBlock { first_frame, frames: 0, captured: None }
    }

    #[test]
    fn what_finds_no_room_is_missing_and_nothing_else_is() {
        let (mut tap, mut recording) = tap(2, 100);
        let side: Vec<f32> = (1..=40_u8).map(f32::from).collect();
        for round in 0..3 {
            tap.push(block(40 * round), 2, [&side, &side], Ramp::at(1.0));
        }
        let mut heard = Vec::new();
        let blocks = [0; 3].map(|_| recording.next_block(&mut heard));
        let told = |first_frame| Some(TapBlock { frames: 40, ..block(first_frame) });
        assert_eq!(blocks, [told(0), told(40), None]);
        assert_eq!((heard.len(), &heard[..4]), (160, [1.0, 1.0, 2.0, 2.0].as_slice()));
        tap.push(block(120), 2, [&side, &side], Ramp::at(0.0));
        assert!(!recording.is_over());
        drop(tap);
        heard.clear();
        assert_eq!(recording.next_block(&mut heard), told(120));
        assert!(heard.iter().all(|sample| *sample == 0.0), "muted");
        assert!(recording.is_over());
    }
}
