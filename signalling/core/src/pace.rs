//! How often somebody may say something, and something that nobody understands.

use protocol::signal::{ByeReason, ErrorCode};
use protocol::time::Instant;

use crate::connection::ConnectionId;
use crate::refusal::Refusal;
use crate::signalling::Signalling;

impl Signalling {
    /// Counts what came as a message; says no where there are too many, and ends the connection
    /// where that goes on.
    pub(crate) fn count_message(&mut self, now: Instant, connection: ConnectionId) -> Pace {
        let Some(state) = self.connections.get_mut(&connection) else { return Pace::TooFast };
        if state.messages.take(now).is_ok() {
            return Pace::Fair;
        }
        let ended = state.hurried.take(now).is_err();
        let refusal = Refusal::new(ErrorCode::TooFast, "too many messages; wait a second");
        self.send_error(connection, None, &refusal);
        if ended {
            let text = "too many messages for too long";
            self.end(now, connection, ByeReason::Misbehaved, text);
        }
        Pace::TooFast
    }

    pub(crate) fn handle_malformed(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: Option<u32>,
        what: &str,
    ) {
        let Some(state) = self.connections.get_mut(&connection) else { return };
        let ended = state.malformed.take(now).is_err();
        let refusal = Refusal::new(ErrorCode::Malformed, what);
        self.refuse(now, connection, request, &refusal);
        if ended {
            self.end(now, connection, ByeReason::Misbehaved, "too many malformed messages");
        }
    }
}

/// Whether a message is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Fair,
    TooFast,
}
