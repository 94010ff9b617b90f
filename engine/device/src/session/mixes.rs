//! How everybody's tracks are mixed here, and how that outlives the tracks' ids.
//!
//! A server that was restarted deals its ids anew, so a mix belongs to a person and a label, not to
//! a number: what was set for a track that is gone is kept until somebody of that name publishes
//! something of that label again.

use std::collections::{BTreeMap, VecDeque};

use protocol::id::{ParticipantId, TrackId};
use protocol::signal::Participant;

use super::view::Mix;

/// Every mix that differs from how a track starts.
#[derive(Debug, Default)]
pub(super) struct Mixes {
    /// The joining that the ids belong to.
    joining: u32,
    tracks: BTreeMap<TrackId, (Whose, Mix)>,
    /// Of tracks that are gone, oldest first.
    kept: VecDeque<(Whose, Mix)>,
}

/// What a mix is remembered by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Whose {
    name: String,
    label: String,
}

impl Mixes {
    /// Mixes a track; one that nobody publishes is left alone.
    pub(super) fn set(
        &mut self,
        participants: &BTreeMap<ParticipantId, Participant>,
        track: TrackId,
        mix: Mix,
    ) {
        if let Some(whose) = tracks(participants).find(|(id, ..)| *id == track).map(whose) {
            self.tracks.insert(track, (whose, mix));
        }
    }

    /// How a track is mixed.
    pub(super) fn of(&self, track: TrackId) -> Option<Mix> {
        self.tracks.get(&track).map(|(_, mix)| *mix)
    }

    /// Follows who is there; `joining` counts how often the room was entered anew. Gives the tracks
    /// that have got the mix of one that was gone.
    pub(super) fn follow(
        &mut self,
        joining: u32,
        participants: &BTreeMap<ParticipantId, Participant>,
    ) -> Vec<TrackId> {
        let same_ids = core::mem::replace(&mut self.joining, joining) == joining;
        let is_there = |track| tracks(participants).any(|(id, ..)| id == track);
        for (_, gone) in self.tracks.extract_if(.., |track, _| !same_ids || !is_there(*track)) {
            if self.kept.len() == KEPT_MAX {
                self.kept.pop_front();
            }
            self.kept.push_back(gone);
        }
        let mut found = Vec::new();
        for (track, name, label) in tracks(participants) {
            if self.tracks.contains_key(&track) {
                continue;
            }
            let is_theirs = |(whose, _): &(Whose, _)| whose.name == name && whose.label == label;
            // The newest: it is what they sounded like when they went.
            if let Some(at) = self.kept.iter().rposition(is_theirs)
                && let Some(kept) = self.kept.remove(at)
            {
                self.tracks.insert(track, kept);
                found.push(track);
            }
        }
        found
    }
}

fn tracks(
    participants: &BTreeMap<ParticipantId, Participant>,
) -> impl Iterator<Item = (TrackId, &str, &str)> {
    participants.values().flat_map(|participant| {
        let name = participant.name.as_str();
        participant.tracks.iter().map(move |track| (track.id, name, track.label.as_str()))
    })
}

fn whose((_, name, label): (TrackId, &str, &str)) -> Whose {
    Whose { name: name.to_owned(), label: label.to_owned() }
}

/// Mixes kept for people who are gone; beyond it the oldest is forgotten. Two full rooms.
const KEPT_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use protocol::signal::{EngineKind, Presence, Track};
    use protocol::units::Decibels;

    use super::*;

    /// People with one track each: id of both, name, label.
    fn room(people: &[(u32, &str, &str)]) -> BTreeMap<ParticipantId, Participant> {
        let participant = |(id, name, label): &(u32, &str, &str)| Participant {
            id: ParticipantId(*id),
            name: (*name).to_owned(),
            engine: EngineKind::Native,
            presence: Presence::Online,
            tracks: vec![Track {
                id: TrackId(*id),
                label: (*label).to_owned(),
                channels: 1,
                muted: false,
            }],
            role: None,
            account: None,
            silenced: false,
        };
        people.iter().map(participant).map(|p| (p.id, p)).collect()
    }

    fn gain(db: f32) -> Mix {
        Mix { gain: Decibels(db), ..Mix::default() }
    }

    #[test]
    fn a_restarted_server_deals_ids_anew_and_the_mix_follows_the_person() {
        let mut mixes = Mixes::default();
        let before = room(&[(1, "Ben", "drums"), (2, "Cleo", "bass")]);
        mixes.follow(1, &before);
        mixes.set(&before, TrackId(1), gain(-6.0));
        // Cleo is back first and gets Ben's number.
        let alone = room(&[(1, "Cleo", "bass")]);
        assert_eq!(mixes.follow(2, &alone), []);
        assert_eq!(mixes.of(TrackId(1)), None);
        let both = room(&[(1, "Cleo", "bass"), (2, "Ben", "drums")]);
        assert_eq!(mixes.follow(2, &both), [TrackId(2)]);
        assert_eq!((mixes.of(TrackId(1)), mixes.of(TrackId(2))), (None, Some(gain(-6.0))));
        assert_eq!(mixes.follow(2, &both), [], "said once");
    }

    #[test]
    fn two_of_one_name_have_mixes_of_their_own() {
        let mut mixes = Mixes::default();
        let twins = room(&[(1, "Ben", "drums"), (2, "Ben", "drums")]);
        mixes.set(&twins, TrackId(1), gain(1.0));
        mixes.follow(0, &twins);
        assert_eq!((mixes.of(TrackId(1)), mixes.of(TrackId(2))), (Some(gain(1.0)), None));
    }

    #[test]
    fn what_is_kept_has_a_limit_and_the_oldest_goes() {
        let mut mixes = Mixes::default();
        let names: Vec<_> = (0..=KEPT_MAX).map(|number| format!("P{number}")).collect();
        for (number, name) in (0_u32..).zip(&names) {
            let one = room(&[(number, name, "x")]);
            mixes.follow(0, &one);
            mixes.set(&one, TrackId(number), gain(1.0));
            mixes.follow(0, &room(&[]));
        }
        assert_eq!(mixes.kept.len(), KEPT_MAX);
        assert_eq!(mixes.follow(0, &room(&[(900, "P0", "x")])), []);
        assert_eq!(mixes.follow(0, &room(&[(901, "P1", "x")])), [TrackId(901)]);
        let nobody = TrackId(7);
        mixes.set(&room(&[]), nobody, gain(1.0));
        assert_eq!(mixes.of(nobody), None);
    }
}
