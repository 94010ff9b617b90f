//! Hands the dry input to whoever records it: before gain, silent where it is muted.
//!
//! What surprises: a block for which there is no room is dropped whole. Frames are numbered, so whoever records
//! sees what is missing, and the callback never waits.

use crate::limits::TAP_BLOCKS;
use crate::recording::{Recording, TapBlock};
use crate::rt::ramp::{Ramp, clean};

/// The callback's end.
#[derive(Debug)]
pub(crate) struct Tap {
    blocks: rtrb::Producer<TapBlock>,
    samples: rtrb::Producer<f32>,
}

/// Both ends, with room for [`TAP_BLOCKS`] callbacks and so many frames.
pub(crate) fn tap(channels: usize, frames: usize) -> (Tap, Recording) {
    let (to_blocks, blocks) = rtrb::RingBuffer::new(TAP_BLOCKS);
    let (to_samples, samples) = rtrb::RingBuffer::new(channels * frames);
    (Tap { blocks: to_blocks, samples: to_samples }, Recording::new(blocks, samples, channels))
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
