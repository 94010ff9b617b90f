//! Who may come into a room, where somebody knows: rooms that an account owns.
//!
//! What surprises: the core does not know it. A `join` waits in its connection while whoever knows is
//! asked ([`crate::Output::Ask`]), and goes on where it stopped with [`Signalling::handle_admission`];
//! so no way of writing a `join` leads past the question. A seat that was kept needs no answer: whoever
//! sits in it was let in, and who was taken out has none.

use protocol::id::RoomId;
use protocol::signal::{ErrorCode, RoomRole};
use protocol::time::Instant;

use crate::connection::{AddressBlock, ConnectionId};
use crate::limits::{REMEMBERED_MAX, REMOVED_FOR};
use crate::output::Output;
use crate::refusal::Refusal;
use crate::requests::Entering;
use crate::signalling::Signalling;

/// Who somebody is in a room that an account owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What they may do.
    pub role: RoomRole,
    /// The id of the account that they come with.
    pub account: Option<String>,
}

/// Whether a room is joined, and looked at, without a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privacy {
    /// By whoever knows its name.
    Open,
    /// By nobody.
    Private,
}

/// What whoever knows says of a `join`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Nobody owns the room: everybody may come, and nobody has a role.
    Unowned,
    /// They may come.
    Owned(Standing, Privacy),
    /// They may not.
    Refused {
        /// For programs.
        code: ErrorCode,
        /// For people: why, and what to do.
        text: String,
    },
}

/// What changed about a room that an account owns, or owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomNews {
    /// An account may do this there.
    Role {
        /// Its id.
        account: String,
        /// What.
        role: RoomRole,
    },
    /// An account may not be there any more.
    Banned {
        /// Its id.
        account: String,
    },
    /// Nobody is to hear an account, or they may again. It was done where else the room is played in.
    Silenced {
        /// Its id.
        account: String,
        /// Whether nobody is.
        on: bool,
    },
    /// An account was taken out, where else the room is played in.
    Removed {
        /// Its id.
        account: String,
    },
    /// Whether it is joined without a pass; somebody owns it.
    Privacy(Privacy),
    /// Nobody owns it any more: nobody has a role, and nobody is silenced.
    Disowned,
}

/// A `join` that waits for an answer.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) request: Option<u32>,
    pub(crate) entering: Entering,
    /// Whether something changed about the room since it was asked about: the answer may be older.
    pub(crate) is_stale: bool,
}

/// By what somebody is known again who comes back as another participant. Of guests that is little:
/// the pass that they came with, and their address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) account: Option<String>,
    pub(crate) pass: Option<String>,
    pub(crate) from: Option<AddressBlock>,
}

impl Trace {
    /// That of an account, wherever it comes from.
    pub(crate) const fn of_account(account: String) -> Self {
        Self { account: Some(account), pass: None, from: None }
    }

    /// Whether somebody who comes is, as far as can be told, who left this trace. An account is another
    /// person than a guest who shares its address.
    fn is_of(&self, comer: &Self) -> bool {
        match (&self.account, &comer.account) {
            (Some(left), Some(comes)) => left == comes,
            (None, Some(_)) => self.pass.is_some() && self.pass == comer.pass,
            (_, None) => {
                (self.pass.is_some() && self.pass == comer.pass)
                    || (self.from.is_some() && self.from == comer.from)
            }
        }
    }
}

/// Somebody who is let in.
#[derive(Debug)]
pub(crate) struct Newcomer {
    pub(crate) trace: Trace,
    pub(crate) role: Option<RoomRole>,
    /// Whether nobody is to hear them.
    pub(crate) is_silenced: bool,
}

/// Whom a room remembers though they are gone, the oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remembered {
    removed: Vec<(Trace, Instant)>,
    silenced: Vec<Trace>,
}

impl Remembered {
    /// Somebody was taken out.
    pub(crate) fn note_removed(&mut self, now: Instant, trace: Trace) {
        self.removed.push((trace, now + REMOVED_FOR));
        let too_many = self.removed.len().saturating_sub(REMEMBERED_MAX);
        self.removed.drain(..too_many);
    }

    /// Somebody left whom nobody was to hear.
    pub(crate) fn note_silenced(&mut self, trace: Trace) {
        self.silenced.retain(|known| *known != trace);
        self.silenced.push(trace);
        let too_many = self.silenced.len().saturating_sub(REMEMBERED_MAX);
        self.silenced.drain(..too_many);
    }

    /// Whether somebody who comes was taken out a while ago.
    pub(crate) fn was_removed(&mut self, now: Instant, comer: &Trace) -> bool {
        self.removed.retain(|(_, until)| now < *until);
        self.removed.iter().any(|(trace, _)| trace.is_of(comer))
    }

    /// Whether somebody who comes was silenced when they left. They stay known: whoever comes once may
    /// come a second time beside it.
    pub(crate) fn was_silenced(&self, comer: &Trace) -> bool {
        self.silenced.iter().any(|trace| trace.is_of(comer))
    }

    /// Somebody is to be heard again, also when they leave and come back.
    pub(crate) fn forget_silenced(&mut self, whom: &Trace) {
        self.silenced.retain(|trace| !trace.is_of(whom));
    }

    /// Nobody is remembered any more.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Signalling {
    /// Somebody knows who may come into which room, and is asked for each who comes
    /// ([`crate::Output::Ask`]).
    #[must_use]
    pub fn with_doorkeeper(mut self) -> Self {
        self.has_doorkeeper = true;
        self
    }

    /// What was asked about a connection's `join` is answered.
    pub fn handle_admission(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        admission: Admission,
    ) {
        // Whoever asked may be gone.
        let Some(state) = self.connections.get_mut(&connection) else { return };
        let Some(waiting) = state.waiting.take() else { return };
        let Waiting { request, entering, is_stale } = waiting;
        if is_stale {
            // How often is bounded by the deadline of a join.
            let (room, pass) = (entering.room.clone(), entering.pass.clone());
            state.waiting = Some(Waiting { request, entering, is_stale: false });
            self.outputs.push_back(Output::Ask { connection, room, pass });
            return;
        }
        if let Err(refusal) = self.admit(now, connection, request, entering, admission) {
            self.refuse(now, connection, request, &refusal);
        }
    }

    /// Lets somebody in who has no seat, or says why not.
    pub(crate) fn admit(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: Option<u32>,
        entering: Entering,
        admission: Admission,
    ) -> Result<(), Refusal> {
        let owned = match admission {
            Admission::Unowned => None,
            Admission::Owned(standing, privacy) => Some((standing, privacy)),
            Admission::Refused { code, text } => return Err(Refusal::new(code, text)),
        };
        let (standing, privacy) = owned.unzip();
        let comer = Trace {
            account: standing.as_ref().and_then(|standing| standing.account.clone()),
            pass: entering.pass.clone().filter(|_| standing.is_some()),
            from: self.connections.get(&connection).and_then(|state| state.from),
        };
        let is_owner = standing.as_ref().is_some_and(|standing| standing.role == RoomRole::Owner);
        let mut is_silenced = false;
        if let Some(room) = self.rooms.get_mut(&entering.room).filter(|_| standing.is_some()) {
            if !is_owner && room.remembered.was_removed(now, &comer) {
                let text = "you were taken out of this room a few minutes ago; come back later";
                return Err(Refusal::new(ErrorCode::Removed, text));
            }
            // Who is silenced and still sits here, or is waited for, comes by a second window or after
            // a crash.
            let mut present = room.members.iter().filter_map(|id| self.members.get(id));
            is_silenced = !is_owner
                && (room.remembered.was_silenced(&comer)
                    || present.any(|member| member.is_silenced && member.trace.is_of(&comer)));
        }
        let room = entering.room.clone();
        let role = standing.map(|standing| standing.role);
        let newcomer = Newcomer { trace: comer, role, is_silenced };
        let participant = self.make_seat(connection, entering, newcomer)?;
        if let Some(room) = self.rooms.get_mut(&room) {
            room.privacy = privacy.unwrap_or(Privacy::Open);
        }
        self.seated(now, connection, request, participant, false);
        Ok(())
    }

    /// Something changed about a room.
    pub fn handle_room_news(&mut self, now: Instant, room: &RoomId, news: RoomNews) {
        // What is answered about them may have been read before this: they are asked about again.
        for waiting in self.connections.values_mut().filter_map(|state| state.waiting.as_mut()) {
            waiting.is_stale |= waiting.entering.room == *room;
        }
        let Some(state) = self.rooms.get_mut(room) else { return };
        let members: Vec<_> = state.members.iter().copied().collect();
        match news {
            RoomNews::Privacy(privacy) => {
                state.privacy = privacy;
                // Whoever came in while the room got its owner has no role, and nobody would be over
                // them.
                for id in members {
                    let member = self.members.get_mut(&id).filter(|member| member.role.is_none());
                    let Some(member) = member else { continue };
                    member.role = Some(RoomRole::Guest);
                    self.tell_participant(id, None);
                }
            }
            RoomNews::Role { account, role } => {
                for id in members {
                    let Some(member) = self.members.get_mut(&id) else { continue };
                    let is_theirs = member.trace.account.as_ref() == Some(&account);
                    if is_theirs && member.role.is_some() && member.role != Some(role) {
                        member.role = Some(role);
                        // Nobody is over an owner, so that nobody could lift it.
                        member.is_silenced &= role != RoomRole::Owner;
                        self.tell_participant(id, None);
                    }
                }
                self.settle(room);
            }
            RoomNews::Banned { account } => {
                for id in members {
                    let Some(member) = self.members.get_mut(&id) else { continue };
                    if member.trace.account.as_ref() == Some(&account) {
                        // Whoever knows the room keeps the account out, for as long as it is banned;
                        // here only whoever comes back without it is remembered.
                        member.trace = Trace { account: None, pass: None, from: member.trace.from };
                        self.take_out(now, id, "you are banned from this room", None);
                    }
                }
            }
            RoomNews::Silenced { account, on } => self.silence_account(room, account, on),
            RoomNews::Removed { account } => self.remove_account(now, room, account),
            RoomNews::Disowned => {
                state.privacy = Privacy::Open;
                state.remembered.clear();
                for id in members {
                    let Some(member) = self.members.get_mut(&id) else { continue };
                    if member.role.take().is_some() {
                        member.trace.account = None;
                        member.is_silenced = false;
                        self.tell_participant(id, None);
                    }
                }
                self.settle(room);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(account: Option<&str>, pass: Option<&str>, from: Option<u8>) -> Trace {
        Trace {
            account: account.map(Into::into),
            pass: pass.map(Into::into),
            from: from.map(|last| AddressBlock::V4([192, 0, 2, last])),
        }
    }

    #[test]
    fn an_account_is_known_by_itself_and_a_guest_by_pass_or_address() {
        let ada = trace(Some("ada"), Some("p1"), Some(1));
        assert!(ada.is_of(&trace(Some("ada"), Some("p2"), Some(2))));
        assert!(!ada.is_of(&trace(Some("bo"), Some("p3"), Some(1))), "of the same house");
        assert!(ada.is_of(&trace(None, None, Some(1))), "signed out");
        let guest = trace(None, Some("p4"), Some(3));
        assert!(guest.is_of(&trace(None, Some("p4"), Some(4))));
        assert!(guest.is_of(&trace(None, Some("p5"), Some(3))));
        assert!(!guest.is_of(&trace(None, Some("p5"), Some(4))));
        assert!(!guest.is_of(&trace(Some("bo"), Some("p6"), Some(3))));
        assert!(!trace(None, None, None).is_of(&trace(None, None, None)), "nothing is known");
    }

    #[test]
    fn so_many_are_remembered_and_for_so_long() {
        let mut remembered = Remembered::default();
        let all = u8::try_from(REMEMBERED_MAX).expect("fits") + 1;
        for last in 0..all {
            remembered.note_removed(Instant::ZERO, trace(None, None, Some(last)));
            remembered.note_silenced(trace(None, None, Some(last)));
        }
        let (first, last) = (trace(None, None, Some(0)), trace(None, None, Some(all - 1)));
        let later = Instant::ZERO + REMOVED_FOR;
        assert!(!remembered.was_removed(Instant::ZERO, &first), "the oldest is forgotten");
        assert!(remembered.was_removed(Instant::ZERO, &last));
        assert!(!remembered.was_removed(later, &last));
        assert!(!remembered.was_silenced(&first));
        assert!(remembered.was_silenced(&last));
        assert!(remembered.was_silenced(&last), "and a second time");
        remembered.note_silenced(last.clone());
        assert_eq!(remembered.silenced.len(), REMEMBERED_MAX, "once is enough");
        remembered.forget_silenced(&last);
        assert!(!remembered.was_silenced(&last));
    }
}
