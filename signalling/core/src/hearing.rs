//! How each hears the others, passed on to the room: who is late, and to whom.
//!
//! What is concluded from it is in [`crate::findings`], and the latest word is kept for who looks at the room
//! ([`crate::look`]). What surprises: what is told of tracks that are not
//! there any more, or one's own, is left out without a word, for it may have crossed the news.

use protocol::limits::SUBSCRIBER_STREAMS_MAX;
use protocol::signal::{DeviceReport, ErrorCode, NetworkReport, ServerMessage, TrackHearing};
use protocol::time::Instant;

use crate::refusal::Refusal;
use crate::requests::Asker;
use crate::signalling::Signalling;

impl Signalling {
    /// An app tells how it hears the others.
    pub(crate) fn hearing(
        &mut self,
        now: Instant,
        asker: Asker,
        mut tracks: Vec<TrackHearing>,
        device: Option<DeviceReport>,
        network: Option<NetworkReport>,
    ) -> Result<(), Refusal> {
        if SUBSCRIBER_STREAMS_MAX < tracks.len() {
            let text = format!("an app hears at most {SUBSCRIBER_STREAMS_MAX} tracks");
            return Err(Refusal::new(ErrorCode::TooMany, text));
        }
        if let Some(state) = self.connections.get_mut(&asker.connection) {
            let hurried = |_| Refusal::new(ErrorCode::TooFast, "hearing once a second is enough");
            state.hearings.take(now).map_err(hurried)?;
        }
        let listener = asker.participant;
        let Some(room) = self.members.get(&listener).map(|member| member.room.clone()) else {
            return Ok(());
        };
        let Some(state) = self.rooms.get(&room) else { return Ok(()) };
        let others = state.members.iter().filter(|id| **id != listener);
        let others: Vec<_> = others.filter_map(|id| self.members.get(id)).collect();
        tracks.retain(|hearing| {
            others.iter().any(|member| member.tracks.iter().any(|track| track.id == hearing.track))
        });
        tracks.sort_by_key(|hearing| hearing.track);
        tracks.dedup_by_key(|hearing| hearing.track);
        self.note_hearing(listener, &tracks);
        self.hear_account(now, listener, &tracks, device, network);
        // The others are shown the delays alone.
        for hearing in &mut tracks {
            (hearing.network_us, hearing.spare_us) = (None, None);
        }
        self.broadcast(&room, None, ServerMessage::Hearing { listener, tracks });
        Ok(())
    }
}
