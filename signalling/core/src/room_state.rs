//! What a room shares beside the sound: who leads, the click, the playing mode, takes.
//!
//! Moments are the room's clock's, which is the SFU's: here they are checked for sense and passed on.
//! What surprises: a room whose leader has left is led by nobody, and its click goes on.

use protocol::id::{ParticipantId, RoomId};
use protocol::limits::{
    BAR_BEATS_MAX, CLICK_SEGMENTS_MAX, ROOM_TAKES_MAX, TEMPO_MILLIBPM_MAX, TEMPO_MILLIBPM_MIN,
};
use protocol::room_state::{ClickSegment, PlayingMode, RoomState, Take, is_moment};
use protocol::signal::{ErrorCode, ServerMessage};
use protocol::time::Instant;

use crate::config::TakesKept;
use crate::connection::ConnectionId;
use crate::output::TakeEvent;
use crate::refusal::Refusal;
use crate::requests::Asker;
use crate::room::Room;
use crate::signalling::Signalling;
use crate::{hex, text};

impl Signalling {
    /// Somebody takes the lead, or gives it up.
    pub(crate) fn lead(
        &mut self,
        now: Instant,
        asker: Asker,
        leading: bool,
    ) -> Result<(), Refusal> {
        self.change(now, asker, |state, participant| {
            if leading {
                state.leader = Some(participant);
            } else if state.leader == Some(participant) {
                state.leader = None;
            }
            Ok(())
        })
    }

    /// Somebody sets the click.
    pub(crate) fn click(
        &mut self,
        now: Instant,
        asker: Asker,
        segments: Vec<ClickSegment>,
    ) -> Result<(), Refusal> {
        check_click(&segments)?;
        self.check_leader(asker)?;
        let click = segments.clone();
        self.change(now, asker, |state, _| {
            state.click = segments;
            Ok(())
        })?;
        if let Some(take) = self.running_take(asker.participant) {
            let at_us = self.room_now_us(now);
            self.take_event(TakeEvent::Click { take, click, at_us });
        }
        Ok(())
    }

    /// Somebody sets how everybody hears everybody.
    pub(crate) fn playing_mode(
        &mut self,
        now: Instant,
        asker: Asker,
        mode: PlayingMode,
    ) -> Result<(), Refusal> {
        self.check_leader(asker)?;
        self.change(now, asker, |state, _| {
            state.mode = mode;
            Ok(())
        })
    }

    /// Somebody begins a take.
    pub(crate) fn start_take(
        &mut self,
        now: Instant,
        asker: Asker,
        title: &str,
        start_us: i64,
    ) -> Result<(), Refusal> {
        let bad = |text: String| Refusal::new(ErrorCode::BadTake, text);
        if let TakesKept::No(reason) = &self.takes {
            return Err(bad(reason.clone()));
        }
        self.check_soon(now, start_us)?;
        let title = if title.trim().is_empty() { None } else { Some(text::take(title)?) };
        let [id, key] = [0; 2].map(|_| hex::encode(&self.random.bytes::<16>()));
        let Some((name, room)) = self.name_and_room(asker.participant) else { return Ok(()) };
        let number = self.rooms.get(&room).map_or(1, |room| room.takes.saturating_add(1));
        let title = title.unwrap_or_else(|| format!("Take {number}"));
        let take = Take { id, key, title, started_by: name, start_us, stop_us: None };
        let begun = take.clone();
        self.change(now, asker, |state, _| {
            if let Some(running) = state.takes.iter().find(|take| take.stop_us.is_none()) {
                return Err(bad(format!("{} records already: end that first", running.title)));
            }
            state.takes.push(take);
            // Nobody reads further back; the takes themselves are kept elsewhere.
            let beyond = state.takes.len().saturating_sub(ROOM_TAKES_MAX);
            state.takes.drain(..beyond);
            Ok(())
        })?;
        let id = begun.id.clone();
        let Some(state) = self.rooms.get_mut(&room) else { return Ok(()) };
        state.takes = number;
        let (click, members) = (state.state.click.clone(), state.members.clone());
        self.take_event(TakeEvent::Started { take: begun, room, click });
        for participant in members {
            self.tell_present(&id, participant);
        }
        Ok(())
    }

    /// Somebody ends the take.
    pub(crate) fn stop_take(
        &mut self,
        now: Instant,
        asker: Asker,
        stop_us: i64,
    ) -> Result<(), Refusal> {
        self.check_soon(now, stop_us)?;
        let take = self.running_take(asker.participant).ok_or_else(none_runs)?;
        self.change(now, asker, |state, _| {
            let running = state.takes.iter_mut().find(|take| take.stop_us.is_none());
            let running = running.ok_or_else(none_runs)?;
            // One that is ended before it began is empty, and can be ended all the same.
            running.stop_us = Some(stop_us.max(running.start_us));
            Ok(())
        })?;
        self.take_event(TakeEvent::Stopped { take, stop_us: Some(stop_us) });
        Ok(())
    }

    /// Somebody marks a moment of the take.
    pub(crate) fn mark_take(
        &mut self,
        now: Instant,
        asker: Asker,
        at_us: i64,
        text: &str,
    ) -> Result<(), Refusal> {
        check_moment(at_us, ErrorCode::BadTake)?;
        let text = text::take(text)?;
        let take = self.running_take(asker.participant).ok_or_else(none_runs)?;
        self.count_room_change(now, asker.participant)?;
        let room = self.name_and_room(asker.participant).map(|(_, room)| room);
        if let Some(state) = room.and_then(|room| Some(self.rooms.get(&room)?.state.clone())) {
            self.send(asker.connection, asker.request, ServerMessage::Room { state });
        }
        self.take_event(TakeEvent::Marked { take, at_us, text });
        Ok(())
    }

    /// Tells whoever came what the room shares: also where it is nothing, for they may think of what was.
    pub(crate) fn tell_room_state(
        &mut self,
        connection: ConnectionId,
        participant: ParticipantId,
        resumed: bool,
    ) {
        let Some((_, room)) = self.name_and_room(participant) else { return };
        let Some(state) = self.rooms.get(&room).map(|room| room.state.clone()) else { return };
        self.send(connection, None, ServerMessage::Room { state });
        if !resumed && let Some(take) = self.running_take(participant) {
            self.tell_present(&take, participant);
        }
    }

    /// Somebody publishes their first track: a stem of theirs may come.
    pub(crate) fn tell_of_stem(&mut self, participant: ParticipantId) {
        if let Some(take) = self.running_take(participant) {
            self.tell_present(&take, participant);
        }
    }

    /// Whether a take may begin or end at a moment: within an hour of now, as far as that is known here.
    fn check_soon(&self, now: Instant, us: i64) -> Result<(), Refusal> {
        check_moment(us, ErrorCode::BadTake)?;
        let now_us = self.room_now_us(now);
        if us.abs_diff(now_us) <= TAKE_OFF_US_MAX {
            return Ok(());
        }
        let text = "a take begins and ends about now, by the room's clock";
        Err(Refusal::new(ErrorCode::BadTake, text))
    }

    /// About what the room's clock shows.
    fn room_now_us(&self, now: Instant) -> i64 {
        i64::try_from(self.unix_ms(now)).unwrap_or(i64::MAX).saturating_mul(1000)
    }

    /// Somebody is gone for good, and leads no more.
    pub(crate) fn follow_nobody(&mut self, room: &RoomId, gone: ParticipantId) {
        let Some(state) = self.rooms.get_mut(room).map(|room| &mut room.state) else { return };
        if state.leader == Some(gone) {
            state.leader = None;
            let state = state.clone();
            self.broadcast(room, None, ServerMessage::Room { state });
        }
    }

    /// A room is gone with everybody in it, and nobody ends its take.
    pub(crate) fn abandon_take(&mut self, room: Option<Room>) {
        let takes = room.map(|room| room.state.takes).unwrap_or_default();
        for take in takes.into_iter().filter(|take| take.stop_us.is_none()) {
            self.take_event(TakeEvent::Stopped { take: take.id, stop_us: None });
        }
    }

    /// Changes what a room shares, and tells it.
    fn change(
        &mut self,
        now: Instant,
        asker: Asker,
        change: impl FnOnce(&mut RoomState, ParticipantId) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.count_room_change(now, asker.participant)?;
        let Some((_, room)) = self.name_and_room(asker.participant) else { return Ok(()) };
        let Some(state) = self.rooms.get_mut(&room).map(|room| &mut room.state) else {
            return Ok(());
        };
        change(state, asker.participant)?;
        let state = state.clone();
        self.broadcast(&room, asker.answered(), ServerMessage::Room { state });
        Ok(())
    }

    pub(crate) fn count_room_change(
        &mut self,
        now: Instant,
        participant: ParticipantId,
    ) -> Result<(), Refusal> {
        let Some(member) = self.members.get_mut(&participant) else { return Ok(()) };
        let hurried = |_| Refusal::new(ErrorCode::TooFast, "too many changes of the room; wait");
        member.room_changes.take(now).map_err(hurried)
    }

    fn check_leader(&self, asker: Asker) -> Result<(), Refusal> {
        let room = self.members.get(&asker.participant).map(|member| &member.room);
        let leader = room.and_then(|room| self.rooms.get(room)?.state.leader);
        match leader.filter(|leader| *leader != asker.participant) {
            None => Ok(()),
            Some(leader) => {
                let name = self.members.get(&leader).map_or("somebody", |member| &member.name);
                let text = format!("{name} leads: take the lead first");
                Err(Refusal::new(ErrorCode::NotLeading, text))
            }
        }
    }

    fn running_take(&self, participant: ParticipantId) -> Option<String> {
        let room = self.rooms.get(&self.members.get(&participant)?.room)?;
        let running = room.state.takes.iter().find(|take| take.stop_us.is_none());
        running.map(|take| take.id.clone())
    }

    fn tell_present(&mut self, take: &str, participant: ParticipantId) {
        // Whoever publishes nothing has nothing to record.
        let members = self.members.get(&participant);
        let Some(member) = members.filter(|member| !member.tracks.is_empty()) else { return };
        let (name, engine) = (member.name.clone(), member.capabilities.engine);
        self.take_event(TakeEvent::Present { take: take.to_owned(), participant, name, engine });
    }

    fn name_and_room(&self, participant: ParticipantId) -> Option<(String, RoomId)> {
        let member = self.members.get(&participant)?;
        Some((member.name.clone(), member.room.clone()))
    }
}

fn none_runs() -> Refusal {
    Refusal::new(ErrorCode::BadTake, "no take is being recorded")
}

fn check_moment(us: i64, code: ErrorCode) -> Result<(), Refusal> {
    if is_moment(us) {
        return Ok(());
    }
    let text = format!("{us} is no moment: microseconds since 1970, by the room's clock");
    Err(Refusal::new(code, text))
}

/// Whether a click can be played.
fn check_click(segments: &[ClickSegment]) -> Result<(), Refusal> {
    let bad = |text: String| Err(Refusal::new(ErrorCode::BadClick, text));
    if CLICK_SEGMENTS_MAX < segments.len() {
        return bad(format!("a click has at most {CLICK_SEGMENTS_MAX} tempi laid out"));
    }
    for ClickSegment { start_us, bar, tempo_millibpm, unit, beats } in segments {
        check_moment(*start_us, ErrorCode::BadClick)?;
        if !(TEMPO_MILLIBPM_MIN..=TEMPO_MILLIBPM_MAX).contains(tempo_millibpm) {
            let [least, most] = [TEMPO_MILLIBPM_MIN, TEMPO_MILLIBPM_MAX].map(|tempo| tempo / 1000);
            return bad(format!("a tempo is {least} to {most} beats a minute"));
        }
        if beats.is_empty() || BAR_BEATS_MAX < beats.len() {
            return bad(format!("a bar has 1 to {BAR_BEATS_MAX} beats"));
        }
        if ![1, 2, 4, 8, 16].contains(unit) {
            return bad(
                "a beat is a whole note, a half, a quarter, an eighth or a sixteenth".into()
            );
        }
        if bar.unsigned_abs() > BARS_MAX {
            return bad(format!("bars are counted up to {BARS_MAX}"));
        }
    }
    if segments.windows(2).any(|pair| pair[1].start_us <= pair[0].start_us) {
        return bad("the tempi of a click are in order of time".into());
    }
    Ok(())
}

/// The room's clock is the server's of when it started; an hour is more than that is ever set by.
const TAKE_OFF_US_MAX: u64 = 3_600_000_000;

/// A million bars of one beat at the fastest tempo are 42 hours.
const BARS_MAX: u32 = 1_000_000;
