//! How the rest of a server tells the store what happens in its rooms, and never waits for it.
//!
//! Two threads stand behind it: one writes down events and cleans up, one of the lowest priority that
//! the system has computes checksums and makes exports. What surprises: a server whose data folder
//! cannot be written has a handle as well, which refuses every take and says why; the jam goes on.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use protocol::time::RoomTime;
use takes::TakeId;
use takes::export::TempoChange;

use crate::limits::{EVENTS_MAX, Limits, SWEEP_INTERVAL};
use crate::refused::{BeginError, TakeError};
use crate::store::{Begin, Standing, Store};

/// Takes, for everybody in the server who has to do with them. Cheap to clone; no method of it waits.
#[derive(Clone)]
pub struct Takes(Arc<State>);

enum State {
    On { store: Arc<Store>, events: SyncSender<Event>, standing: Mutex<Standing> },
    Off(String),
}

/// The threads; they end when this is dropped, which waits for what is being written.
#[derive(Debug)]
pub struct TakesThreads {
    store: Arc<Store>,
    events: Option<SyncSender<Event>>,
    threads: Vec<JoinHandle<()>>,
}

/// Hears of events that the store refused: a take that does not begin although [`Takes::admit`] had
/// nothing against it, a marker that the disk did not take. Called on the store's thread.
pub type OnTrouble = Box<dyn FnMut(TakeId, String) + Send>;

/// What happened in a room.
#[derive(Debug)]
enum Event {
    Started(Box<Begin>),
    Stopped(TakeId, RoomTime),
    Abandoned(TakeId),
    Marked(TakeId, RoomTime, String),
    Click(TakeId, Vec<TempoChange>),
    Present(TakeId, u64, String),
    Close,
}

impl Takes {
    /// Opens the takes of a data folder and starts the threads. Where that cannot be, the handle
    /// refuses every take, and the log says why.
    pub fn start(
        data: &Path,
        limits: Limits,
        on_trouble: OnTrouble,
    ) -> (Self, Option<TakesThreads>) {
        let opened = Store::open(data, limits).and_then(|store| {
            let store = Arc::new(store);
            let (events, incoming) = sync_channel(EVENTS_MAX);
            let standing = Mutex::new(store.standing());
            let state = State::On { store: Arc::clone(&store), events: events.clone(), standing };
            let takes = Self(Arc::new(state));
            let mut threads = TakesThreads { store, events: Some(events), threads: Vec::new() };
            threads.start(&takes, incoming, on_trouble)?;
            Ok((takes, threads))
        });
        match opened {
            Ok((takes, threads)) => (takes, Some(threads)),
            Err(error) => {
                let data = data.display();
                tracing::warn!(%data, %error, "no takes: the data folder cannot be used");
                (Self::off(format!("its data folder cannot be used ({error})")), None)
            }
        }
    }

    /// No takes, for that reason.
    #[must_use]
    pub fn off(reason: String) -> Self {
        Self(Arc::new(State::Off(reason)))
    }

    /// Whether a take may begin in this room: asked before anybody is told that one does. It is a
    /// second old at most; where it was too hopeful, [`OnTrouble`] hears of it.
    pub fn admit(&self, room: &str) -> Result<(), BeginError> {
        match &*self.0 {
            State::On { standing, .. } => {
                standing.lock().unwrap_or_else(PoisonError::into_inner).admit(room)
            }
            State::Off(reason) => Err(BeginError::Unavailable(reason.clone())),
        }
    }

    /// A take begins.
    pub fn started(&self, begin: Begin) {
        self.send(Event::Started(Box::new(begin)));
    }

    /// It ends.
    pub fn stopped(&self, take: TakeId, at: RoomTime) {
        self.send(Event::Stopped(take, at));
    }

    /// Everybody is gone, and nobody ended it: it ends where its stems do.
    pub fn abandoned(&self, take: TakeId) {
        self.send(Event::Abandoned(take));
    }

    /// Somebody marks a moment.
    pub fn marked(&self, take: TakeId, at: RoomTime, text: String) {
        self.send(Event::Marked(take, at, text));
    }

    /// The tempo map is this, as a whole.
    pub fn click(&self, take: TakeId, segments: Vec<TempoChange>) {
        self.send(Event::Click(take, segments));
    }

    /// Somebody is in the room while a take runs: whose stem is missed if it does not come.
    pub fn present(&self, take: TakeId, participant: u64, name: String) {
        self.send(Event::Present(take, participant, name));
    }

    /// For requests, which wait on threads of their own.
    pub(crate) fn store(&self) -> Result<&Arc<Store>, TakeError> {
        match &*self.0 {
            State::On { store, .. } => Ok(store),
            State::Off(reason) => Err(TakeError::Unavailable(reason.clone())),
        }
    }

    fn send(&self, event: Event) {
        let State::On { events, .. } = &*self.0 else { return };
        match events.try_send(event) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                tracing::error!("the disk is too slow: something of a take is not written down");
            }
            Err(TrySendError::Disconnected(_)) => tracing::debug!("takes have ended"),
        }
    }

    fn refresh(&self, store: &Store) {
        if let State::On { standing, .. } = &*self.0 {
            let newest = store.standing();
            *standing.lock().unwrap_or_else(PoisonError::into_inner) = newest;
        }
    }
}

impl core::fmt::Debug for Takes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match &*self.0 {
            State::On { .. } => "Takes(on)",
            State::Off(_) => "Takes(off)",
        })
    }
}

impl TakesThreads {
    fn start(
        &mut self,
        takes: &Takes,
        incoming: Receiver<Event>,
        on_trouble: OnTrouble,
    ) -> io::Result<()> {
        let (takes, store) = (takes.clone(), Arc::clone(&self.store));
        self.spawn("takes", move || write_down(&takes, &store, &incoming, on_trouble))?;
        let store = Arc::clone(&self.store);
        self.spawn("takes-work", move || {
            give_way();
            store.work();
        })
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(thread::Builder::new().name(name.to_owned()).spawn(run)?);
        Ok(())
    }
}

impl Drop for TakesThreads {
    fn drop(&mut self) {
        self.store.close();
        if let Some(events) = self.events.take() {
            // Waits for a place: what was told before is still written down.
            let _ = events.send(Event::Close);
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of takes panicked");
            }
        }
    }
}

fn write_down(takes: &Takes, store: &Store, incoming: &Receiver<Event>, mut trouble: OnTrouble) {
    let mut swept: Option<Instant> = None;
    loop {
        if swept.is_none_or(|at| SWEEP_INTERVAL < at.elapsed()) {
            swept = Some(Instant::now());
            match store.sweep(SystemTime::now()) {
                0 => {}
                gone => tracing::info!(gone, "takes are deleted, too old or by hand"),
            }
        }
        match incoming.recv_timeout(STANDING_INTERVAL) {
            Ok(Event::Close) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(event) => {
                if let Err((take, text)) = event.tell(store) {
                    tracing::warn!(%take, error = text, "something of a take is not written down");
                    trouble(take, text);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        takes.refresh(store);
    }
}

impl Event {
    fn tell(self, store: &Store) -> Result<(), (TakeId, String)> {
        let (take, told) = match self {
            Self::Started(begin) => {
                return store.begin(&begin).map_err(|error| (begin.take, error.to_string()));
            }
            Self::Stopped(take, at) => (take, store.stop(take, at)),
            Self::Abandoned(take) => (take, store.abandon(take)),
            Self::Marked(take, at, text) => (take, store.mark(take, at, &text)),
            Self::Click(take, segments) => (take, store.click(take, &segments)),
            Self::Present(take, who, name) => (take, store.present(take, who, &name)),
            Self::Close => return Ok(()),
        };
        told.map_err(|error| (take, error.to_string()))
    }
}

/// Everybody else runs first, where the system can tell threads apart.
#[cfg(target_os = "linux")]
fn give_way() {
    const NICEST: i32 = 19;
    // On Linux "the process" is the calling thread.
    if let Err(error) = rustix::process::setpriority_process(None, NICEST) {
        tracing::debug!(%error, "exports have ordinary priority");
    }
}

#[cfg(not(target_os = "linux"))]
const fn give_way() {}

/// How old [`Takes::admit`]'s knowledge may be.
const STANDING_INTERVAL: Duration = Duration::from_secs(1);
