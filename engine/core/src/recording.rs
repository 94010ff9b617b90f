//! What whoever records is handed of the dry input: blocks of frames with their numbers and moments.
//!
//! For one thread of the app's choice, never an audio thread. What surprises: what found no room on its way is not
//! told of; the numbers of what comes after it are further on.

use protocol::time::Instant;

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

impl Recording {
    pub(crate) const fn new(
        blocks: rtrb::Consumer<TapBlock>,
        samples: rtrb::Consumer<f32>,
        channels: usize,
    ) -> Self {
        Self { blocks, samples, channels }
    }

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
