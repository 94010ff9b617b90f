//! SonoBus 1.7: the automatic jitter buffer ("Auto Full") on the receiving half of AOO.
//!
//! Source: the program's `SonobusPluginProcessor.cpp` and `deps/aoo/lib/src/sink.cpp` (35f1062d,
//! 2023-12-11). Blocks wait in a queue whose length is the delay: whenever it runs dry it is filled
//! with silence up to one block, and the next packet goes behind that. Missing blocks are asked for
//! again. The length grows by a block when drops come within two seconds of each other, and shrinks by
//! one after ten quiet seconds.
//!
//! Read in its favor: running dry counts as a drop even if no block was thrown away, without which
//! lateness alone would never lengthen the queue; and a block that is asked for again comes exactly one
//! round trip later, and is never lost. Its drift compensation is off, as it is by default.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::play::{Buffer, Played};
use crate::trace::PERIOD;

pub(crate) struct SonoBus {
    /// From asking for a block until it comes.
    round_trip: f64,
    /// Wanted delay in ms, which decides how many blocks the queue has room for.
    buffer: f64,
    queue: VecDeque<Option<usize>>,
    room: usize,
    /// Blocks that wait for room, or for the ones before them.
    blocks: BTreeSet<usize>,
    /// The block that goes into the queue next; `None` until one has come.
    next: Option<usize>,
    newest: usize,
    /// Whether the next packet finds the queue to be filled anew.
    refill: bool,
    /// How often each missing block was asked for, and when last.
    asked: BTreeMap<usize, (usize, f64)>,
    answers: Vec<(f64, usize)>,
    dropped_at: Option<f64>,
    shrunk_at: f64,
    baseline: f64,
    pinged_at: f64,
}

impl SonoBus {
    pub(crate) fn new(round_trip: f64) -> Self {
        let mut buffer = Self {
            round_trip,
            buffer: START,
            queue: VecDeque::new(),
            room: 1,
            blocks: BTreeSet::new(),
            next: None,
            newest: 0,
            refill: true,
            asked: BTreeMap::new(),
            answers: Vec::new(),
            dropped_at: None,
            shrunk_at: 0.0,
            baseline: 0.0,
            pinged_at: 0.0,
        };
        buffer.reset();
        buffer
    }

    /// Makes the queue anew, as every change of its length does.
    fn reset(&mut self) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "blocks")]
        let room = (self.buffer.max(PERIOD) / PERIOD - 1e-9).ceil() as usize;
        self.room = room.max(1);
        self.queue = (0..self.room).map(|_| None).collect();
        self.blocks.clear();
        self.asked.clear();
        self.next = None;
        self.newest = 0;
        self.refill = true;
    }

    /// Fills the queue with silence up to one block.
    fn fill(&mut self) {
        while self.queue.len() + 1 < self.room {
            self.queue.push_back(None);
        }
    }

    fn dropped(&mut self, now: f64) {
        let before = self.dropped_at.map(|at| (now - at) / 1000.0);
        if before.is_some_and(|before| before <= ONE_EVENT) {
            return;
        }
        self.dropped_at = Some(now);
        if before.is_some_and(|before| DROPS_PER_SECOND < 1.0 / before) {
            self.buffer += PERIOD;
            if now - self.shrunk_at <= TOO_SHORT && 0.0 < self.shrunk_at {
                self.baseline = self.buffer;
            }
            self.reset();
        }
    }

    /// Once a second.
    fn ping(&mut self, now: f64) {
        let quiet = now - self.shrunk_at.max(self.dropped_at.unwrap_or(0.0));
        let shorter = self.buffer - PERIOD;
        if QUIET < quiet && self.baseline <= shorter && START <= shorter {
            self.buffer = shorter;
            self.shrunk_at = now;
            self.reset();
        }
    }

    fn take(&mut self, now: f64, packet: usize) {
        let next = *self.next.get_or_insert(packet);
        if packet < next {
            return;
        }
        let capacity = self.room + EXTRA_ROOM;
        let gap = 0 < self.newest && capacity < packet.saturating_sub(self.newest);
        self.newest = self.newest.max(packet);
        if core::mem::take(&mut self.refill) || gap {
            self.blocks.clear();
            self.asked.clear();
            self.next = Some(packet);
            self.fill();
        } else if capacity <= self.blocks.len() {
            // The publisher is too fast, or a block that never comes holds up the rest.
            if self.blocks.first() == self.next.as_ref() {
                self.blocks.clear();
                self.asked.clear();
                self.fill();
                self.next = Some(packet);
            } else {
                let old = self.blocks.pop_first();
                self.next = self.next.max(old.map(|old| old + 1));
            }
            self.dropped(now);
        }
        self.blocks.insert(packet);
        self.move_on(now);
        self.ask(now);
    }

    /// Moves blocks into the queue, as long as none is missed before them.
    fn move_on(&mut self, now: f64) {
        while let Some((first, next)) = self.blocks.first().copied().zip(self.next)
            && self.queue.len() < self.room
        {
            if first <= next {
                self.blocks.pop_first();
                self.queue.push_back(Some(first));
            } else if self.asked.get(&next).is_some_and(|asked| ASKED_MAX <= asked.0) {
                self.queue.push_back(None);
                self.dropped(now);
                if self.next.is_none() {
                    return;
                }
            } else {
                return;
            }
            self.asked.remove(&next);
            self.next = Some(next + 1);
        }
    }

    /// Asks for what is missing before the blocks that wait.
    fn ask(&mut self, now: f64) {
        if self.blocks.len() < ASK_FROM {
            return;
        }
        let Some((next, last)) = self.next.zip(self.blocks.last().copied()) else { return };
        let missing = (next..last).filter(|block| !self.blocks.contains(block)).take(ASKED_AT_ONCE);
        for block in missing {
            let asked = self.asked.entry(block).or_insert((0, f64::NEG_INFINITY));
            if asked.0 < ASKED_MAX && asked.1 + ASK_EVERY <= now {
                *asked = (asked.0 + 1, now);
                self.answers.push((now + self.round_trip, block));
            }
        }
    }
}

impl Buffer for SonoBus {
    fn put(&mut self, now: f64, packet: usize) {
        let mut answers = core::mem::take(&mut self.answers);
        answers.retain(|(at, block)| {
            let came = *at <= now;
            if came && self.next.is_some_and(|next| next <= *block) {
                self.blocks.insert(*block);
            }
            !came
        });
        self.answers.append(&mut answers);
        self.take(now, packet);
    }

    fn get(&mut self, now: f64) -> Played {
        if 1000.0 <= now - self.pinged_at {
            self.pinged_at = now;
            self.ping(now);
        }
        match self.queue.pop_front() {
            Some(Some(packet)) => Played::packet(packet),
            Some(None) => Played::Concealed,
            None => {
                if !self.refill {
                    self.refill = true;
                    self.dropped(now);
                }
                Played::Concealed
            }
        }
    }
}

/// Milliseconds at the start, and the fewest there can be.
const START: f64 = 1.0;

/// Drops within half a second are one; another one within two seconds is too many.
const ONE_EVENT: f64 = 0.5;
const DROPS_PER_SECOND: f64 = 0.5;

/// Milliseconds without a drop after which the queue is shortened, and those after that in which a drop
/// means that it was too much.
const QUIET: f64 = 10_000.0;
const TOO_SHORT: f64 = 2000.0;

/// Blocks that may wait beside the queue.
const EXTRA_ROOM: usize = 32;

/// `AOO_BLOCKQUEUE_CHECK_THRESHOLD`, and AOO's limits of asking: five times, every 10 ms, 16 blocks.
const ASK_FROM: usize = 3;
const ASKED_MAX: usize = 5;
const ASK_EVERY: f64 = 10.0;
const ASKED_AT_ONCE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::rehearsal::play;

    #[test]
    fn a_steady_line_is_played_with_one_block() {
        let mut buffer = SonoBus::new(20.0);
        assert!(play(&mut buffer, 0..1000, |_| Some(0.0)) <= 1);
        assert_eq!(buffer.room, 1);
    }

    #[test]
    fn it_grows_by_a_block_for_the_second_drop_within_two_seconds() {
        let mut buffer = SonoBus::new(20.0);
        play(&mut buffer, 0..1000, |_| Some(0.0));
        // 20 ms late, twice, a second apart: of the first it makes nothing.
        let late = |at: usize| move |packet: usize| Some(if packet == at { 20.0 } else { 0.0 });
        play(&mut buffer, 1000..1500, late(1200));
        assert_eq!(buffer.room, 1);
        play(&mut buffer, 1500..2500, late(1950));
        assert_eq!(buffer.room, 2);
    }

    #[test]
    fn drops_further_apart_change_nothing() {
        let mut buffer = SonoBus::new(20.0);
        let late = |packet: usize| Some(if packet % 2250 == 1000 { 20.0 } else { 0.0 });
        play(&mut buffer, 0..20_000, late);
        assert_eq!(buffer.room, 1);
    }

    #[test]
    fn it_shrinks_by_a_block_every_ten_quiet_seconds() {
        let mut buffer = SonoBus::new(20.0);
        let late = |packet: usize| Some(if packet.is_multiple_of(500) { 20.0 } else { 0.0 });
        play(&mut buffer, 0..7500, late);
        let grown = buffer.room;
        assert!(3 < grown, "{grown}");
        play(&mut buffer, 7500..7500 + 750 * 23, |_| Some(0.0));
        assert_eq!(buffer.room, grown - 2);
    }

    #[test]
    fn a_lost_block_is_asked_for_and_comes_in_time_if_the_queue_is_longer_than_the_way() {
        let mut buffer = SonoBus::new(6.0);
        buffer.buffer = 20.0;
        buffer.reset();
        play(&mut buffer, 0..500, |_| Some(0.0));
        let lost = |packet: usize| (packet != 700).then_some(0.0);
        assert_eq!(play(&mut buffer, 500..1000, lost), 0);
        buffer.round_trip = 100.0;
        assert!(0 < play(&mut buffer, 1000..2000, |packet| (packet != 1200).then_some(0.0)));
    }
}
