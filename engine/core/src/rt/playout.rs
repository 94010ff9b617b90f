//! How far playing must stay behind the packets: the playout delay that is wanted.
//!
//! Everything is counted in frames of this device, as a **lag**: device time minus media time.
//! A packet *needs* the lag at which the playhead reaches its first frame no earlier than at the
//! callback that first saw the packet. That covers the network's jitter, the scheduling of both
//! machines and the callback's own period in one number, and in good weather it is met exactly:
//! no packet of safety is added, only what was seen to be needed.
//!
//! The needs of 50 ms make one block, of which the largest counts; a target leaves out the few
//! largest blocks of a window. What surprises: it counts disturbed moments, not late packets. A
//! stall that makes fifty packets late is heard once, so it weighs no more than one late packet.

use protocol::time::MediaTime;

use crate::limits::PLAYOUT_DELAY_FRAMES_MAX;

/// Watches the needs of one remote's packets.
#[derive(Debug)]
pub(crate) struct DelayEstimator {
    /// Ring of closed blocks.
    blocks: [Block; BLOCKS],
    count: usize,
    newest: usize,
    open: Option<OpenBlock>,
    target: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    /// Device time at its end.
    at: i64,
    /// The largest lag that one of its packets needed.
    largest: i64,
}

#[derive(Debug, Clone, Copy)]
struct OpenBlock {
    end: i64,
    largest: i64,
}

impl DelayEstimator {
    pub(crate) const fn new() -> Self {
        Self {
            blocks: [Block { at: 0, largest: 0 }; BLOCKS],
            count: 0,
            newest: 0,
            open: None,
            target: None,
        }
    }

    /// Forgets everything: another stream, or the same one after a long silence.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.open = None;
        self.target = None;
    }

    /// Takes the lag that a packet needs, at a device time.
    pub(crate) fn observe(&mut self, device_time: i64, lag: i64) {
        let fresh = OpenBlock { end: device_time + BLOCK_FRAMES, largest: lag };
        let open = self.open.get_or_insert(fresh);
        open.largest = open.largest.max(lag);
        if self.count == 0 {
            // The very first block: what is known so far is all there is.
            self.target = Some(open.largest);
        }
    }

    /// Closes the block whose time is over, and decides anew then.
    pub(crate) fn advance(&mut self, device_time: i64, drift: f64) {
        let Some(open) = self.open.filter(|open| open.end <= device_time) else { return };
        self.open = None;
        self.newest = (self.newest + 1) % BLOCKS;
        self.blocks[self.newest] = Block { at: device_time, largest: open.largest };
        self.count = (self.count + 1).min(BLOCKS);
        self.target = self.decide(device_time, drift);
    }

    /// Moves everything that was seen: the same packets would have needed so much more.
    pub(crate) fn shift(&mut self, more: i64) {
        self.blocks.iter_mut().for_each(|block| block.largest += more);
        if let Some(open) = &mut self.open {
            open.largest += more;
        }
        self.target = self.target.map(|target| target + more);
    }

    /// The lag that is wanted; `None` before the first packet.
    pub(crate) const fn target(&self) -> Option<i64> {
        self.target
    }

    /// The largest of what each window finds necessary. `drift` is how much faster the publisher's
    /// clock runs (1e-6 is one ppm): it moves what was seen in the past to where it would be now.
    fn decide(&self, device_time: i64, drift: f64) -> Option<i64> {
        let mut target: Option<i64> = None;
        let mut smallest = i64::MAX;
        let mut worst = Worst::new();
        let mut windows = WINDOWS.iter().peekable();
        for age in 0..self.count {
            let block = self.blocks[(self.newest + BLOCKS - age) % BLOCKS];
            #[expect(clippy::cast_precision_loss, reason = "16 s of frames")]
            let drifted = (device_time - block.at) as f64 * drift;
            #[expect(clippy::cast_possible_truncation, reason = "a few frames")]
            let lag = block.largest - drifted.round() as i64;
            worst.add(lag);
            smallest = smallest.min(lag);
            let last = age + 1 == self.count;
            while let Some(window) = windows.next_if(|window| last || age + 1 == window.blocks) {
                // A window that is not full yet leaves out fewer, in proportion: better too long a
                // delay in the first second than a pattern of packets that was not seen yet.
                let left_out = window.left_out * (age + 1).min(window.blocks) / window.blocks;
                target = target.max(worst.after(left_out));
            }
        }
        Some(target?.min(smallest + PLAYOUT_DELAY_FRAMES_MAX))
    }
}

/// The largest few numbers of many, largest first.
struct Worst {
    largest: [i64; LEFT_OUT_MAX + 1],
    count: usize,
}

impl Worst {
    const fn new() -> Self {
        Self { largest: [i64::MIN; LEFT_OUT_MAX + 1], count: 0 }
    }

    fn add(&mut self, number: i64) {
        if number <= self.largest[LEFT_OUT_MAX] {
            return;
        }
        let index = self.largest.partition_point(|larger| number <= *larger);
        self.largest[index..].rotate_right(1);
        self.largest[index] = number;
        self.count = (self.count + 1).min(self.largest.len());
    }

    /// The largest once so many are left out.
    fn after(&self, left_out: usize) -> Option<i64> {
        self.largest[..self.count].get(left_out).copied()
    }
}

/// How far back to look, and how many disturbed blocks to put up with there.
struct Window {
    blocks: usize,
    left_out: usize,
}

/// The long window sets the level: sixteen disturbed moments in 16 s. In `examples/weather.rs`
/// concealment then leaves 0 to 8 a minute of them audible under the lighter weather, at a playout
/// delay of 3 standard deviations; with eight, half as many, a millisecond later. The short
/// windows are for weather that changes.
const WINDOWS: [Window; 3] = [
    Window { blocks: 8, left_out: 2 },
    Window { blocks: 40, left_out: 4 },
    Window { blocks: BLOCKS, left_out: LEFT_OUT_MAX },
];

/// Blocks of the long window: 16 s.
const BLOCKS: usize = 320;

const LEFT_OUT_MAX: usize = 16;

/// 50 ms: a disturbance within it is one event to the ear.
const BLOCK_FRAMES: i64 = 2400;

/// The lag of a media time at a device time.
pub(crate) fn lag(device_time: i64, media_time: MediaTime) -> i64 {
    device_time.wrapping_sub(media_time.as_frames())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs 50 ms blocks whose packets need what `needs` says; gives the final target.
    fn target(blocks: usize, drift: f64, needs: impl Fn(usize) -> i64) -> Option<i64> {
        let mut estimator = DelayEstimator::new();
        for block in 0..blocks {
            let start = i64::try_from(block).expect("small") * BLOCK_FRAMES;
            for packet in 0..10 {
                let device_time = start + packet * 240;
                estimator.advance(device_time, drift);
                estimator.observe(device_time, needs(block));
            }
        }
        let end = i64::try_from(blocks).expect("small") * BLOCK_FRAMES;
        estimator.advance(end, drift);
        estimator.target()
    }

    #[test]
    fn steady_packets_are_given_what_they_need_and_no_frame_more() {
        assert_eq!(target(1, 0.0, |_| 64), Some(64));
        assert_eq!(target(1000, 0.0, |_| 64), Some(64));
    }

    #[test]
    fn single_stalls_are_put_up_with() {
        assert_eq!(target(400, 0.0, |block| if block % 80 == 1 { 5000 } else { 64 }), Some(64));
    }

    #[test]
    fn frequent_lateness_raises_the_target() {
        assert_eq!(target(400, 0.0, |block| if block % 16 == 0 { 900 } else { 64 }), Some(900));
    }

    #[test]
    fn weather_that_turns_bad_is_answered_within_300_ms() {
        let bad_since =
            |blocks: usize| target(400, 0.0, move |b| if b < 400 - blocks { 64 } else { 700 });
        assert_eq!(bad_since(2), Some(64));
        assert_eq!(bad_since(3), Some(700));
    }

    #[test]
    fn weather_that_turns_good_is_believed_after_the_long_window() {
        let good_since =
            |blocks: usize| target(800, 0.0, move |b| if b < 800 - blocks { 700 } else { 64 });
        assert_eq!(good_since(303), Some(700));
        assert_eq!(good_since(304), Some(64));
    }

    #[test]
    fn the_past_is_moved_by_what_the_clocks_have_drifted_since() {
        // A publisher 100 ppm fast needs a quarter of a frame less with every block.
        let needs = |block: usize| 1000 - i64::try_from(block * 24 / 100).expect("small");
        let last = needs(799);
        let found = target(800, 100e-6, needs).expect("packets came");
        assert!((last - 1..=last + 1).contains(&found), "{found} {last}");
    }

    #[test]
    fn a_delay_beyond_the_limit_is_not_wanted() {
        let needs = |block: usize| if block.is_multiple_of(2) { 64 } else { 100_000 };
        assert_eq!(target(400, 0.0, needs), Some(64 + PLAYOUT_DELAY_FRAMES_MAX));
    }
}
