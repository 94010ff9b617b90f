//! A sound card made of WAV files: one is played into the room, what the room plays is written.
//!
//! For machines without a sound card, and for tests with real processes. It runs in real time on
//! a thread of its own, paced by the monotonic clock. What surprises: the input waits until the
//! session opens its [`InputGate`] (when the link is up), so that its first notes are not played
//! to nobody; the output is written from the start, silence included.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rtrb::{Consumer, Producer};

use super::disk::{Disk, DiskRings, Pair};
use super::pacer::Pacer;
use super::wav::{WavInput, WavOutput};
use super::{
    AudioBackend, AudioError, AudioFormat, AudioStatus, Callbacks, DeviceNames, OUTPUT_CHANNELS,
    Rates,
};
use crate::clock;
use crate::priority::{self, Role};

/// Which files, and how they are paced.
#[derive(Debug, Clone)]
pub struct FileOptions {
    /// Played into the room; silence after its end, and from the start if there is none.
    pub input: Option<PathBuf>,
    /// Takes what the room plays: 32-bit float, stereo.
    pub output: Option<PathBuf>,
    /// Frames in one callback.
    pub period_frames: u32,
    /// When the input starts.
    pub gate: InputGate,
}

/// Holds the input back until there is somebody to send it to. Clones are the same gate.
#[derive(Debug, Clone, Default)]
pub struct InputGate(Arc<AtomicBool>);

impl InputGate {
    /// Lets the input play; it stays open.
    pub fn open(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether the input may play.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The backend.
pub struct File {
    options: FileOptions,
    running: Option<Running>,
}

struct Running {
    stop: Arc<AtomicBool>,
    xruns: Arc<AtomicU64>,
    pace: JoinHandle<()>,
    disk: Disk,
}

impl File {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(options: FileOptions) -> Self {
        Self { options, running: None }
    }
}

impl AudioBackend for File {
    fn start(&mut self, callbacks: &Callbacks) -> Result<AudioFormat, AudioError> {
        self.stop()?;
        let FileOptions { input, output, period_frames, gate } = &self.options;
        let input_file = input.as_deref().map(WavInput::open).transpose()?;
        let output_file = output.as_deref().map(WavOutput::create).transpose()?;
        let (disk, rings) = Disk::start(input_file, output_file)?;
        let stop = Arc::new(AtomicBool::new(false));
        let xruns = Arc::new(AtomicU64::new(0));
        let mut paced = Paced {
            callbacks: callbacks.clone(),
            rings,
            gate: gate.clone(),
            xruns: Arc::clone(&xruns),
            frames: vec![[0.0; 2]; *period_frames as usize],
            input: [(); 2].map(|()| vec![0.0; *period_frames as usize]),
            output: [(); OUTPUT_CHANNELS].map(|()| vec![0.0; *period_frames as usize]),
        };
        let stopping = Arc::clone(&stop);
        let pace = thread::Builder::new().name("vjam-audio".into()).spawn(move || {
            if let Err(refused) = priority::raise(Role::Audio) {
                tracing::debug!(%refused, "the paced audio thread has ordinary priority");
            }
            paced.run(&stopping);
        })?;
        self.running = Some(Running { stop, xruns, pace, disk });
        let name = |path: &Option<PathBuf>| {
            path.as_ref().map_or_else(|| "nothing".to_owned(), |path| path.display().to_string())
        };
        Ok(AudioFormat {
            description: format!("files: plays {}, writes {}", name(input), name(output)),
            period_frames: *period_frames,
            rates: Rates::default(),
            names: DeviceNames { backend: "file", input: name(input), output: name(output) },
        })
    }

    fn status(&self) -> AudioStatus {
        let running = self.running.as_ref();
        AudioStatus {
            period_frames: self.options.period_frames,
            rates: Rates::default(),
            output_latency: None,
            calibrated: false,
            xruns: running.map_or(0, |running| running.xruns.load(Ordering::Relaxed)),
            ended: running
                .filter(|running| running.disk.is_finished())
                .map(|_| "a file could not be written".to_owned()),
            trouble: running.and_then(|running| running.disk.trouble()),
        }
    }

    fn silence_max(&self) -> Option<Duration> {
        // The clock calls back for as long as this machine runs, and a start would play the input
        // from its first note and write over what was heard.
        None
    }

    fn stop(&mut self) -> Result<(), AudioError> {
        let Some(Running { stop, pace, disk, .. }) = self.running.take() else { return Ok(()) };
        stop.store(true, Ordering::Release);
        pace.join().expect("the paced thread does not panic");
        disk.finish()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::warn!(%error, "audio file");
        }
    }
}

/// What the paced thread owns.
struct Paced {
    callbacks: Callbacks,
    rings: DiskRings,
    gate: InputGate,
    xruns: Arc<AtomicU64>,
    frames: Vec<Pair>,
    input: [Vec<f32>; 2],
    output: [Vec<f32>; OUTPUT_CHANNELS],
}

impl Paced {
    fn run(&mut self, stop: &AtomicBool) {
        let mut pacer = Pacer::new(clock::now(), self.frames.len() as u64);
        while !stop.load(Ordering::Acquire) {
            let now = clock::now();
            let wait = pacer.due().saturating_since(now);
            if wait.is_zero() {
                pacer.run(now);
                let xruns = self.period();
                self.xruns.fetch_add(xruns, Ordering::Relaxed);
            } else {
                // In parts, so that a very long period does not hold up the end.
                thread::sleep(wait.min(SLEEP_MAX));
            }
        }
        self.xruns.fetch_add(pacer.stalls(), Ordering::Relaxed);
    }

    /// One period in and out; gives how many times a ring had run dry or full.
    fn period(&mut self) -> u64 {
        self.frames.fill([0.0; 2]);
        let mut xruns = 0;
        if let Some(ring) = self.rings.input.as_mut().filter(|_| self.gate.is_open()) {
            xruns += read_frames(ring, &self.rings.input_complete, &mut self.frames);
        }
        let [left, right] = &mut self.input;
        let wanted = self.callbacks.input_channels();
        for ((left, right), frame) in left.iter_mut().zip(right.iter_mut()).zip(&self.frames) {
            *left = if wanted == 1 { (frame[0] + frame[1]) / 2.0 } else { frame[0] };
            *right = frame[1];
        }
        let input = [left.as_slice(), right.as_slice()];
        let [out_left, out_right] = &mut self.output;
        self.callbacks.duplex(&input[..wanted], &mut [out_left, out_right]);
        if let Some(ring) = self.rings.output.as_mut().filter(|ring| !ring.is_abandoned()) {
            for (frame, (left, right)) in
                self.frames.iter_mut().zip(self.output[0].iter().zip(&self.output[1]))
            {
                *frame = [*left, *right];
            }
            xruns += write_frames(ring, &self.frames);
        }
        xruns
    }
}

fn read_frames(ring: &mut Consumer<Pair>, complete: &AtomicBool, frames: &mut [Pair]) -> u64 {
    // Before the ring: once it says so, whatever is missing in the ring will never come.
    let complete = complete.load(Ordering::Acquire);
    let (_, missing) = ring.pop_partial_slice(frames);
    u64::from(!missing.is_empty() && !complete)
}

fn write_frames(ring: &mut Producer<Pair>, frames: &[Pair]) -> u64 {
    let (_, left) = ring.push_partial_slice(frames);
    u64::from(!left.is_empty())
}

/// How long a stop may take at most.
const SLEEP_MAX: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::audio::scratch::Scratch;
    use crate::audio::{AudioChange, Keeper};

    fn write_ramp(path: &std::path::Path, frames: u16) {
        let mut output = WavOutput::create(path).expect("a file in a folder of ours");
        let ramp: Vec<Pair> = (1..=frames).map(|n| [f32::from(n), -f32::from(n)]).collect();
        output.write_pairs(&ramp).expect("the disk is not full");
        output.flush().expect("the disk is not full");
    }

    fn read_left(path: &std::path::Path) -> Vec<f32> {
        let mut frames = Vec::new();
        let mut file = WavInput::open(path).expect("it was written whole");
        while file.read_pairs(1000, &mut frames) == 1000 {}
        frames.into_iter().map(|frame| frame[0]).collect()
    }

    /// Plays a ramp through a callback that hands its input to its output, until `periods` ran.
    fn loop_back(open_at_start: bool) -> (Vec<f32>, AudioStatus) {
        let scratch = Scratch::new();
        let (input, output) = (scratch.path("in.wav"), scratch.path("out.wav"));
        write_ramp(&input, 500);
        let gate = InputGate::default();
        if open_at_start {
            gate.open();
        }
        let (captured, to_render) = mpsc::channel::<Vec<f32>>();
        let (rendered, count) = mpsc::channel();
        let callbacks = Callbacks::new(
            2,
            Box::new(move |input| captured.send(input[0].to_vec()).expect("the test listens")),
            Box::new(move |output| {
                let period = to_render.recv().expect("capture ran before");
                output[0].copy_from_slice(&period);
                output[1].fill(0.0);
                // The test stops listening when it has seen enough.
                let _ = rendered.send(());
            }),
        );
        let options = FileOptions {
            input: Some(input),
            output: Some(output.clone()),
            period_frames: 128,
            gate: gate.clone(),
        };
        let mut file = File::new(options);
        let format = file.start(&callbacks).expect("the files are fine");
        assert_eq!(format.period_frames, 128);
        count.iter().take(3).count();
        gate.open();
        count.iter().take(10).count();
        let status = file.status();
        file.stop().expect("the disk is not full");
        (read_left(&output), status)
    }

    #[test]
    fn what_is_played_comes_out_frame_by_frame_then_silence() {
        let (heard, status) = loop_back(true);
        let ramp: Vec<f32> = (1..=500_u16).map(f32::from).collect();
        assert_eq!(heard[..500], ramp);
        assert!(heard[500..].iter().all(|sample| *sample == 0.0) && 13 * 128 <= heard.len());
        assert_eq!(status, AudioStatus { period_frames: 128, ..AudioStatus::default() });
    }

    #[test]
    fn the_input_waits_for_its_gate_and_loses_nothing() {
        let (heard, _) = loop_back(false);
        let start = heard.iter().position(|sample| *sample == 1.0).expect("it was played");
        assert!(3 * 128 <= start && start % 128 == 0, "started at {start}");
        assert_eq!(heard[start + 499], 500.0);
    }

    #[test]
    fn an_input_that_was_cut_off_is_played_once_and_what_was_heard_is_kept() {
        let scratch = Scratch::new();
        let (input, output) = (scratch.path("in.wav"), scratch.path("out.wav"));
        write_ramp(&input, 500);
        let whole = std::fs::read(&input).expect("it was written");
        std::fs::write(&input, &whole[..whole.len() - 5]).expect("a file in a folder of ours");
        let gate = InputGate::default();
        gate.open();
        let (captured, periods) = mpsc::channel::<Vec<f32>>();
        let callbacks = Callbacks::new(
            2,
            // The test stops listening when it has seen enough.
            Box::new(move |input| drop(captured.send(input[0].to_vec()))),
            Box::new(|output| output.iter_mut().for_each(|channel| channel.fill(0.5))),
        );
        let options = FileOptions {
            input: Some(input),
            output: Some(output.clone()),
            period_frames: 128,
            gate,
        };
        let (mut keeper, _) =
            Keeper::start(Box::new(File::new(options)), callbacks).expect("it plays");
        let change = keeper.poll(clock::now());
        let Some(AudioChange::Trouble(reason)) = change else { panic!("it is said: {change:?}") };
        assert!(reason.contains("in.wav is cut off"), "{reason}");
        let played: Vec<f32> = periods.iter().take(20).flatten().collect();
        assert_eq!(keeper.poll(clock::now()), None, "it goes on");
        let ramp: Vec<f32> = (1..500_u16).map(f32::from).collect();
        assert_eq!(played[..499], ramp);
        assert!(played[499..].iter().all(|sample| *sample == 0.0), "then silence");
        keeper.stop().expect("the disk is not full");
        let heard = read_left(&output);
        assert!(20 * 128 <= heard.len() && heard.iter().all(|sample| *sample == 0.5));
    }

    #[test]
    fn a_missing_input_file_is_said_before_anything_starts() {
        let options = FileOptions {
            input: Some("/nowhere/in.wav".into()),
            output: None,
            period_frames: 128,
            gate: InputGate::default(),
        };
        let callbacks = Callbacks::new(1, Box::new(|_| ()), Box::new(|_| ()));
        let error = File::new(options).start(&callbacks).expect_err("there is no such folder");
        assert!(error.to_string().starts_with("/nowhere/in.wav: No such file"), "{error}");
    }
}
