//! What the room shares beside the sound, as it is told, and as one asks for it to be.

use protocol::room_state::{ClickSegment, PlayingMode, RoomState};
use protocol::signal::ClientMessage;

use super::{Effect, Membership, Phase};

impl Membership {
    /// What the room shares: the click, the playing mode, takes.
    pub fn shared(&self) -> &RoomState {
        &self.shared
    }

    /// Takes the lead, or gives it up.
    pub fn lead(&mut self, leading: bool) {
        self.ask(ClientMessage::Lead { leading });
    }

    /// Sets the click of the room.
    pub fn set_click(&mut self, segments: Vec<ClickSegment>) {
        self.ask(ClientMessage::Click { segments });
    }

    /// Sets how everybody hears everybody.
    pub fn set_mode(&mut self, mode: PlayingMode) {
        self.ask(ClientMessage::Mode { mode });
    }

    /// Begins a take.
    pub fn start_take(&mut self, title: String, start_us: i64) {
        self.ask(ClientMessage::StartTake { title, start_us });
    }

    /// Ends the take that is being recorded.
    pub fn stop_take(&mut self, stop_us: i64) {
        self.ask(ClientMessage::StopTake { stop_us });
    }

    /// Marks a moment of the take that is being recorded.
    pub fn mark_take(&mut self, at_us: i64, text: String) {
        self.ask(ClientMessage::MarkTake { at_us, text });
    }

    /// The room shares something else.
    pub(super) fn handle_room(&mut self, state: RoomState) {
        let before = core::mem::replace(&mut self.shared, state);
        let now = self.shared.clone();
        if before.leader != now.leader {
            match now.leader.map(|leader| (leader, self.participants.get(&leader))) {
                Some((leader, _)) if Some(leader) == self.me => {
                    self.tell("you lead click and mode".to_owned());
                }
                Some((_, Some(leader))) => {
                    self.tell(format!("{} leads click and mode", leader.name))
                }
                Some((_, None)) => {}
                None => self.tell("nobody leads: everybody may set click and mode".to_owned()),
            }
        }
        if before.click != now.click {
            match now.click.last() {
                Some(segment) if before.click.is_empty() => {
                    self.tell(format!("click: {}", meter(segment)))
                }
                Some(segment) => {
                    self.tell(format!("click from the next bar on: {}", meter(segment)))
                }
                None => self.tell("the click has ended".to_owned()),
            }
            self.effects.push_back(Effect::SetClick(now.click.clone()));
        }
        if before.mode != now.mode {
            self.tell(match now.mode {
                PlayingMode::Tight => "the room plays tight: as early as holds".to_owned(),
                PlayingMode::Aligned => "the room plays aligned: everybody equally late".to_owned(),
                PlayingMode::Beat => {
                    "the room plays by the beat: others are late by whole beats".to_owned()
                }
            });
        }
        let running =
            |state: &RoomState| state.takes.iter().find(|take| take.stop_us.is_none()).cloned();
        match (running(&before), running(&now)) {
            (None, Some(take)) => self.warn(format!("{} records: {}", take.started_by, take.title)),
            (Some(take), None) => self.tell(format!("{} has ended", take.title)),
            (Some(_), Some(_)) | (None, None) => {}
        }
        if before.takes != now.takes {
            self.effects.push_back(Effect::Takes(now.takes));
        }
    }

    fn ask(&mut self, message: ClientMessage) {
        if self.phase == Phase::Joined {
            self.send(message);
        } else {
            self.warn("not while the server is away: try again in a moment".to_owned());
        }
    }
}

fn meter(segment: &ClickSegment) -> String {
    let tempo = f64::from(segment.tempo_millibpm) / 1000.0;
    format!("{tempo} a minute, {}/{}", segment.beats.len(), segment.unit)
}
