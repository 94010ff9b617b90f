//! What is counted while a load is measured.

use std::time::Duration;

use hdrhistogram::Histogram;
use protocol::replay::ReplayWindow;
use protocol::rtp::{SequenceNumber, Ssrc};

/// Counts of one stretch of time.
#[derive(Debug, Clone)]
pub struct Tally {
    /// How long it was.
    pub elapsed: Duration,
    /// Packets sent by all publishers.
    pub sent: u64,
    /// Of these, packets that a subscriber received, each counted once for each subscriber.
    pub received: u64,
    /// Packets that a subscriber should have received and did not, by room.
    pub lost_by_room: Vec<u64>,
    /// What each subscriber should have received of those who are there at the end, and did not.
    pub shares: Vec<Share>,
    /// Pairs of a subscriber and a publisher that were both there and did not hear each other.
    pub unheard: u64,
    /// From the publisher's send until the subscriber's socket had it.
    pub delay_ns: Histogram<u64>,
    /// How long after its moment a packet was sent.
    pub lateness_ns: Histogram<u64>,
    /// What must never happen.
    pub faults: Faults,
    /// Packets that were never sent, because their moment was long gone.
    pub skipped: u64,
    /// Packets that a socket of ours did not take.
    pub refused: u64,
    /// Datagrams that sockets of ours had no room for.
    pub overflowed: u64,
    /// Processor time of the thread that sends and receives.
    pub thread_cpu: Duration,
}

/// What one subscriber was to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Where.
    pub room: u32,
    /// Packets that were sent by others of the room.
    pub due: u64,
    /// Those of them that did not come.
    pub lost: u64,
}

/// What a server must never do, however loaded it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Faults {
    /// Packets that could not be opened: of another key, changed, or sent twice under one number.
    pub forged: u64,
    /// Packets that could be opened, with contents that nobody sent.
    pub corrupted: u64,
    /// Packets of another room, or of another load.
    pub foreign: u64,
    /// Packets that came back to their publisher.
    pub echoed: u64,
    /// Packets of one publisher in the stream of another.
    pub misplaced: u64,
    /// Packets that came twice.
    pub duplicate: u64,
    /// Links that the server closed, or on which it fell silent.
    pub links_lost: u64,
}

impl Faults {
    /// Whether there are none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Tally {
    pub(crate) fn new(rooms: usize) -> Self {
        Self {
            elapsed: Duration::ZERO,
            sent: 0,
            received: 0,
            lost_by_room: vec![0; rooms],
            shares: Vec::new(),
            unheard: 0,
            delay_ns: histogram(),
            lateness_ns: histogram(),
            faults: Faults::default(),
            skipped: 0,
            refused: 0,
            overflowed: 0,
            thread_cpu: Duration::ZERO,
        }
    }

    /// Packets lost in all rooms.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost_by_room.iter().sum()
    }

    pub(crate) fn lose(&mut self, room: u32, packets: u64) {
        let room = room as usize;
        if self.lost_by_room.len() <= room {
            self.lost_by_room.resize(room + 1, 0);
        }
        self.lost_by_room[room] += packets;
    }
}

/// A microsecond to a minute, to one percent.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, 60_000_000_000, 2).expect("the bounds are in order")
}

pub(crate) fn record(histogram: &mut Histogram<u64>, ns: u64) {
    histogram.saturating_record(ns);
}

/// The packets of one publisher that count: those numbered from `from` until before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: u64,
    pub(crate) until: u64,
}

impl Window {
    /// Nothing counts.
    pub(crate) const NONE: Self = Self { from: u64::MAX, until: u64::MAX };

    /// Whatever comes from a number on.
    pub(crate) const fn since(from: u64) -> Self {
        Self { from, until: u64::MAX }
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.from != u64::MAX
    }

    pub(crate) const fn has(&self, counter: u64) -> bool {
        self.from <= counter && counter < self.until
    }
}

/// What a subscriber hears of one publisher.
#[derive(Debug)]
pub(crate) struct Heard {
    /// The stream that it comes in.
    pub(crate) ssrc: Ssrc,
    pub(crate) publisher: u32,
    seen: ReplayWindow,
    /// The first packet that is missed if it does not come.
    from: u64,
    /// Packets that came from there on, of those that count.
    received: u64,
}

/// Whether a packet is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// It counts.
    Counted,
    /// It is before or behind what counts.
    Uncounted,
    /// It was there before.
    Duplicate,
}

impl Heard {
    /// With the first packet of a publisher.
    pub(crate) fn new(ssrc: Ssrc, publisher: u32, counter: u64, window: &Window) -> Self {
        let from = if window.is_open() { window.from.max(counter) } else { u64::MAX };
        Self { ssrc, publisher, seen: ReplayWindow::EMPTY, from, received: 0 }
    }

    /// From now on, what counts of the publisher is missed where it does not come.
    pub(crate) fn begin(&mut self, window: &Window) {
        self.from = window.from;
        self.received = 0;
    }

    pub(crate) fn take(&mut self, counter: u64, window: &Window) -> Freshness {
        let number = SequenceNumber(counter);
        if !self.seen.is_fresh(number) {
            return Freshness::Duplicate;
        }
        self.seen.mark(number);
        if window.has(counter) && self.from <= counter {
            self.received += 1;
            Freshness::Counted
        } else {
            Freshness::Uncounted
        }
    }

    /// The packets before `until` that should come.
    pub(crate) fn due(&self, until: u64) -> u64 {
        until.saturating_sub(self.from)
    }

    /// What was missed of the packets before `until`.
    pub(crate) fn missed(&self, until: u64) -> u64 {
        self.due(until).saturating_sub(self.received)
    }

    /// The number behind the last that was heard.
    pub(crate) fn heard_until(&self) -> u64 {
        self.seen.highest().map_or(0, |highest| highest.0 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_missed_only_while_it_counts() {
        let mut window = Window::NONE;
        let mut heard = Heard::new(Ssrc(1), 0, 5, &window);
        assert_eq!(heard.take(5, &window), Freshness::Uncounted);
        assert_eq!(heard.take(5, &window), Freshness::Duplicate);
        window = Window::since(8);
        heard.begin(&window);
        assert_eq!(heard.take(7, &window), Freshness::Uncounted, "it was on its way");
        assert_eq!(heard.take(9, &window), Freshness::Counted);
        assert_eq!(heard.take(8, &window), Freshness::Counted, "order does not matter");
        window.until = 12;
        assert_eq!(heard.take(12, &window), Freshness::Uncounted);
        assert_eq!(heard.missed(window.until), 2, "10 and 11");
        assert_eq!(heard.heard_until(), 13);
    }

    #[test]
    fn who_comes_later_misses_nothing_of_before() {
        let window = Window::since(8);
        let mut heard = Heard::new(Ssrc(1), 0, 20, &window);
        assert_eq!(heard.take(20, &window), Freshness::Counted);
        assert_eq!(heard.missed(21), 0);
        assert_eq!(heard.missed(23), 2);
    }
}
