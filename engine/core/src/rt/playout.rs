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
    open: Option<Block>,
    found: Option<Found>,
    /// Where blocks end: so many frames after multiples of their length.
    phase: i64,
}

/// The lags that packets needed within 50 ms.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// Device time at its end.
    end: i64,
    largest: i64,
    smallest: i64,
}

/// What the past says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// The lag that is wanted.
    pub(crate) target: i64,
    /// The least that any packet needed: the way without any jitter.
    pub(crate) quickest: i64,
}

/// How many disturbed moments are put up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tolerance {
    Usual,
    /// Three times as many: for whom less delay is worth it.
    High,
    /// An eighth.
    Low,
}

impl Tolerance {
    /// Blocks that are left out, of so many that usually are.
    const fn of(self, usual: usize) -> usize {
        match self {
            Self::Usual => usual,
            Self::High => 3 * usual,
            Self::Low => usual / 8,
        }
    }
}

impl DelayEstimator {
    /// The `number` of an estimator, of as many as there are, keeps them from all deciding in the same
    /// callback.
    pub(crate) fn new(number: usize) -> Self {
        Self {
            blocks: [Block { end: 0, largest: 0, smallest: 0 }; BLOCKS],
            count: 0,
            newest: 0,
            open: None,
            found: None,
            phase: i64::try_from(number).unwrap_or(0).wrapping_mul(PHASE_FRAMES) % BLOCK_FRAMES,
        }
    }

    /// Forgets everything: another stream, or the same one after a long silence.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.open = None;
        self.found = None;
    }

    /// Takes the lag that a packet needs, at a device time.
    pub(crate) fn observe(&mut self, device_time: i64, lag: i64) {
        let into_block = (device_time - self.phase).rem_euclid(BLOCK_FRAMES);
        let end = device_time - into_block + BLOCK_FRAMES;
        let open = self.open.get_or_insert(Block { end, largest: lag, smallest: lag });
        open.largest = open.largest.max(lag);
        open.smallest = open.smallest.min(lag);
        if self.count == 0 {
            // The very first block: what is known so far is all there is.
            self.found = Some(Found { target: open.largest, quickest: open.smallest });
        }
    }

    /// Closes the block whose time is over, and decides anew then; gives whether it did. `drift` is
    /// how much faster the publisher's clock runs (1e-6 is one ppm).
    pub(crate) fn advance(&mut self, device_time: i64, drift: f64, tolerance: Tolerance) -> bool {
        let Some(open) = self.open.filter(|open| open.end <= device_time) else { return false };
        self.open = None;
        self.newest = (self.newest + 1) % BLOCKS;
        self.blocks[self.newest] = Block { end: device_time, ..open };
        self.count = (self.count + 1).min(BLOCKS);
        self.found = self.decide(device_time, drift, tolerance);
        true
    }

    /// Moves everything that was seen: the same packets would have needed so much more.
    pub(crate) fn shift(&mut self, more: i64) {
        for block in self.blocks.iter_mut().chain(&mut self.open) {
            block.largest += more;
            block.smallest += more;
        }
        if let Some(found) = &mut self.found {
            found.target += more;
            found.quickest += more;
        }
    }

    /// What is wanted and why; `None` before the first packet.
    pub(crate) const fn found(&self) -> Option<Found> {
        self.found
    }

    /// The lag that is wanted; `None` before the first packet.
    pub(crate) fn target(&self) -> Option<i64> {
        self.found.map(|found| found.target)
    }

    /// The largest of what each window finds necessary. `drift` moves what was seen in the past to where
    /// it would be now.
    fn decide(&self, device_time: i64, drift: f64, tolerance: Tolerance) -> Option<Found> {
        let (mut needs, mut least_needs) = ([0; BLOCKS], [0; BLOCKS]);
        let mut quickest = i64::MAX;
        let both = needs.iter_mut().zip(&mut least_needs);
        for (age, (need, least_need)) in both.enumerate().take(self.count) {
            let block = self.blocks[(self.newest + BLOCKS - age) % BLOCKS];
            #[expect(clippy::cast_precision_loss, reason = "16 s of frames")]
            let drifted = (device_time - block.end) as f64 * drift;
            #[expect(clippy::cast_possible_truncation, reason = "a few frames")]
            let drifted = drifted.round() as i64;
            *need = block.largest - drifted;
            *least_need = block.smallest - drifted;
            quickest = quickest.min(*least_need);
        }
        let (needs, least_needs) = (needs.get(..self.count)?, least_needs.get(..self.count)?);
        let target = WINDOWS.iter().filter_map(|window| window.ask(needs, tolerance)).max()?;
        let target = target.max(foreseen(needs, least_needs).unwrap_or(target));
        let least = needs.iter().min()?;
        Some(Found { target: target.min(least + PLAYOUT_DELAY_FRAMES_MAX), quickest })
    }
}

/// What is needed soon where the way grows longer and longer: in the latest blocks the slowest packet
/// and the quickest both need more than in the one before, which jitter seldom does, and they will
/// in the time that it takes to react.
fn foreseen(needs: &[i64], least_needs: &[i64]) -> Option<i64> {
    let rise = |needs: &[i64]| {
        let latest = needs.get(..RISING_BLOCKS)?;
        let is_rising = latest.is_sorted_by(|later, earlier| earlier < later);
        is_rising.then_some(latest.first()? - latest.last()?)
    };
    let rise = rise(needs)?.min(rise(least_needs)?);
    (RISE_FRAMES_MIN <= rise).then_some(needs.first()? + rise)
}

/// How far back to look, and how many disturbed blocks to put up with there.
struct Window {
    blocks: usize,
    left_out: usize,
    /// Of disturbed blocks one after the other, no more than so many count.
    run_max: usize,
}

impl Window {
    /// The least lag that leaves no more blocks disturbed than is put up with; the needs of the latest
    /// block come first.
    fn ask(&self, needs: &[i64], tolerance: Tolerance) -> Option<i64> {
        let needs = &needs[..needs.len().min(self.blocks)];
        // A window that is not full yet leaves out fewer, in proportion: better too long a delay in the
        // first second than a pattern of packets that was not seen yet.
        let left_out = tolerance.of(self.left_out) * needs.len() / self.blocks;
        let (mut least, mut most) = (*needs.iter().min()?, *needs.iter().max()?);
        // Halved each time: at most as many turns as the number of the range has bits.
        while least < most {
            let middle = least.midpoint(most - 1);
            if self.disturbed(needs, middle) <= left_out {
                most = middle;
            } else {
                least = middle + 1;
            }
        }
        Some(most)
    }

    /// How many blocks count as disturbed at a lag.
    fn disturbed(&self, needs: &[i64], lag: i64) -> usize {
        let (mut count, mut run) = (0, 0);
        for need in needs {
            run = if lag < *need { run + 1 } else { 0 };
            count += usize::from(0 < run && run <= self.run_max);
        }
        count
    }
}

/// The long window sets the level. It counts how often it begins to be bad rather than how long it stays
/// so, because a delay that is too short for longer is made longer by the short windows, and what it
/// costs is the beginning. For the same reason it is they who decide how long a delay stays after that: to keep
/// it costs delay all the time, to let it go costs sound if the weather comes back.
const WINDOWS: [Window; 3] = [
    Window { blocks: 8, left_out: 2, run_max: usize::MAX },
    Window { blocks: 20, left_out: 2, run_max: usize::MAX },
    Window { blocks: BLOCKS, left_out: 16, run_max: 3 },
];

/// How many blocks must rise, and how far (1 ms), for a rise to be foreseen.
const RISING_BLOCKS: usize = 4;
const RISE_FRAMES_MIN: i64 = 48;

/// Blocks of the long window: 16 s.
const BLOCKS: usize = 320;

/// 50 ms: a disturbance within it is one event to the ear.
const BLOCK_FRAMES: i64 = 2400;

/// Between the ends of two estimators' blocks: as long as most periods, so that at most a few decide in
/// one callback.
const PHASE_FRAMES: i64 = 64;

/// The lag of a media time at a device time.
pub(crate) fn lag(device_time: i64, media_time: MediaTime) -> i64 {
    device_time.wrapping_sub(media_time.as_frames())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs 50 ms blocks whose packets need what `needs` says; gives the final target.
    fn target(blocks: usize, drift: f64, needs: impl Fn(usize) -> i64) -> Option<i64> {
        let mut estimator = DelayEstimator::new(0);
        for block in 0..blocks {
            let start = i64::try_from(block).expect("small") * BLOCK_FRAMES;
            for packet in 0..10 {
                let device_time = start + packet * 240;
                estimator.advance(device_time, drift, Tolerance::Usual);
                estimator.observe(device_time, needs(block));
            }
        }
        let end = i64::try_from(blocks).expect("small") * BLOCK_FRAMES;
        estimator.advance(end, drift, Tolerance::Usual);
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
    fn weather_that_turns_good_is_believed_after_a_second() {
        let good_since =
            |blocks: usize| target(800, 0.0, move |b| if b < 800 - blocks { 700 } else { 64 });
        assert_eq!(good_since(17), Some(700));
        assert_eq!(good_since(18), Some(64));
    }

    #[test]
    fn gusts_are_remembered_for_as_long_as_the_long_window_is() {
        // Three bad blocks every second.
        let calm_since = |blocks: usize| {
            let gust = move |block| block < 800 - blocks && block % 20 < 3;
            target(800, 0.0, move |block| if gust(block) { 700 } else { 64 })
        };
        assert_eq!(calm_since(200), Some(700));
        assert_eq!(calm_since(300), Some(64));
    }

    #[test]
    fn a_way_that_grows_longer_is_foreseen() {
        let growing = |block: usize| if block < 390 { 64 } else { 64 + 50 * (block - 389) };
        let needs = move |block| i64::try_from(growing(block)).expect("small");
        let found = target(400, 0.0, needs).expect("packets came");
        assert_eq!(found, needs(399) + needs(399) - needs(396));
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
