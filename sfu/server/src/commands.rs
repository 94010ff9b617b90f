//! Commands on their way to the worker that they are for.

use std::collections::BTreeMap;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};

use protocol::control::Command;
use protocol::id::{ParticipantId, WorkerId};
use thiserror::Error;

use crate::limits::COMMANDS_MAX;
use crate::run_loop::Request;
use crate::wake::Wake;

/// Sends commands to the workers; clone it freely.
///
/// `OpenLink` says where a participant lives; what else is said of the participant goes there.
#[derive(Debug, Clone)]
pub struct Commands {
    lanes: Arc<[Lane]>,
    homes: Arc<Mutex<BTreeMap<ParticipantId, WorkerId>>>,
}

/// The way to one worker.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    pub(crate) sender: SyncSender<Request>,
    pub(crate) wake: Arc<Wake>,
}

/// Why a command was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CommandsRefused {
    /// [`COMMANDS_MAX`] commands are waiting.
    #[error("the media server is busy: {COMMANDS_MAX} commands are waiting")]
    Exhausted,
    /// The worker has ended.
    #[error("the media server has stopped")]
    Stopped,
    /// There is no such worker.
    #[error("the media server has no worker {0}")]
    UnknownWorker(WorkerId),
}

impl Commands {
    pub(crate) fn new(lanes: Vec<Lane>) -> Self {
        Self { lanes: lanes.into(), homes: Arc::default() }
    }

    /// Queues a command; never waits for a worker. Commands of one sender about one participant are
    /// carried out in order.
    pub fn send(&self, command: Command) -> Result<(), CommandsRefused> {
        let participant = command.participant();
        let mut homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
        let opens =
            if let Command::OpenLink { worker, .. } = &command { Some(*worker) } else { None };
        let closes = matches!(command, Command::CloseLink { .. });
        // Of a participant without a link, any worker says so.
        let home = homes.get(&participant).copied().or(opens).unwrap_or_default();
        let lane = self.lanes.get(usize::from(home.0));
        let lane = lane.ok_or(CommandsRefused::UnknownWorker(home))?;
        lane.sender.try_send(Request::Carry(command)).map_err(|error| match error {
            TrySendError::Full(_) => CommandsRefused::Exhausted,
            TrySendError::Disconnected(_) => CommandsRefused::Stopped,
        })?;
        if closes {
            homes.remove(&participant);
        } else if opens.is_some() {
            homes.insert(participant, home);
        }
        drop(homes);
        lane.wake.wake();
        Ok(())
    }
}
