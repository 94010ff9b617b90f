//! A short trace of one's own making, for the tests of a buffer.

use core::ops::Range;

use crate::play::{Buffer, Played};
use crate::trace::PERIOD;

/// Plays packets that come so many milliseconds late, or never; gives how many periods were concealed.
pub(super) fn play(
    buffer: &mut impl Buffer,
    packets: Range<usize>,
    late: impl Fn(usize) -> Option<f64>,
) -> usize {
    let mut concealed = 0;
    let mut waiting: Vec<(f64, usize)> = packets
        .clone()
        .filter_map(|packet| Some((packet as f64 * PERIOD + late(packet)?, packet)))
        .collect();
    waiting.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut waiting = waiting.into_iter().peekable();
    for packet in packets {
        let now = packet as f64 * PERIOD + 0.5;
        while let Some((at, packet)) = waiting.next_if(|(at, _)| *at <= now) {
            buffer.put(at, packet);
        }
        concealed += usize::from(buffer.get(now) == Played::Concealed);
    }
    concealed
}
