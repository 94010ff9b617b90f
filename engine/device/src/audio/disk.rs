//! The thread that reads and writes WAV files for the paced thread, a second ahead and behind.
//!
//! The paced thread never touches a file: a disk that takes its time must not be heard. Frames
//! pass through two rings. What surprises: a ring that has run dry or full is counted and played
//! over, not waited for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use super::AudioError;
use super::wav::{Room, WavInput, WavOutput};

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
    trouble: Arc<Mutex<Option<String>>>,
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
            trouble: Arc::default(),
            frames: Vec::with_capacity(INPUT_FRAMES),
        };
        worker.fill();
        let trouble = Arc::clone(&worker.trouble);
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread =
            thread::Builder::new().name("vjam-disk".into()).spawn(move || worker.run(&stopping))?;
        Ok((Self { stop, trouble, thread }, rings))
    }

    /// Writes what is in the ring and ends the thread. Call after the paced thread has ended.
    pub(super) fn finish(self) -> Result<(), AudioError> {
        self.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        self.thread.join().expect("the disk thread does not panic")
    }

    /// Whether the thread has ended early, which only an error makes it do.
    pub(super) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// What is wrong with a file although it goes on: the input was cut off, the output is as long
    /// as it can be.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Worker {
    input: Option<(WavInput, Producer<Pair>)>,
    output: Option<(WavOutput, Consumer<Pair>)>,
    input_complete: Arc<AtomicBool>,
    trouble: Arc<Mutex<Option<String>>>,
    frames: Vec<Pair>,
}

impl Worker {
    fn run(mut self, stop: &AtomicBool) -> Result<(), AudioError> {
        let mut rounds = 0_u32;
        loop {
            // Read before the ring is emptied: what the paced thread pushed before it ended is
            // in the ring by then.
            let last = stop.load(Ordering::Acquire);
            self.fill();
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

    fn fill(&mut self) {
        let Some((file, ring)) = &mut self.input else { return };
        let room = ring.slots();
        self.frames.clear();
        let read = file.read_pairs(room, &mut self.frames);
        let (_, left) = ring.push_partial_slice(&self.frames);
        debug_assert!(left.is_empty(), "only this thread fills the ring");
        if read < room {
            if let Some(reason) = file.cut_off() {
                note(&self.trouble, format!("{reason}; silence follows"));
            }
            self.input = None;
            self.input_complete.store(true, Ordering::Release);
        }
    }

    fn drain(&mut self) -> Result<(), AudioError> {
        let Some((file, ring)) = &mut self.output else { return Ok(()) };
        self.frames.clear();
        self.frames.resize(ring.slots(), [0.0; 2]);
        let (popped, _) = ring.pop_partial_slice(&mut self.frames);
        if file.write_pairs(popped)? == Room::Full {
            file.flush()?;
            let name = file.path().display();
            let text = format!("{name} has the 4 GiB that a WAV file can hold: it stops here");
            note(&self.trouble, text);
            // The paced thread sees its ring abandoned.
            self.output = None;
        }
        Ok(())
    }
}

fn note(trouble: &Mutex<Option<String>>, text: String) {
    *trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
}

/// How often the disk is visited: ten times for each ring of input.
const ROUND: Duration = Duration::from_millis(100);

/// A killed process loses at most a second of what it heard.
const ROUNDS_PER_FLUSH: u32 = 10;

/// One second read ahead.
const INPUT_FRAMES: usize = 48_000;

/// Eight seconds of room behind: a disk may stall for longer when it writes.
const OUTPUT_FRAMES: usize = 8 * 48_000;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::audio::scratch::Scratch;

    /// Asks until it is so; a disk that takes ten seconds is broken.
    fn wait_until(what: &str, is_so: impl Fn() -> bool) {
        let start = std::time::Instant::now();
        while !is_so() {
            assert!(start.elapsed() < Duration::from_secs(10), "{what}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_disk_that_gets_full_ends_the_thread_and_says_why() {
        let path = Path::new("/dev/full");
        let file = fs::OpenOptions::new().write(true).open(path).expect("Linux has it");
        let output = WavOutput::over(file, path).expect("nothing is written yet");
        let (disk, mut rings) = Disk::start(None, Some(output)).expect("a thread");
        let ring = rings.output.as_mut().expect("there is an output");
        let (_, left) = ring.push_partial_slice(&[[0.5; 2]; 4800]);
        assert!(left.is_empty());
        wait_until("the thread ends", || disk.is_finished());
        let error = disk.finish().expect_err("there is no room").to_string();
        assert_eq!(error, "/dev/full: No space left on device (os error 28)");
    }

    #[test]
    fn a_file_as_long_as_it_can_be_is_closed_whole_and_the_music_goes_on() {
        let scratch = Scratch::new();
        let path = scratch.path("out.wav");
        let mut output = WavOutput::create(&path).expect("a file in a folder of ours");
        output.limit(3);
        let (disk, mut rings) = Disk::start(None, Some(output)).expect("a thread");
        let ring = rings.output.as_mut().expect("there is an output");
        let (_, left) = ring.push_partial_slice(&[[0.5; 2]; 5]);
        assert!(left.is_empty());
        wait_until("the ring is abandoned", || ring.is_abandoned());
        let trouble = disk.trouble().expect("it is said");
        assert!(trouble.contains("out.wav has the 4 GiB"), "{trouble}");
        assert!(!disk.is_finished());
        let mut input = WavInput::open(&path).expect("a whole file");
        assert_eq!(input.read_pairs(10, &mut Vec::new()), 3);
        disk.finish().expect("nothing failed");
    }
}
