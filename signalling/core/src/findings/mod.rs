//! What costs a room delay or sound, whose it is, and what to do about it: one sentence each, the same for everybody.
//!
//! Signalling hears what each says of its own device and network ([`account`]), of how it hears the others, and what
//! the SFU says of everybody's packets. [`rules`] tell causes apart by comparing them, [`standing`] lets a conclusion
//! wait until it has stood for a while, and stay until it is gone for a while, and [`words`] say it. What surprises:
//! nobody is believed about anybody else unless most of the room, or the SFU, sees the same.

mod account;
mod average;
mod rules;
mod standing;
mod words;

use std::collections::BTreeMap;

use protocol::id::{ParticipantId, RoomId, TrackId};
use protocol::signal::{DeviceReport, Finding, NetworkReport, ServerMessage, TrackHearing};
use protocol::time::Instant;

use self::account::{Account, NOTHING};
use self::rules::Person;
use self::standing::Standing;
use crate::ConnectionId;
use crate::limits::FINDINGS_EVERY;
use crate::redundancy::Loss;
use crate::room::Member;
use crate::signalling::Signalling;
use crate::timers::Wake;

/// What is known of a room's participants, and what was concluded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    accounts: BTreeMap<ParticipantId, Account>,
    standing: Standing,
    /// What the room was told last.
    told: Vec<Finding>,
}

impl Findings {
    /// Nobody knows anything of somebody any more who is gone.
    pub(crate) fn forget(&mut self, participant: ParticipantId) {
        self.accounts.remove(&participant);
    }

    /// Concludes anew; gives what the room has to be told, where that is something else than before.
    fn look(&mut self, now: Instant, present: &[(ParticipantId, &Member)]) -> Option<Vec<Finding>> {
        self.accounts.retain(|_, account| !account.is_old(now));
        for (participant, permille) in rules::downlink_losses(now, &people(&self.accounts, present))
        {
            if let Some(account) = self.accounts.get_mut(&participant) {
                account.note_downlink(permille);
            }
        }
        let found = rules::suspicions(now, &people(&self.accounts, present));
        let names: BTreeMap<_, _> =
            present.iter().map(|(id, member)| (*id, member.name.as_str())).collect();
        self.standing.take(now, &found, &names);
        let findings = self.standing.findings(&names);
        (findings != self.told).then(|| {
            self.told.clone_from(&findings);
            findings
        })
    }

    /// Whether there is nothing to look at again.
    fn is_at_rest(&self) -> bool {
        self.accounts.is_empty() && self.standing.is_empty() && self.told.is_empty()
    }
}

fn people<'a>(
    accounts: &'a BTreeMap<ParticipantId, Account>,
    present: &'a [(ParticipantId, &Member)],
) -> Vec<Person<'a>> {
    let person = |(id, member): &'a (ParticipantId, &Member)| Person {
        id: *id,
        engine: member.capabilities.engine,
        tracks: &member.tracks,
        account: accounts.get(id).unwrap_or(&NOTHING),
    };
    present.iter().map(person).collect()
}

impl Signalling {
    /// Somebody told how they hear the others, and of their own device and network.
    pub(crate) fn hear_account(
        &mut self,
        now: Instant,
        participant: ParticipantId,
        tracks: &[TrackHearing],
        device: Option<DeviceReport>,
        network: Option<NetworkReport>,
    ) {
        if let Some(account) = self.account(now, participant) {
            account.hear(now, tracks, device, network);
        }
    }

    /// The SFU told how a track of somebody's reached it in the last second.
    pub(crate) fn hear_uplink(
        &mut self,
        now: Instant,
        participant: ParticipantId,
        track: TrackId,
        loss: Loss,
        jitter_us: u32,
    ) {
        if let Some(account) = self.account(now, participant) {
            account.hear_uplink(now, track, loss, jitter_us);
        }
    }

    /// The SFU dropped packets of somebody's because there were too many.
    pub(crate) fn hear_over_rate(&mut self, now: Instant, participant: ParticipantId) {
        if let Some(account) = self.account(now, participant) {
            account.hear_over_rate(now);
        }
    }

    /// Tells a newcomer what the others know.
    pub(crate) fn tell_findings(&mut self, connection: ConnectionId, room: &RoomId) {
        let told = self.rooms.get(room).map(|state| state.findings.told.clone());
        if let Some(findings) = told.filter(|findings| !findings.is_empty()) {
            self.send(connection, None, ServerMessage::Findings { findings });
        }
    }

    /// Looks at every room that something was told of, and tells what changed.
    pub(crate) fn look_for_findings(&mut self, now: Instant) {
        let rooms: Vec<RoomId> = self.rooms.keys().cloned().collect();
        let mut goes_on = false;
        for room in rooms {
            let Some(state) = self.rooms.get_mut(&room) else { continue };
            if state.findings.is_at_rest() {
                continue;
            }
            let present = state.members.iter().filter_map(|id| Some((*id, self.members.get(id)?)));
            let present: Vec<_> =
                present.filter(|(_, member)| member.connection.is_some()).collect();
            let news = state.findings.look(now, &present);
            goes_on |= !state.findings.is_at_rest();
            if let Some(findings) = news {
                self.broadcast(&room, None, ServerMessage::Findings { findings });
            }
        }
        if goes_on {
            self.timers.set(Wake::Findings, now + FINDINGS_EVERY);
        }
    }

    fn account(&mut self, now: Instant, participant: ParticipantId) -> Option<&mut Account> {
        let room = &self.members.get(&participant)?.room;
        let state = self.rooms.get_mut(room)?;
        if !self.timers.is_set(Wake::Findings) {
            self.timers.set(Wake::Findings, now + FINDINGS_EVERY);
        }
        Some(state.findings.accounts.entry(participant).or_default())
    }
}
