//! What the server refuses, and how it says goodbye.

use protocol::signal::{ByeReason, ErrorCode};

use super::{Effect, End, Membership, Phase};

impl Membership {
    pub(super) fn handle_error(&mut self, code: ErrorCode, text: String) {
        match code {
            ErrorCode::SeatGone => {
                self.warn("the seat was given up: joining anew".to_owned());
                self.seat = None;
                if self.wants_pass() {
                    // It is got on the way to another WebSocket.
                    self.effects.push_back(Effect::Reconnect);
                } else {
                    self.send_join();
                }
            }
            ErrorCode::TooFast => {
                self.warn(text);
                if self.phase == Phase::Joining {
                    self.effects.push_back(Effect::Reconnect);
                }
            }
            // Full while we were away: somebody may leave.
            ErrorCode::RoomFull | ErrorCode::ServerFull if self.me.is_some() => {
                self.warn(text);
                self.effects.push_back(Effect::Reconnect);
            }
            ErrorCode::Version
            | ErrorCode::BadName
            | ErrorCode::RoomFull
            | ErrorCode::ServerFull
            | ErrorCode::BadDescription
            | ErrorCode::BadTrack
            | ErrorCode::TooMany
            | ErrorCode::TooLarge
            | ErrorCode::OutOfOrder
            | ErrorCode::Malformed
            | ErrorCode::BadPass
            | ErrorCode::Banned
            | ErrorCode::Removed => self.effects.push_back(Effect::End(End::Refused(text))),
            ErrorCode::PassWanted => {
                let text =
                    format!("{text} (join with --password, or with the whole link of an invite)");
                self.effects.push_back(Effect::End(End::Refused(text)));
            }
            ErrorCode::TryAgain => {
                self.warn(text);
                self.effects.push_back(Effect::Reconnect);
            }
            // A ticket that crossed its successor, or a link that the SFU could not make: the
            // link's own timers try again, with what is newest then.
            ErrorCode::BadTicket | ErrorCode::MediaRefused => self.warn(text),
            ErrorCode::LinkClosed => self.handle_link_closed(),
            ErrorCode::NoSuchTrack
            | ErrorCode::BadText
            | ErrorCode::OverRate
            | ErrorCode::NotLeading
            | ErrorCode::BadClick
            | ErrorCode::BadTake
            | ErrorCode::NotAllowed
            | ErrorCode::NoSuchParticipant => self.warn(text),
        }
    }

    pub(super) fn handle_bye(&mut self, reason: ByeReason, text: String) {
        match reason {
            ByeReason::Left => self.effects.push_back(Effect::End(End::Left)),
            ByeReason::ServerClosing => {
                self.warn(format!("{text}; trying again until it is back"));
                self.effects.push_back(Effect::Reconnect);
            }
            ByeReason::TimedOut => {
                self.warn(text);
                self.effects.push_back(Effect::Reconnect);
            }
            ByeReason::Replaced
            | ByeReason::Misbehaved
            | ByeReason::Refused
            | ByeReason::Removed => {
                self.effects.push_back(Effect::End(End::Refused(text)));
            }
        }
    }
}
