//! Starting the media server, and what others hold of it.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::control::{Event, SfuDescription, WorkerDescription};
use protocol::id::WorkerId;
use protocol::rtcp::NtpTime;
use sfu::Router;
use transport::Certificate;

use crate::addresses::candidates;
use crate::commands::{Commands, Lane};
use crate::config::{SfuConfig, StartError, of_worker};
use crate::limits::COMMANDS_MAX;
use crate::load::Load;
use crate::pace::Pace;
use crate::run_loop::{Backlog, Request, RunLoop};
use crate::socket::{MediaSocket, SendBatch};
use crate::telemetry::{DelayHistogram, Snapshot, SocketCounters, Telemetry};
use crate::wake::Wake;

/// What the wall clock shows, for sender reports. One that stands before 1970 counts from there.
fn wall_clock() -> NtpTime {
    NtpTime::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// The media server.
#[derive(Debug)]
pub enum Sfu {}

impl Sfu {
    /// Opens the sockets and starts the workers.
    ///
    /// `on_event` is called on their threads, in order for each: it must not block, because every
    /// room of the worker waits for it.
    pub fn start(
        config: &SfuConfig,
        on_event: impl FnMut(Event) + Clone + Send + 'static,
    ) -> Result<SfuHandle, StartError> {
        let certificate = Certificate::generate()?;
        let sockets = bind(config)?;
        let mut descriptions = Vec::new();
        for (worker, socket) in &sockets {
            descriptions.push(WorkerDescription {
                candidates: candidates(config, *worker, socket.local())?,
                packets_per_second_max: config.packets_per_second_max,
            });
        }
        let fingerprint = certificate.fingerprint().to_owned();
        let description = SfuDescription { fingerprint, workers: descriptions };
        let mut workers = Vec::new();
        for (id, socket) in sockets {
            let local = socket.local();
            let wake = Arc::new(Wake::new().map_err(StartError::Thread)?);
            let (sender, requests) = sync_channel(COMMANDS_MAX);
            let telemetry = Telemetry::default();
            let run_loop = RunLoop {
                id,
                router: Router::new(certificate.clone()).with_epoch(wall_clock()),
                socket,
                wake: Arc::clone(&wake),
                requests,
                on_event: on_event.clone(),
                telemetry: telemetry.clone(),
                outgoing: SendBatch::new(),
                counters: SocketCounters::default(),
                delay: DelayHistogram::default(),
                waiting: DelayHistogram::default(),
                pace: Pace::new(),
                backlog: Backlog::None,
                load: Load::new(protocol::time::Instant::ZERO),
                started: std::time::Instant::now(),
            };
            let thread = std::thread::Builder::new()
                .name(format!("sfu-{id}"))
                .spawn(move || run_loop.run())
                .map_err(StartError::Thread)?;
            workers.push(Worker { local, lane: Lane { sender, wake }, telemetry, thread });
        }
        let commands = Commands::new(workers.iter().map(|worker| worker.lane.clone()).collect());
        Ok(SfuHandle { description, commands, workers })
    }
}

/// A socket for each worker, at ports that follow each other unless any will do.
fn bind(config: &SfuConfig) -> Result<Vec<(WorkerId, MediaSocket)>, StartError> {
    let bind = |worker| {
        let address = of_worker(config.media, WorkerId(worker))?;
        let socket = MediaSocket::bind(address);
        let socket = socket.map_err(|source| StartError::Socket { address, source })?;
        Ok((WorkerId(worker), socket))
    };
    // The last port is the first that does not exist, if one does not.
    of_worker(config.media, WorkerId(config.workers.get() - 1))?;
    (0..config.workers.get()).map(bind).collect()
}

/// One worker per core of this machine.
#[must_use]
pub fn workers_by_cores() -> NonZeroU16 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u16::try_from(cores).ok().and_then(NonZeroU16::new).unwrap_or(NonZeroU16::MIN)
}

/// A running media server. Dropping it stops it.
#[derive(Debug)]
pub struct SfuHandle {
    description: SfuDescription,
    commands: Commands,
    workers: Vec<Worker>,
}

#[derive(Debug)]
struct Worker {
    local: SocketAddr,
    lane: Lane,
    telemetry: Telemetry,
    thread: JoinHandle<()>,
}

impl SfuHandle {
    /// Its fingerprint and where participants find its workers.
    #[must_use]
    pub const fn description(&self) -> &SfuDescription {
        &self.description
    }

    /// Where the first worker's socket is bound.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.workers.first().map_or_else(|| SocketAddr::from(([0; 4], 0)), |first| first.local)
    }

    /// A way to command it.
    #[must_use]
    pub fn commands(&self) -> Commands {
        self.commands.clone()
    }

    /// A way to read what it counts, from any thread.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts(self.workers.iter().map(|worker| worker.telemetry.clone()).collect())
    }

    /// What all workers counted until at most a tenth of a second ago.
    #[must_use]
    pub fn counters(&self) -> Snapshot {
        self.counts().total()
    }

    /// Closes all links, tells their participants, and waits for the workers to end; gives their
    /// last counts.
    #[must_use]
    pub fn shutdown(mut self) -> Snapshot {
        let counts = self.counts();
        self.stop();
        counts.total()
    }

    fn stop(&mut self) {
        for worker in &self.workers {
            // Waits while the queue is full: the thread is emptying it.
            if worker.lane.sender.send(Request::Stop).is_ok() {
                worker.lane.wake.wake();
            }
        }
        for worker in self.workers.drain(..) {
            if worker.thread.join().is_err() {
                tracing::error!("a media thread had panicked");
            }
        }
    }
}

impl Drop for SfuHandle {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the workers count; outlives them.
#[derive(Debug, Clone)]
pub struct Counts(Vec<Telemetry>);

impl Counts {
    /// The counts of each worker.
    #[must_use]
    pub fn workers(&self) -> Vec<Snapshot> {
        self.0.iter().map(Telemetry::snapshot).collect()
    }

    /// The counts of all workers together.
    #[must_use]
    pub fn total(&self) -> Snapshot {
        let mut total = Snapshot::default();
        self.workers().into_iter().for_each(|worker| total += worker);
        total
    }
}
