//! Starting the media server, and what others hold of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use protocol::control::{Command, Event, SfuDescription};
use sfu::Router;
use thiserror::Error;
use transport::Certificate;

use crate::addresses::candidates;
use crate::config::{SfuConfig, StartError};
use crate::limits::COMMANDS_MAX;
use crate::run_loop::{Request, RunLoop};
use crate::socket::{MediaSocket, SendBatch};
use crate::telemetry::{Snapshot, SocketCounters, Telemetry};
use crate::wake::Wake;

/// The media server.
#[derive(Debug)]
pub enum Sfu {}

impl Sfu {
    /// Opens the socket and starts the media thread.
    ///
    /// `on_event` is called on that thread, in order: it must not block, because every room waits
    /// for it.
    pub fn start(
        config: &SfuConfig,
        on_event: impl FnMut(Event) + Send + 'static,
    ) -> Result<SfuHandle, StartError> {
        let socket = MediaSocket::bind(config.media)
            .map_err(|source| StartError::Socket { address: config.media, source })?;
        let local = socket.local();
        let candidates = candidates(config, local)?;
        let certificate = Certificate::generate()?;
        let fingerprint = certificate.fingerprint().to_owned();
        let wake = Arc::new(Wake::new().map_err(StartError::Thread)?);
        let (sender, requests) = sync_channel(COMMANDS_MAX);
        let telemetry = Telemetry::default();
        let run_loop = RunLoop {
            router: Router::new(certificate),
            socket,
            wake: Arc::clone(&wake),
            requests,
            on_event,
            telemetry: telemetry.clone(),
            outgoing: SendBatch::new(),
            counters: SocketCounters::default(),
            started: std::time::Instant::now(),
        };
        let thread = std::thread::Builder::new()
            .name("sfu".into())
            .spawn(move || run_loop.run())
            .map_err(StartError::Thread)?;
        Ok(SfuHandle {
            description: SfuDescription { fingerprint, candidates },
            local,
            commands: Commands { sender, wake },
            telemetry,
            thread: Some(thread),
        })
    }
}

/// A running media server. Dropping it stops it.
#[derive(Debug)]
pub struct SfuHandle {
    description: SfuDescription,
    local: SocketAddr,
    commands: Commands,
    telemetry: Telemetry,
    thread: Option<JoinHandle<()>>,
}

impl SfuHandle {
    /// Its fingerprint and where participants find it.
    #[must_use]
    pub const fn description(&self) -> &SfuDescription {
        &self.description
    }

    /// Where its socket is bound.
    #[must_use]
    pub const fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// A way to command it.
    #[must_use]
    pub fn commands(&self) -> Commands {
        self.commands.clone()
    }

    /// What it counted until at most a tenth of a second ago.
    #[must_use]
    pub fn counters(&self) -> Snapshot {
        self.telemetry.snapshot()
    }

    /// Closes all links, tells their participants, and waits for the media thread to end; gives
    /// its last counts.
    #[must_use]
    pub fn shutdown(mut self) -> Snapshot {
        self.stop();
        self.counters()
    }

    fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        // Waits while the queue is full: the thread is emptying it.
        if self.commands.sender.send(Request::Stop).is_ok() {
            self.commands.wake.wake();
        }
        if thread.join().is_err() {
            tracing::error!("the media thread had panicked");
        }
    }
}

impl Drop for SfuHandle {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Sends commands to the media thread; clone it freely.
#[derive(Debug, Clone)]
pub struct Commands {
    sender: SyncSender<Request>,
    wake: Arc<Wake>,
}

/// Why a command was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CommandsRefused {
    /// [`COMMANDS_MAX`] commands are waiting.
    #[error("the media server is busy: {COMMANDS_MAX} commands are waiting")]
    Exhausted,
    /// The media thread has ended.
    #[error("the media server has stopped")]
    Stopped,
}

impl Commands {
    /// Queues a command; never waits. Commands of one sender are carried out in order.
    pub fn send(&self, command: Command) -> Result<(), CommandsRefused> {
        match self.sender.try_send(Request::Carry(command)) {
            Ok(()) => {
                self.wake.wake();
                Ok(())
            }
            Err(TrySendError::Full(_)) => Err(CommandsRefused::Exhausted),
            Err(TrySendError::Disconnected(_)) => Err(CommandsRefused::Stopped),
        }
    }
}
