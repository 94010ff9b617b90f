//! What scenarios ask of a room: what was heard, how the engines see it, what people were told.

use protocol::id::ParticipantId;
use protocol::room_state::RoomState;
use protocol::time::RoomTime;

use super::server::{Server, room_time};
use super::{Holdings, Room, Seat};
use crate::listen::Mix;
use crate::listener::{Heard, Stretch, largest_step, level, onsets, take_apart};

impl Room {
    /// What `listener` heard of `source`'s instrument within a stretch.
    #[must_use]
    pub fn heard(&self, listener: Seat, source: Seat, stretch: &Stretch) -> Heard {
        Heard::new(self.player(source).played(), self.player(listener).heard(), stretch)
    }

    /// Who is in what `listener` heard: the gain of everybody in `sources`, in their order.
    #[must_use]
    pub fn mix(&self, listener: Seat, sources: &[Seat], stretch: &Stretch) -> Mix {
        let played: Vec<_> = sources.iter().map(|seat| self.player(*seat).played()).collect();
        take_apart(&played, self.player(listener).heard(), stretch)
    }

    /// How loud it was for `listener`, in dBFS.
    #[must_use]
    pub fn level(&self, listener: Seat, stretch: &Stretch) -> f64 {
        level(self.player(listener).heard(), stretch)
    }

    /// How `listener`'s engine says that `source`'s stream fares; `None` where it has none.
    #[must_use]
    pub fn stats(&self, listener: Seat, source: Seat) -> Option<engine::RemoteStats> {
        let source = self.player(source).participant()?;
        let mut remotes = self.player(listener).remotes().into_iter();
        remotes.find(|(participant, _, _)| *participant == source).map(|(_, _, stats)| stats)
    }

    /// How many packets of `source` came to `listener` with earlier frames in them.
    #[must_use]
    pub fn repeating_packets(&self, listener: Seat, source: Seat) -> u64 {
        self.stats(listener, source).map_or(0, |stats| self.checker.repeating(listener, stats.ssrc))
    }

    /// What is sent by somebody, and why.
    #[must_use]
    pub fn encodings(&self, seat: Seat) -> (&[protocol::codec::Codec], Option<&str>) {
        self.player(seat).encodings()
    }

    /// By how much what somebody takes for the room's time is ahead of it, in milliseconds, and how well they
    /// say that they know it; `None` before they were told.
    #[must_use]
    pub fn clock_error_ms(&self, seat: Seat) -> Option<(f64, engine::RoomClockStats)> {
        let now = self.agenda.now();
        let (time, stats) = self.player(seat).room_time(now)?;
        Some((time.ns_since(room_time(now)) as f64 * 1e-6, stats))
    }

    /// How late `listener` says that they hear `source`, as `reader` was told.
    #[must_use]
    pub fn told_delay_us(&self, reader: Seat, listener: Seat, source: Seat) -> Option<u32> {
        let [listener, source] = [listener, source].map(|seat| self.player(seat).participant());
        self.player(reader).told_delay_us(listener?, source?)
    }

    /// What the room shares beside the sound, as somebody was told.
    #[must_use]
    pub fn shared(&self, seat: Seat) -> &RoomState {
        self.player(seat).shared()
    }

    /// When sounds begin at somebody's ear within a stretch, in nanoseconds of the true room's time: whatever rises above
    /// `level` after 50 ms without.
    #[must_use]
    pub fn onsets(&self, seat: Seat, stretch: &Stretch, level: f32) -> Vec<RoomTime> {
        let tape = self.player(seat).heard();
        onsets(tape, stretch, level).into_iter().map(room_time).collect()
    }

    /// The largest step from one sample to the next that somebody heard within a stretch.
    #[must_use]
    pub fn largest_step(&self, seat: Seat, stretch: &Stretch) -> f32 {
        largest_step(self.player(seat).heard(), stretch)
    }

    /// What the server says that holds the room back, as somebody was told.
    #[must_use]
    pub fn findings(&self, seat: Seat) -> &[protocol::signal::Finding] {
        self.player(seat).findings()
    }

    /// What somebody was told, oldest first.
    #[must_use]
    pub fn notices(&self, seat: Seat) -> &[String] {
        &self.player(seat).notices
    }

    /// How it ended for somebody, if it has.
    #[must_use]
    pub fn end(&self, seat: Seat) -> Option<String> {
        self.player(seat).ended.as_ref().map(|end| format!("{end:?}"))
    }

    /// Who somebody is to the server.
    #[must_use]
    pub fn participant(&self, seat: Seat) -> Option<ParticipantId> {
        self.player(seat).participant()
    }

    /// Whether somebody's media link is up.
    #[must_use]
    pub fn is_linked(&self, seat: Seat) -> bool {
        self.player(seat).is_linked()
    }

    /// What the server holds; nothing where it is down.
    #[must_use]
    pub fn holdings(&self) -> Holdings {
        self.server.as_ref().map(Server::holdings).unwrap_or_default()
    }

    /// Every datagram and message that was sent and every sample that was heard so far, as one
    /// number: equal for equal runs.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut digest = self.fingerprint;
        for place in &self.places {
            for sample in place.player.heard().samples {
                digest.add(&sample.to_bits().to_le_bytes());
            }
        }
        digest.value()
    }

    /// Everybody who ever joined.
    pub fn seats(&self) -> impl Iterator<Item = Seat> + use<> {
        (0..self.places.len()).map(Seat)
    }
}
