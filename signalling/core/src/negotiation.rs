//! `connect`: an app's half of a media link becomes SFU commands and the server's half.
//!
//! Decides whether a description opens a link, restarts its ICE or only renegotiates, by what is
//! different from the description before. A description that is sent twice does nothing twice.

use protocol::control::Command;
use protocol::id::ParticipantId;
use protocol::signal::{Description, ErrorCode, LinkParameters, ServerMessage};
use protocol::time::Instant;

use crate::connection::ConnectionId;
use crate::link::{Link, LinkKind};
use crate::output::{Happening, LinkEffect};
use crate::parameters;
use crate::refusal::Refusal;
use crate::requests::Asker;
use crate::sdp::{self, Answer, LineKind, Offer, UnusableOffer};
use crate::signalling::Signalling;
use crate::ticket::{self, Bearer, RefusedTicket, TicketKind};

impl Signalling {
    pub(crate) fn connect(
        &mut self,
        now: Instant,
        asker: Asker,
        ticket: &str,
        description: &Description,
    ) -> Result<(), Refusal> {
        let Asker { connection, participant, request } = asker;
        self.check_ticket(now, participant, ticket)?;
        let (description, effect) = match description {
            Description::Sdp { sdp } => self.connect_sdp(now, asker, sdp)?,
            Description::Direct { link, candidates: _ } => self.connect_direct(now, asker, link)?,
        };
        self.happened(Happening::Described { participant, effect });
        self.send(connection, request, ServerMessage::Connected { description });
        if let Some(member) = self.members.get_mut(&participant) {
            // Whoever describes a link is told all its streams, and anew how many slots it lacks.
            member.told.streams = None;
            member.told.slots_wanted = None;
            let room = member.room.clone();
            self.settle(&room);
        }
        Ok(())
    }

    /// Closes a participant's link, if there is one; nobody is sent anything from there any more.
    pub(crate) fn close_link(&mut self, participant: ParticipantId) {
        let Some(member) = self.members.get_mut(&participant) else { return };
        if member.link.take().is_none() {
            return;
        }
        let room = self.rooms.get(&member.room);
        let members = room.map(|room| room.members.clone()).unwrap_or_default();
        for subscriber in members {
            let link = self.members.get_mut(&subscriber).and_then(|member| member.link.as_mut());
            let Some(link) = link else { continue };
            let (ended, kept) = core::mem::take(&mut link.streams)
                .into_iter()
                .partition(|(_, stream)| stream.publisher == participant);
            link.streams = kept;
            let ended: std::collections::BTreeMap<_, _> = ended;
            for stream in ended.into_keys() {
                self.command(Command::Unsubscribe { subscriber, stream });
            }
        }
        self.command(Command::CloseLink { participant });
    }

    fn check_ticket(
        &self,
        now: Instant,
        participant: ParticipantId,
        ticket: &str,
    ) -> Result<(), Refusal> {
        let Some(member) = self.members.get(&participant) else { return Ok(()) };
        let bearer = Bearer { kind: TicketKind::Media, room: &member.room, participant };
        ticket::check(&self.ticket_key, bearer, self.unix_ms(now), ticket).map_err(|refused| {
            Refusal::new(
                ErrorCode::BadTicket,
                match refused {
                    RefusedTicket::Forged => "this is not a ticket of yours",
                    RefusedTicket::TooOld => "the ticket is too old; use the newest",
                },
            )
        })
    }

    fn connect_direct(
        &mut self,
        now: Instant,
        asker: Asker,
        link: &LinkParameters,
    ) -> Result<(Description, LinkEffect), Refusal> {
        let bad = |what| Refusal::new(ErrorCode::BadDescription, what);
        let remote = parameters::check(link).map_err(bad)?;
        let effect = self.describe_link(now, asker, &remote, None)?;
        let link = self.members.get(&asker.participant).and_then(|member| member.link.as_ref());
        let local = link.map(|link| link.local.clone()).ok_or_else(|| bad(NO_LINK.into()))?;
        let candidates = self.sfu.candidates.clone();
        Ok((Description::Direct { link: local, candidates }, effect))
    }

    fn connect_sdp(
        &mut self,
        now: Instant,
        asker: Asker,
        sdp: &str,
    ) -> Result<(Description, LinkEffect), Refusal> {
        let offer = sdp::parse(sdp).map_err(|unusable| {
            let code = match &unusable {
                UnusableOffer::Line { .. } => ErrorCode::BadDescription,
                UnusableOffer::TooMany { .. } => ErrorCode::TooMany,
            };
            Refusal::new(code, unusable.to_string())
        })?;
        let effect = self.describe_link(now, asker, &offer.remote, Some(&offer))?;
        let member = self.members.get_mut(&asker.participant);
        let described = member.and_then(|member| Some((member.link.as_mut()?, &member.tracks)));
        let Some((link, tracks)) = described else {
            return Err(Refusal::new(ErrorCode::BadDescription, NO_LINK));
        };
        let is_taken = |ssrc| tracks.iter().any(|track| track.codec(ssrc).is_some());
        link.take_offer(&offer, &mut self.random, is_taken);
        let (session_id, session_version) = link.count_answer();
        let answer = Answer {
            session_id,
            session_version,
            local: &link.local,
            candidates: &self.sfu.candidates,
            refuse_data_channel: !link.data_channel,
        };
        let ssrc = |mid: &str| link.usable_slot(mid).map(|slot| slot.ssrc);
        let sdp = sdp::write(&answer, &offer, ssrc);
        Ok((Description::Sdp { sdp }, effect))
    }

    /// Brings a participant's link, and the SFU's, to what the app says about its own end.
    fn describe_link(
        &mut self,
        now: Instant,
        asker: Asker,
        remote: &LinkParameters,
        offer: Option<&Offer>,
    ) -> Result<LinkEffect, Refusal> {
        let participant = asker.participant;
        let known = self.members.get_mut(&participant).and_then(|member| member.link.as_mut());
        match known {
            Some(link) if continues(link, remote, offer) => {
                if link.remote == *remote {
                    return Ok(LinkEffect::Renegotiated);
                }
                let local = local_parameters(&mut self.random, &self.sfu.fingerprint);
                link.local = local.clone();
                link.remote = remote.clone();
                let remote = remote.clone();
                self.command(Command::RestartIce { participant, local, remote });
                Ok(LinkEffect::IceRestarted)
            }
            Some(_) | None => {
                self.count_link(now, asker.connection)?;
                self.close_link(participant);
                self.open_link(participant, remote.clone(), offer);
                Ok(LinkEffect::Opened)
            }
        }
    }

    fn open_link(
        &mut self,
        participant: ParticipantId,
        remote: LinkParameters,
        offer: Option<&Offer>,
    ) {
        let local = local_parameters(&mut self.random, &self.sfu.fingerprint);
        let (kind, data_channel) = match offer {
            None => (LinkKind::Direct, false),
            Some(offer) => {
                let answered = self.random.session_id();
                let kind =
                    LinkKind::Sdp { offered: offer.session_id.clone(), answered, version: 0 };
                let is_data_channel = |line: &sdp::MLine| line.kind == LineKind::DataChannel;
                (kind, offer.lines.iter().any(is_data_channel))
            }
        };
        let Some(member) = self.members.get_mut(&participant) else { return };
        let room = member.room.clone();
        member.link = Some(Link::new(local.clone(), remote.clone(), kind, data_channel));
        self.command(Command::OpenLink { participant, room, local, remote, data_channel });
    }

    fn count_link(&mut self, now: Instant, connection: ConnectionId) -> Result<(), Refusal> {
        let Some(state) = self.connections.get_mut(&connection) else { return Ok(()) };
        let hurried = |_| Refusal::new(ErrorCode::TooFast, "too many new links; wait");
        state.links.take(now).map_err(hurried)
    }
}

/// Whether a description is about the link that there is: the same DTLS session.
fn continues(link: &Link, remote: &LinkParameters, offer: Option<&Offer>) -> bool {
    let same_kind = match (&link.kind, offer) {
        (LinkKind::Direct, None) => true,
        (LinkKind::Sdp { offered, .. }, Some(offer)) => *offered == offer.session_id,
        (LinkKind::Direct, Some(_)) | (LinkKind::Sdp { .. }, None) => false,
    };
    same_kind && link.remote.fingerprint == remote.fingerprint
}

/// The SFU's end of a link: 48 bits that no other link has, 144 that nobody guesses.
fn local_parameters(random: &mut crate::random::Random, fingerprint: &str) -> LinkParameters {
    LinkParameters {
        ice_ufrag: random.ice_chars(8),
        ice_pwd: random.ice_chars(24),
        fingerprint: fingerprint.into(),
    }
}

const NO_LINK: &str = "the link could not be described";
