//! Takes on the musician's machine: the own input is recorded into a file, and the file brought to the server.
//!
//! One thread records while a take runs ([`recorder`]); one sends what is recorded ([`upload`]), no faster than music beside
//! it bears ([`pace`]). What surprises: the shelf of files is all the state there is. A program that was killed
//! finds its stem there when the take still runs, goes on with it, and sends what the last one could not.

mod pace;
mod recorder;
mod shelf;
mod upload;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use engine::{Control, RoomClockStats, RoomMapping};
use protocol::room_state::Take;

use self::recorder::Recorder;
use self::shelf::Shelf;
use self::upload::Uploader;
use crate::clock;
use crate::session::Notice;

/// Where takes are kept, and whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakesOptions {
    /// The folder for stems that are not at the server yet; made if it is not there.
    pub folder: PathBuf,
    /// Whether one's own input is recorded; stems that wait are sent either way.
    pub record: bool,
}

/// What a stem says of its musician.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whose {
    /// `http://host:port` of the server.
    pub(crate) server: String,
    pub(crate) name: String,
    pub(crate) label: String,
    /// Of what is recorded.
    pub(crate) channels: u8,
}

/// What the room's clock shows, for threads that want to know. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedClock(Arc<Mutex<Option<(RoomMapping, RoomClockStats)>>>);

impl SharedClock {
    pub(crate) fn set(&self, clock: (RoomMapping, RoomClockStats)) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock);
    }

    fn get(&self) -> Option<(RoomMapping, RoomClockStats)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What whoever sends stems must know of the music beside it. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Road(Arc<Signs>);

#[derive(Debug, Default)]
struct Signs {
    plays: AtomicBool,
    troubles: AtomicU64,
    /// What it mostly is.
    jitter_us: AtomicU32,
}

impl Road {
    /// Whether music is sent and received.
    pub(crate) fn set_playing(&self, plays: bool) {
        // Relaxed here and below: words that stand for themselves.
        self.0.plays.store(plays, Ordering::Relaxed);
    }

    /// How music fared on the way up in the latest second: what was lost, and the jitter against what it mostly is.
    pub(crate) fn note_uplink(&self, lost_packets: u32, jitter_us: u32) {
        let usual = self.0.jitter_us.load(Ordering::Relaxed);
        let usual = if usual == 0 { jitter_us } else { usual };
        if 0 < lost_packets || usual + usual / 2 + JITTER_US_MORE < jitter_us {
            self.0.troubles.fetch_add(1, Ordering::Relaxed);
        }
        let usual = usual - usual / 16 + jitter_us / 16;
        self.0.jitter_us.store(usual, Ordering::Relaxed);
    }

    fn plays(&self) -> bool {
        self.0.plays.load(Ordering::Relaxed)
    }

    fn troubles(&self) -> u64 {
        self.0.troubles.load(Ordering::Relaxed)
    }
}

/// Something that a musician should read, from any thread.
pub(crate) type Tell = Arc<dyn Fn(Notice) + Send + Sync>;

/// The takes of one session.
pub(crate) struct Takes {
    shelf: Shelf,
    whose: Whose,
    record: bool,
    clock: SharedClock,
    recorder: Option<Recorder>,
    stems: Stems,
    tell: Tell,
    /// The take that could not be recorded: it is not tried again and again.
    given_up: Option<String>,
}

impl Takes {
    /// The takes of a session whose stems are sent by `stems`.
    pub(crate) fn new(
        options: &TakesOptions,
        whose: Whose,
        clock: SharedClock,
        stems: Stems,
        tell: Tell,
    ) -> Self {
        let shelf = Shelf::new(options.folder.clone());
        let (recorder, given_up) = (None, None);
        Self { shelf, whose, record: options.record, clock, recorder, stems, tell, given_up }
    }

    /// The room has these takes: the one without an end is recorded, and one that has ended is sent.
    pub(crate) fn follow(&mut self, takes: &[Take], control: &mut Control) {
        let running = takes.iter().find(|take| take.stop_us.is_none());
        self.stems.uploader.set_running(running.map(|take| take.id.clone()));
        let is_running = |recorder: &Recorder| running.is_some_and(|t| t.id == recorder.take());
        if self.recorder.as_ref().is_some_and(|recorder| !is_running(recorder)) {
            self.finish_recording(control);
        }
        let Some(take) = running else { return };
        if self.recorder.is_some() || self.given_up.as_ref() == Some(&take.id) {
            return;
        }
        if !self.record {
            self.given_up = Some(take.id.clone());
            return self.warn(format!("{} is recorded without you, as you asked", take.title));
        }
        let recording = control.record().map_err(|error| error.to_string());
        let begun = recording.and_then(|recording| {
            let stem = self.shelf.begin(take, &self.whose)?;
            Recorder::start(stem, recording, self.clock.clone(), Arc::clone(&self.tell))
        });
        match begun {
            Ok(recorder) => self.recorder = Some(recorder),
            Err(reason) => {
                self.given_up = Some(take.id.clone());
                self.warn(format!("you are not recorded: {reason}"));
            }
        }
    }

    /// Nothing more is recorded; what was is sent.
    pub(crate) fn finish_recording(&mut self, control: &mut Control) {
        let Some(recorder) = self.recorder.take() else { return };
        // A callback that does not run has nothing to record either.
        let _ = control.stop_recording();
        recorder.stop();
        // The callback lets go of its end, which is freed by whoever polls.
        let end = clock::now() + FINISHED_WITHIN;
        while !recorder.is_finished() && clock::now() < end {
            control.poll();
            thread::sleep(Duration::from_millis(10));
        }
        recorder.finish();
        self.stems.uploader.look();
    }

    /// Whether the own input is being recorded: not any more where the disk was full.
    pub(crate) fn is_recording(&self) -> bool {
        self.recorder.as_ref().is_some_and(|recorder| !recorder.is_finished())
    }

    fn warn(&self, text: String) {
        (self.tell)(Notice::Warning(text));
    }
}

/// Whoever sends stems. Clones are the same; when the last one is dropped, sending ends, and goes on with the next program.
#[derive(Clone)]
pub struct Stems {
    uploader: Arc<Uploader>,
    road: Road,
}

impl Stems {
    /// Begins to send what waits in the folder.
    pub(crate) fn start(options: &TakesOptions, road: Road, tell: Tell) -> Self {
        let shelf = Shelf::new(options.folder.clone());
        Self { uploader: Arc::new(Uploader::start(shelf, road.clone(), tell)), road }
    }

    /// How many stems wait to be sent, and how far the one that is being sent has come.
    #[must_use]
    pub fn unsent(&self) -> Unsent {
        self.uploader.unsent()
    }

    /// Nobody plays any more: what waits is sent as fast as it goes.
    pub fn hurry(&self) {
        self.road.set_playing(false);
        self.uploader.set_running(None);
    }
}

/// What is not at the server yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unsent {
    /// Stems.
    pub stems: usize,
    /// Bytes of the one that is being sent that are there, and all of them.
    pub sent_bytes: u64,
    /// All of its bytes.
    pub bytes: u64,
}

/// Jitter that is this much and by half more than usual holds music up.
const JITTER_US_MORE: u32 = 1_000;

/// A recorder that has to wait for a callback that does not run gives up by itself.
const FINISHED_WITHIN: Duration = Duration::from_secs(2);

/// How often a recorder looks for input: a crash loses no more.
const RECORD_EVERY: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn music_suffers_where_packets_are_lost_or_come_less_evenly_than_usual() {
        let road = Road::default();
        for _ in 0..40 {
            road.note_uplink(0, 6_000);
        }
        assert_eq!(road.troubles(), 0, "Wi-Fi is like that");
        road.note_uplink(0, 9_900);
        assert_eq!(road.troubles(), 0);
        road.note_uplink(0, 14_000);
        road.note_uplink(1, 6_000);
        assert_eq!(road.troubles(), 2);
    }
}
