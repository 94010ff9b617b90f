//! What the musician asks for: carried out at once, in the engine or by asking the room.

use std::sync::mpsc::TryRecvError;

use engine::{ClickSettings, Mute};
use protocol::room_state::room_us;
use protocol::time::RoomTime;

use super::Runner;
use crate::clock;
use crate::session::membership::Notice;
use crate::session::{Event, Request};

impl Runner {
    pub(super) fn take_requests(&mut self) {
        loop {
            let request = match self.parts.requests.try_recv() {
                Ok(request) => request,
                Err(TryRecvError::Disconnected) => Request::Leave,
                Err(TryRecvError::Empty) => return,
            };
            // A key press should be seen at once.
            self.view_due = clock::now();
            if request == Request::Leave {
                return self.parts.membership.leave();
            }
            self.carry_out_request(request);
        }
    }

    fn carry_out_request(&mut self, request: Request) {
        match request {
            Request::SetMuted(muted) => {
                self.parts.membership.set_muted(muted);
                let mute = if muted { Mute::Muted } else { Mute::Open };
                let done = self.parts.control.set_input_muted(mute);
                self.check(done.err());
            }
            Request::SetMix(track, mix) => {
                self.mixes.set(self.parts.membership.participants(), track, mix);
                self.apply_mixes(&[track]);
            }
            Request::SetDefaultPlayout(mode) => {
                let done = self.parts.control.set_default_playout(mode);
                self.check(done.err());
            }
            Request::SetMonitor(gain) => {
                let done = self.parts.control.set_monitor_gain(gain);
                self.check(done.err());
            }
            Request::SetMonitorAligned(aligned) => {
                self.parts.control.set_monitor_aligned(aligned);
            }
            Request::Say(text) => self.parts.membership.say(text),
            Request::Lead(leading) => self.parts.membership.lead(leading),
            Request::SetClick(settings, count_in_bars) => {
                self.set_click(settings, count_in_bars);
            }
            Request::EndClick => self.parts.membership.set_click(Vec::new()),
            Request::SetClickGain(gain) => {
                self.click_gain = gain;
                let done = self.parts.control.set_click_gain(gain);
                self.check(done.err());
            }
            Request::SetMode(mode) => self.parts.membership.set_mode(mode),
            Request::SetOwnMode(mode) => self.parts.mode = mode,
            Request::StartTake(title) => {
                if let Some(now) = self.room_time() {
                    let start = now.plus_ns(TAKE_BEGINS_NS);
                    self.parts.membership.start_take(title, room_us(start));
                }
            }
            Request::StopTake => {
                if let Some(now) = self.room_time() {
                    self.parts.membership.stop_take(room_us(now));
                }
            }
            Request::MarkTake(text) => {
                if let Some(now) = self.room_time() {
                    self.parts.membership.mark_take(room_us(now), text);
                }
            }
            Request::NoteAudio(status) => self.audio = status,
            Request::Leave => self.parts.membership.leave(),
        }
    }

    /// What the room's clock shows; where it is not known, that is said.
    fn room_time(&self) -> Option<RoomTime> {
        if self.room_clock.is_none() {
            let text = "the room's clock is not known yet: try again in a moment".to_owned();
            self.tell(Event::Notice(Notice::Warning(text)));
        }
        self.room_clock.map(|(mapping, _)| mapping.room(clock::now()))
    }

    /// Lays the click out, if the room's clock is known.
    fn set_click(&mut self, settings: ClickSettings, count_in_bars: u8) {
        let Some(now) = self.room_time() else { return };
        let click = &self.parts.membership.shared().click;
        let segments = if click.is_empty() {
            settings.begin(now, count_in_bars)
        } else {
            settings.change(click, now)
        };
        self.parts.membership.set_click(segments);
    }
}

/// A take begins when everybody has heard of it: half a second.
const TAKE_BEGINS_NS: i64 = 500_000_000;
