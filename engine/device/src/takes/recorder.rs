//! Records one stem, on a thread of its own: what the callback hands over, encoded and written as it comes.
//!
//! What surprises: a device that was opened anew goes on counting frames as if no time had passed. Where the
//! moments of its frames jump, a new run begins, so that what follows is where it was played.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use engine::{Recording, TapBlock};
use protocol::time::Instant;
use protocol::units::SampleRate;
use takes::stem::Writer;

use super::shelf::OpenStem;
use super::{RECORD_EVERY, SharedClock, Tell};
use crate::clock;
use crate::session::Notice;

/// A running recorder.
pub(super) struct Recorder {
    take: String,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Recorder {
    /// Begins to record into a stem; an error is why not.
    pub(super) fn start(
        mut stem: OpenStem,
        recording: Recording,
        clock: SharedClock,
        tell: Tell,
    ) -> Result<Self, String> {
        let channels = u8::try_from(recording.channels()).unwrap_or(2);
        let mut first = Vec::new();
        let writer = stem.writer(channels, &mut first)?;
        let take = stem.take.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let mut work = Work {
            file: stem.file,
            title: stem.title,
            writer,
            clock,
            tell,
            out: first,
            run: None,
            dated: None,
            began: clock::now(),
            synced: clock::now(),
        };
        let thread = thread::Builder::new()
            .name("vjam-recorder".into())
            .spawn(move || work.record(recording, &stopped))
            .map_err(|error| error.to_string())?;
        Ok(Self { take, stop, thread })
    }

    pub(super) fn take(&self) -> &str {
        &self.take
    }

    /// Nothing more is to come.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether the file is closed, for whatever reason.
    pub(super) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until what is left is written.
    pub(super) fn finish(self) {
        self.stop();
        // A panic of it was told by the panic hook; what it wrote is there.
        let _ = self.thread.join();
    }
}

struct Work {
    file: File,
    title: String,
    writer: Writer,
    clock: SharedClock,
    tell: Tell,
    /// Bytes that are not in the file yet.
    out: Vec<u8>,
    run: Option<Run>,
    /// When the room's clock was read last.
    dated: Option<Instant>,
    began: Instant,
    synced: Instant,
}

/// Frames that were played without a break.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// The number of its first frame, by the callback's count.
    first: i64,
    /// The latest frame whose moment is known.
    known: Option<(i64, Instant)>,
    /// The first moment of it that is known.
    begun: Option<Instant>,
}

impl Work {
    fn record(&mut self, mut recording: Recording, stop: &AtomicBool) {
        let mut samples = Vec::new();
        let mut stopped = None;
        loop {
            while let Some(block) = recording.next_block(&mut samples) {
                self.take(block, &samples);
                samples.clear();
            }
            if let Err(error) = self.write() {
                let text = format!(
                    "your part of {} ends here: {error}. What was recorded before is kept and will be sent",
                    self.title
                );
                return (self.tell)(Notice::Warning(text));
            }
            if stop.load(Ordering::Relaxed) {
                // What the callback had not handed over yet; one that does not run any more has nothing.
                let since = *stopped.get_or_insert_with(clock::now);
                if recording.is_over() || LINGER < clock::now().saturating_since(since) {
                    break;
                }
            }
            thread::sleep(RECORD_EVERY);
        }
        self.writer.end(&mut self.out);
        if let Err(error) = self.write().and_then(|()| self.file.sync_all()) {
            let text = format!("the end of your part of {} is lost: {error}", self.title);
            return (self.tell)(Notice::Warning(text));
        }
        let counts = self.writer.counts();
        if 0 < counts.missing_frames {
            let ms = SampleRate::WIRE.duration_floor(counts.missing_frames).as_millis();
            let text =
                format!("{ms} ms of your part of {} are missing: the device stalled", self.title);
            (self.tell)(Notice::Warning(text));
        }
    }

    fn take(&mut self, block: TapBlock, samples: &[f32]) {
        let run = match self.run {
            Some(run) if !run.is_broken_by(&block) => run,
            _ => {
                self.writer.begin_run(&mut self.out);
                self.dated = None;
                Run { first: block.first_frame, known: None, begun: None }
            }
        };
        let frame = u64::try_from(block.first_frame.saturating_sub(run.first)).unwrap_or(0);
        self.writer.audio(frame, samples, &mut self.out);
        let known = block.captured.map(|at| (block.first_frame, at)).or(run.known);
        let begun = run.begun.or(block.captured);
        self.run = Some(Run { known, begun, ..run });
        if let (Some(at), Some(begun)) = (block.captured, begun)
            && STEADY_AFTER <= at.saturating_since(begun)
        {
            self.date(frame, at);
        }
    }

    /// Says when a frame was played by the room's clock, once a second, as soon as that is known well.
    fn date(&mut self, frame: u64, at: Instant) {
        if self.dated.is_some_and(|dated| at.saturating_since(dated) < DATE_EVERY) {
            return;
        }
        let Some((mapping, stats)) = self.clock.get() else { return };
        if !stats.settled && at.saturating_since(self.began) < UNSETTLED_MAX {
            return;
        }
        self.dated = Some(at);
        let ns = |duration: Duration| u32::try_from(duration.as_nanos()).unwrap_or(u32::MAX);
        // What is known of the device is not better than this.
        let precision = ns(stats.precision + CAPTURED_TO);
        let bound = ns(stats.bound);
        self.writer.clock(frame, mapping.room(at), precision, bound, stats.steps, &mut self.out);
    }

    fn write(&mut self) -> std::io::Result<()> {
        if !self.out.is_empty() {
            self.file.write_all(&self.out)?;
            self.out.clear();
        }
        let now = clock::now();
        if SYNC_EVERY <= now.saturating_since(self.synced) {
            self.synced = now;
            self.file.sync_data()?;
        }
        Ok(())
    }
}

impl Run {
    /// Whether time passed between two frames that the device did not count, or frames that time did not.
    fn is_broken_by(&self, block: &TapBlock) -> bool {
        let Some(((frame, was), is)) = self.known.zip(block.captured) else { return false };
        let frames = block.first_frame.saturating_sub(frame);
        let Ok(passed) = u64::try_from(frames) else { return true };
        let expected = was + SampleRate::WIRE.duration_floor(passed);
        let off = is.saturating_since(expected).max(expected.saturating_since(is));
        BREAK < off
    }
}

/// What a callback may take to hear that nothing more is recorded.
const LINGER: Duration = Duration::from_millis(500);

/// The line of callbacks begins anew with the one that broke it, which was late: some dozens after it tell better.
const STEADY_AFTER: Duration = Duration::from_millis(500);

const DATE_EVERY: Duration = Duration::from_secs(1);

/// What the line of callbacks is off by, mostly.
const CAPTURED_TO: Duration = Duration::from_micros(50);

/// A clock that is not settled by then is believed as it is: it says itself how well.
const UNSETTLED_MAX: Duration = Duration::from_secs(15);

/// What a computer that loses its power loses.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// More than the line of callbacks ever errs by, and less than where that line begins anew (40 ms).
const BREAK: Duration = Duration::from_millis(20);
