//! When the media link is restarted, and when it is replaced.
//!
//! A restart (RFC 8445 §9) keeps DTLS and SRTP and is tried first; a link that does not come back
//! is replaced by a new one, with a new certificate. What surprises: a link that was restored by
//! itself needs nothing, so a dropped WebSocket alone never touches the sound.

use core::time::Duration;

use protocol::time::Instant;

/// What has to be done to the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkAction {
    /// A new link with a new certificate.
    Open,
    /// New ICE credentials on the link that is there.
    Restart,
}

/// The media link as the policy sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum LinkState {
    /// There is none.
    #[default]
    None,
    /// Under way since then; `restart` of one that had been up, or new.
    Pending { since: Instant, action: PendingAction },
    /// Media flows.
    Up,
    /// It was up and nothing comes any more.
    Down,
}

/// What is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PendingAction {
    /// The first handshake of a link.
    Opening,
    /// The restart of one.
    Restarting,
}

impl LinkState {
    /// What to do now; `None` while nothing is to be done.
    ///
    /// Call while signalling can be reached, since either action needs an answer.
    pub(super) fn next(&mut self, now: Instant) -> Option<LinkAction> {
        let action = match *self {
            Self::None => LinkAction::Open,
            Self::Down => LinkAction::Restart,
            Self::Up => return None,
            Self::Pending { since, action } => {
                let waited = now.saturating_since(since);
                match action {
                    PendingAction::Restarting if RESTART_TIME < waited => LinkAction::Open,
                    PendingAction::Opening if OPEN_TIME < waited => LinkAction::Open,
                    PendingAction::Restarting | PendingAction::Opening => return None,
                }
            }
        };
        *self = Self::Pending {
            since: now,
            action: match action {
                LinkAction::Open => PendingAction::Opening,
                LinkAction::Restart => PendingAction::Restarting,
            },
        };
        Some(action)
    }
}

/// A restart takes two round trips; a server that lost the link never answers it.
const RESTART_TIME: Duration = Duration::from_secs(3);

/// A handshake takes a few round trips, and DTLS repeats lost flights after a second.
const OPEN_TIME: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_ns(ms * 1_000_000)
    }

    #[test]
    fn a_link_that_went_down_is_restarted_then_replaced() {
        let mut link = LinkState::default();
        assert_eq!(link.next(at(0)), Some(LinkAction::Open));
        assert_eq!(link.next(at(100)), None);
        link = LinkState::Up;
        assert_eq!(link.next(at(200)), None);
        link = LinkState::Down;
        assert_eq!(link.next(at(300)), Some(LinkAction::Restart));
        assert_eq!(link.next(at(3300)), None);
        assert_eq!(link.next(at(3301)), Some(LinkAction::Open));
        assert_eq!(link.next(at(11_301)), None);
        assert_eq!(link.next(at(11_302)), Some(LinkAction::Open));
    }
}
