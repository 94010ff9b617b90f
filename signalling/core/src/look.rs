//! A look at a room from outside: who is in it, and how far each is from this server.
//!
//! It tells nothing that joining would not tell whoever knows the room's name; it only leaves no trace there. What
//! surprises: how late two will hear each other is not known before they do, but what the sound of each takes around
//! the server and back to themselves is, and half of both together is it.

use std::collections::BTreeMap;

use protocol::id::{ParticipantId, RoomId, TrackId};
use protocol::signal::{ErrorCode, SeenParticipant, ServerMessage, TrackHearing};
use protocol::time::Instant;

use crate::admission::Privacy;
use crate::connection::ConnectionId;
use crate::refusal::Refusal;
use crate::requests::Asker;
use crate::room::Member;
use crate::signalling::Signalling;

/// What was told of somebody's delays.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nearness {
    /// From their microphone around to their own loudspeaker, as they say.
    around_us: Option<u32>,
    /// As they hear the tracks of others.
    hears_us: BTreeMap<TrackId, u32>,
}

impl Signalling {
    /// Somebody who has not joined wants to know who is in a room.
    pub(crate) fn look(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: Option<u32>,
        room: RoomId,
    ) -> Result<(), Refusal> {
        let Some(state) = self.connections.get_mut(&connection) else { return Ok(()) };
        if state.participant.is_some() {
            let text = "whoever is in a room is told who else is; look before joining";
            return Err(Refusal::new(ErrorCode::OutOfOrder, text));
        }
        let hurried = |_| Refusal::new(ErrorCode::TooFast, "a look each two seconds is enough");
        state.looks.take(now).map_err(hurried)?;
        if self.rooms.get(&room).is_some_and(|room| room.privacy == Privacy::Private) {
            let text = "this room is private: only those who are in it see who is";
            return Err(Refusal::new(ErrorCode::PassWanted, text));
        }
        let ids = self.rooms.get(&room).into_iter().flat_map(|room| &room.members);
        let members: Vec<&Member> = ids.filter_map(|id| self.members.get(id)).collect();
        let participants = members.iter().map(|member| SeenParticipant {
            name: member.name.clone(),
            engine: member.capabilities.engine,
            presence: member.presence(),
            around_us: around_us(member, &members),
        });
        let participants = participants.collect();
        self.send(connection, request, ServerMessage::Seen { room, participants });
        Ok(())
    }

    /// Somebody says what their own sound takes around.
    pub(crate) fn around(
        &mut self,
        now: Instant,
        asker: Asker,
        delay_us: u32,
    ) -> Result<(), Refusal> {
        if let Some(state) = self.connections.get_mut(&asker.connection) {
            let hurried = |_| Refusal::new(ErrorCode::TooFast, "around each ten seconds is enough");
            state.arounds.take(now).map_err(hurried)?;
        }
        if let Some(member) = self.members.get_mut(&asker.participant) {
            member.nearness.around_us = Some(delay_us);
        }
        Ok(())
    }

    /// Keeps the latest word of a listener.
    pub(crate) fn note_hearing(&mut self, listener: ParticipantId, tracks: &[TrackHearing]) {
        let Some(member) = self.members.get_mut(&listener) else { return };
        // What a playing mode waits for is not what they would have to.
        let delays = tracks.iter().filter_map(|hearing| {
            let least = hearing.delay_us?.saturating_sub(hearing.padding_us.unwrap_or(0));
            Some((hearing.track, least))
        });
        member.nearness.hears_us = delays.collect();
    }
}

/// As they say themselves; otherwise the mean of all delays between them and others, for of each of those a half is
/// theirs.
fn around_us(member: &Member, members: &[&Member]) -> Option<u32> {
    let own = |member: &Member, track| member.tracks.iter().any(|own| own.id == track);
    let hears = member.nearness.hears_us.iter();
    let hears = hears.filter(|(track, _)| members.iter().any(|other| own(other, **track)));
    let heard = members.iter().flat_map(|other| &other.nearness.hears_us);
    let heard = heard.filter(|(track, _)| own(member, **track));
    let delays: Vec<u64> = hears.chain(heard).map(|(_, delay_us)| u64::from(*delay_us)).collect();
    let count = u64::try_from(delays.len()).unwrap_or(u64::MAX);
    let mean = delays.iter().sum::<u64>().checked_div(count);
    member.nearness.around_us.or_else(|| u32::try_from(mean?).ok())
}
