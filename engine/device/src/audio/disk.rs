//! The thread that reads and writes WAV files for the paced thread, a second ahead and behind.
//!
//! The paced thread never touches a file: a disk that takes its time must not be heard. Frames
//! pass through two rings. What surprises: a ring that has run dry or full is counted and played
//! over, not waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use super::AudioError;
use super::wav::{WavInput, WavOutput};

/// One stereo frame.
pub(super) type Pair = [f32; 2];

/// The ends of the rings that the paced thread holds.
pub(super) struct DiskRings {
    pub(super) input: Option<Consumer<Pair>>,
    pub(super) output: Option<Producer<Pair>>,
    /// Set once the last frame of the input lies in its ring.
    pub(super) input_complete: Arc<AtomicBool>,
}

/// The disk thread, to be stopped with [`Disk::finish`].
pub(super) struct Disk {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), AudioError>>,
}

impl Disk {
    /// Starts the thread; the input ring is filled before this returns.
    pub(super) fn start(
        input: Option<WavInput>,
        output: Option<WavOutput>,
    ) -> Result<(Self, DiskRings), AudioError> {
        let (input_producer, input_consumer) = RingBuffer::new(INPUT_FRAMES);
        let (output_producer, output_consumer) = RingBuffer::new(OUTPUT_FRAMES);
        let input_complete = Arc::new(AtomicBool::new(false));
        let rings = DiskRings {
            input: input.is_some().then_some(input_consumer),
            output: output.is_some().then_some(output_producer),
            input_complete: Arc::clone(&input_complete),
        };
        let mut worker = Worker {
            input: input.map(|file| (file, input_producer)),
            output: output.map(|file| (file, output_consumer)),
            input_complete,
            frames: Vec::with_capacity(INPUT_FRAMES),
        };
        worker.fill()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread =
            thread::Builder::new().name("vjam-disk".into()).spawn(move || worker.run(&stopping))?;
        Ok((Self { stop, thread }, rings))
    }

    /// Writes what is in the ring and ends the thread. Call after the paced thread has ended.
    pub(super) fn finish(self) -> Result<(), AudioError> {
        self.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        self.thread.join().expect("the disk thread does not panic")
    }

    /// The thread, to see whether it has ended early.
    pub(super) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }
}

struct Worker {
    input: Option<(WavInput, Producer<Pair>)>,
    output: Option<(WavOutput, Consumer<Pair>)>,
    input_complete: Arc<AtomicBool>,
    frames: Vec<Pair>,
}

impl Worker {
    fn run(mut self, stop: &AtomicBool) -> Result<(), AudioError> {
        let mut rounds = 0_u32;
        loop {
            // Read before the ring is emptied: what the paced thread pushed before it ended is
            // in the ring by then.
            let last = stop.load(Ordering::Acquire);
            self.fill()?;
            self.drain()?;
            rounds += 1;
            if (last || rounds.is_multiple_of(ROUNDS_PER_FLUSH))
                && let Some((file, _)) = &mut self.output
            {
                file.flush()?;
            }
            if last {
                return Ok(());
            }
            thread::park_timeout(ROUND);
        }
    }

    fn fill(&mut self) -> Result<(), AudioError> {
        let Some((file, ring)) = &mut self.input else { return Ok(()) };
        let room = ring.slots();
        self.frames.clear();
        let read = file.read_pairs(room, &mut self.frames)?;
        let (_, left) = ring.push_partial_slice(&self.frames);
        debug_assert!(left.is_empty(), "only this thread fills the ring");
        if read < room {
            self.input = None;
            self.input_complete.store(true, Ordering::Release);
        }
        Ok(())
    }

    fn drain(&mut self) -> Result<(), AudioError> {
        let Some((file, ring)) = &mut self.output else { return Ok(()) };
        self.frames.clear();
        self.frames.resize(ring.slots(), [0.0; 2]);
        let (popped, _) = ring.pop_partial_slice(&mut self.frames);
        file.write_pairs(popped)
    }
}

/// How often the disk is visited: ten times for each ring of input.
const ROUND: Duration = Duration::from_millis(100);

/// A killed process loses at most a second of what it heard.
const ROUNDS_PER_FLUSH: u32 = 10;

/// One second read ahead.
const INPUT_FRAMES: usize = 48_000;

/// Eight seconds of room behind: a disk may stall for longer when it writes.
const OUTPUT_FRAMES: usize = 8 * 48_000;
