//! What the owner and the moderators of a room do with the others: silence them, take them out.
//!
//! Where nobody owns the room, nobody has a role and so nobody is over anybody. What surprises: a
//! silence is a state of the participant's, which [`crate::settle`] reads like that of a muted track;
//! no command of its own goes to the SFU.

use protocol::id::{ParticipantId, RoomId};
use protocol::signal::{ByeReason, ErrorCode, LeaveReason, RoomRole};
use protocol::time::Instant;

use crate::admission::{RoomNews, Trace};
use crate::connection::ConnectionId;
use crate::output::Output;
use crate::refusal::Refusal;
use crate::requests::Asker;
use crate::signalling::Signalling;

impl Signalling {
    /// Has nobody hear a participant, or lifts that.
    pub(crate) fn silence(
        &mut self,
        now: Instant,
        asker: Asker,
        whom: ParticipantId,
        on: bool,
    ) -> Result<(), Refusal> {
        self.count_room_change(now, asker.participant)?;
        self.check_over(asker, whom)?;
        let Some(member) = self.members.get_mut(&whom) else { return Ok(()) };
        member.is_silenced = on;
        let (room, account) = (member.room.clone(), member.trace.account.clone());
        if let Some(state) = self.rooms.get_mut(&room).filter(|_| !on) {
            state.remembered.forget_silenced(&member.trace);
        }
        self.tell_elsewhere(&room, account, |account| RoomNews::Silenced { account, on });
        self.tell_participant(whom, asker.answered());
        self.settle(&room);
        Ok(())
    }

    /// Takes a participant out of the room.
    pub(crate) fn remove(
        &mut self,
        now: Instant,
        asker: Asker,
        whom: ParticipantId,
    ) -> Result<(), Refusal> {
        self.count_room_change(now, asker.participant)?;
        self.check_over(asker, whom)?;
        let name = self.members.get(&asker.participant).map_or("somebody", |member| &member.name);
        let text = format!("{name} took you out of the room");
        if let Some(member) = self.members.get(&whom) {
            let (room, account) = (member.room.clone(), member.trace.account.clone());
            self.tell_elsewhere(&room, account, |account| RoomNews::Removed { account });
        }
        self.take_out(now, whom, &text, asker.answered());
        Ok(())
    }

    /// Ends a participant's stay, for a while at least, and tells them why.
    pub(crate) fn take_out(
        &mut self,
        now: Instant,
        whom: ParticipantId,
        text: &str,
        answered: Option<(ConnectionId, Option<u32>)>,
    ) {
        let Some(member) = self.members.get_mut(&whom) else { return };
        let (room, trace) = (member.room.clone(), member.trace.clone());
        // They are told nothing after goodbye.
        let connection = member.connection.take();
        if let Some(room) = self.rooms.get_mut(&room) {
            room.remembered.note_removed(now, trace);
        }
        if let Some(connection) = connection {
            self.send_bye(connection, ByeReason::Removed, text);
            self.forget_connection(connection);
        }
        self.give_up_seat(whom, LeaveReason::Removed, answered);
    }

    /// Tells whoever has the same room elsewhere. Of whoever has no account they would know nothing.
    fn tell_elsewhere(
        &mut self,
        room: &RoomId,
        account: Option<String>,
        news: impl FnOnce(String) -> RoomNews,
    ) {
        if let Some(account) = account.filter(|_| self.has_doorkeeper) {
            self.outputs.push_back(Output::Tell { room: room.clone(), news: news(account) });
        }
    }

    /// Has nobody hear an account, also when it comes, or lifts that: it was silenced where else the room
    /// is played in.
    pub(crate) fn silence_account(&mut self, room: &RoomId, account: String, on: bool) {
        let Some(state) = self.rooms.get_mut(room) else { return };
        let trace = Trace::of_account(account);
        if on {
            state.remembered.note_silenced(trace.clone());
        } else {
            state.remembered.forget_silenced(&trace);
        }
        for id in self.those_of(room, &trace) {
            if let Some(member) = self.members.get_mut(&id) {
                member.is_silenced = on;
                self.tell_participant(id, None);
            }
        }
        self.settle(room);
    }

    /// Takes an account out, and keeps it out for a while: so it was where else the room is played in.
    pub(crate) fn remove_account(&mut self, now: Instant, room: &RoomId, account: String) {
        let Some(state) = self.rooms.get_mut(room) else { return };
        let trace = Trace::of_account(account);
        state.remembered.note_removed(now, trace.clone());
        for id in self.those_of(room, &trace) {
            self.take_out(now, id, "you were taken out of this room", None);
        }
    }

    /// Who is in a room with an account, unless nobody is over them.
    fn those_of(&self, room: &RoomId, trace: &Trace) -> Vec<ParticipantId> {
        let members = self.rooms.get(room).map(|state| &state.members);
        let is_theirs = |id: &ParticipantId| {
            self.members.get(id).is_some_and(|member| {
                member.trace.account == trace.account
                    && member.role.is_some_and(|role| role != RoomRole::Owner)
            })
        };
        members.into_iter().flatten().copied().filter(is_theirs).collect()
    }

    /// That whoever asks is over somebody in their room.
    fn check_over(&self, asker: Asker, whom: ParticipantId) -> Result<(), Refusal> {
        let member = |id| self.members.get(&id);
        let (Some(own), other) = (member(asker.participant), member(whom)) else { return Ok(()) };
        let Some(other) = other.filter(|other| other.room == own.room) else {
            let text = format!("{whom} is not in this room any more");
            return Err(Refusal::new(ErrorCode::NoSuchParticipant, text));
        };
        let roles = own.role.zip(other.role);
        if roles.is_some_and(|(own, other)| own.is_over(other)) {
            return Ok(());
        }
        let text = match roles {
            None => "nobody owns this room, so nobody can silence or remove anybody",
            Some(_) => "only the owner of the room, or a moderator for guests, can do this",
        };
        Err(Refusal::new(ErrorCode::NotAllowed, text))
    }
}
