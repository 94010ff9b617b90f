//! What a player does for the whole room: the click, the mode.

use engine::ClickSettings;
use protocol::room_state::{PlayingMode, RoomState};
use protocol::time::Instant;
use protocol::units::Decibels;

use super::Player;

impl Player {
    /// Begins or changes the click of the room.
    pub(crate) fn set_click(&mut self, now: Instant, settings: ClickSettings) {
        let (time, _) = self.room_time(now).expect("whoever leads knows the time");
        let segments = match self.membership.shared().click.as_slice() {
            [] => settings.begin(time, 0),
            click => settings.change(click, time),
        };
        self.membership.set_click(segments);
        self.carry_out(now);
    }

    /// Sets how everybody in the room hears everybody.
    pub(crate) fn set_mode(&mut self, now: Instant, mode: PlayingMode) {
        self.membership.set_mode(mode);
        self.carry_out(now);
    }

    /// What the room shares beside the sound, as this one was told.
    pub(crate) fn shared(&self) -> &RoomState {
        self.membership.shared()
    }

    /// Hears the click or not.
    pub(crate) fn hear_click(&mut self, heard: bool) {
        let gain = heard.then_some(Decibels::UNITY);
        self.session.control.set_click_gain(gain).expect("a gain that can be");
    }
}
