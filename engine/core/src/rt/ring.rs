//! The queues into and out of the callbacks that carry audio.
//!
//! All of them are `rtrb`'s, which is wait-free; nothing here is unsafe. What surprises: codec
//! frames travel in two queues at once, headers in one and bytes in the other, so that a frame of
//! 20 bytes does not take the room of the longest.

use protocol::codec::Codec;
use protocol::time::{Instant, MediaTime};

/// A remote's place in the render callback's table. A generation outlives its place: frames for
/// a remote that has gone are told from frames for its successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RemoteKey {
    pub(crate) slot: usize,
    pub(crate) generation: u32,
}

/// A codec frame on its way to the render callback, but for its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameHeader {
    pub(crate) remote: RemoteKey,
    pub(crate) codec: Codec,
    /// From a later packet's redundancy: of use only if it fills a hole.
    pub(crate) redundant: bool,
    pub(crate) media_time: MediaTime,
    pub(crate) arrival: Instant,
    /// Set by [`FrameSender::push`].
    pub(crate) len: usize,
}

/// The receiving thread's end.
#[derive(Debug)]
pub(crate) struct FrameSender {
    headers: rtrb::Producer<FrameHeader>,
    bytes: rtrb::Producer<u8>,
}

/// The render callback's end.
#[derive(Debug)]
pub(crate) struct FrameReceiver {
    headers: rtrb::Consumer<FrameHeader>,
    bytes: rtrb::Consumer<u8>,
}

/// The queue had no room; the frame was dropped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// A queue for that many frames with that many bytes altogether.
pub(crate) fn frame_ring(frames: usize, bytes: usize) -> (FrameSender, FrameReceiver) {
    let (headers_in, headers_out) = rtrb::RingBuffer::new(frames);
    let (bytes_in, bytes_out) = rtrb::RingBuffer::new(bytes);
    (
        FrameSender { headers: headers_in, bytes: bytes_in },
        FrameReceiver { headers: headers_out, bytes: bytes_out },
    )
}

impl FrameSender {
    pub(crate) fn push(&mut self, mut header: FrameHeader, bytes: &[u8]) -> Result<(), Full> {
        if self.headers.is_full() {
            return Err(Full);
        }
        self.bytes.push_entire_slice(bytes).map_err(|_| Full)?;
        header.len = bytes.len();
        // The header publishes its bytes: they were pushed before.
        self.headers.push(header).map_err(|_| Full)
    }
}

impl FrameReceiver {
    /// Takes the next frame; its bytes go to the start of `out`, which must hold the longest.
    pub(crate) fn pop<'a>(&mut self, out: &'a mut [u8]) -> Option<(FrameHeader, &'a [u8])> {
        let header = self.headers.pop().ok()?;
        let bytes = out.get_mut(..header.len)?;
        self.bytes.pop_entire_slice(bytes).ok()?;
        Some((header, bytes))
    }

    /// Frames waiting now.
    pub(crate) fn len(&self) -> usize {
        self.headers.slots()
    }
}

/// The capture callback's end of the way from the input to one's own output.
#[derive(Debug)]
pub(crate) struct MonitorSender {
    samples: rtrb::Producer<f32>,
}

/// The render callback's end.
#[derive(Debug)]
pub(crate) struct MonitorReceiver {
    samples: rtrb::Consumer<f32>,
}

/// A queue for the samples (left and right in turn) of a few periods.
pub(crate) fn monitor_ring(period_frames_max: usize) -> (MonitorSender, MonitorReceiver) {
    let (samples_in, samples_out) = rtrb::RingBuffer::new(4 * 2 * period_frames_max);
    (MonitorSender { samples: samples_in }, MonitorReceiver { samples: samples_out })
}

impl MonitorSender {
    /// Pushes one block of left and right; drops what finds no room.
    pub(crate) fn push(&mut self, frames: impl ExactSizeIterator<Item = [f32; 2]>) {
        let count = frames.len().min(self.samples.slots() / 2);
        if let Ok(chunk) = self.samples.write_chunk_uninit(2 * count) {
            chunk.fill_from_iter(frames.take(count).flatten());
        }
    }
}

impl MonitorReceiver {
    /// Adds `gain` times the input to a block of output.
    ///
    /// With both callbacks in one, the queue holds exactly this block. With two, it holds up to a
    /// period more or less; anything older than one block of slack is skipped, lest a hiccup turns
    /// into delay.
    pub(crate) fn mix_into(
        &mut self,
        frames: usize,
        mut gain: impl FnMut() -> f32,
        mut add: impl FnMut(usize, [f32; 2]),
    ) {
        let waiting = self.samples.slots() / 2;
        if 2 * frames < waiting
            && let Ok(chunk) = self.samples.read_chunk(2 * (waiting - frames))
        {
            chunk.commit_all();
        }
        let count = frames.min(self.samples.slots() / 2);
        let Ok(chunk) = self.samples.read_chunk(2 * count) else { return };
        let (first, second) = chunk.as_slices();
        let mut samples = first.iter().chain(second);
        for index in 0..count {
            let (Some(left), Some(right)) = (samples.next(), samples.next()) else { break };
            let factor = gain();
            add(index, [left * factor, right * factor]);
        }
        chunk.commit_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(media_time: i64) -> FrameHeader {
        FrameHeader {
            remote: RemoteKey { slot: 3, generation: 4 },
            codec: Codec::Pcm,
            redundant: false,
            media_time: MediaTime::from_frames(media_time),
            arrival: Instant::ZERO,
            len: 0,
        }
    }

    #[test]
    fn frames_come_out_as_they_went_in() {
        let (mut sender, mut receiver) = frame_ring(2, 100);
        assert_eq!(sender.push(header(1), &[1, 2, 3]), Ok(()));
        assert_eq!(sender.push(header(2), &[]), Ok(()));
        assert_eq!(sender.push(header(3), &[4]), Err(Full));
        let mut out = [0; 8];
        let (first, bytes) = receiver.pop(&mut out).expect("two are in");
        assert_eq!((first.media_time.as_frames(), bytes), (1, &[1, 2, 3][..]));
        let (second, bytes) = receiver.pop(&mut out).expect("one is in");
        assert_eq!((second.media_time.as_frames(), bytes), (2, &[][..]));
        assert!(receiver.pop(&mut out).is_none());
    }

    #[test]
    fn bytes_without_room_leave_the_queue_as_it_was() {
        let (mut sender, mut receiver) = frame_ring(2, 4);
        assert_eq!(sender.push(header(1), &[9; 5]), Err(Full));
        assert_eq!(sender.push(header(2), &[9; 4]), Ok(()));
        assert_eq!(receiver.pop(&mut [0; 8]).map(|frame| frame.1.len()), Some(4));
    }

    #[test]
    fn the_monitor_forgets_what_is_older_than_a_block_of_slack() {
        let (mut sender, mut receiver) = monitor_ring(4);
        sender.push(
            (0..10_u8).map(|n| [f32::from(n), -f32::from(n)]).collect::<Vec<_>>().into_iter(),
        );
        let mut heard = Vec::new();
        receiver.mix_into(4, || 2.0, |index, frame| heard.push((index, frame)));
        assert_eq!(heard[0], (0, [12.0, -12.0]));
        assert_eq!(heard.len(), 4);
        receiver.mix_into(4, || 2.0, |_, _| panic!("nothing is left"));
    }
}
