//! `connect`: an app's half of a media link becomes SFU commands and the server's half.
//!
//! Decides whether a description opens a link, restarts its ICE or only renegotiates, by what is
//! different from the description before. A description that is sent twice does nothing twice.

use core::net::SocketAddr;

use protocol::control::Command;
use protocol::id::{ParticipantId, WorkerId};
use protocol::rtp::Ssrc;
use protocol::signal::{Description, ErrorCode, LinkParameters, ServerMessage};
use protocol::time::Instant;

use crate::limits::LINK_SLOTS_EVER_MAX;
use crate::link::{AppliedSource, Link, LinkKind};
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
        let link = self.link(asker.participant);
        let local = link.map(|link| link.local.clone()).ok_or_else(|| bad(NO_LINK.into()))?;
        let candidates = self.candidates(asker.participant).to_vec();
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
        self.check_slots(asker.participant, &offer)?;
        let effect = self.describe_link(now, asker, &offer.remote, Some(&offer))?;
        let candidates = self.candidates(asker.participant).to_vec();
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
            candidates: &candidates,
            refuse_data_channel: !link.data_channel,
        };
        let ssrc = |mid: &str| link.usable_slot(mid).map(|slot| slot.ssrc);
        let sdp = sdp::write(&answer, &offer, ssrc);
        Ok((Description::Sdp { sdp }, effect))
    }

    /// Refuses an offer that would give a link more slots than it may ever have.
    fn check_slots(&self, participant: ParticipantId, offer: &Offer) -> Result<(), Refusal> {
        let link =
            self.link(participant).filter(|link| continues(link, &offer.remote, Some(offer)));
        if link.is_some_and(|link| LINK_SLOTS_EVER_MAX < link.slots_ever_with(offer)) {
            let text = format!(
                "this link has had {LINK_SLOTS_EVER_MAX} receiving m-lines; open another one"
            );
            return Err(Refusal::new(ErrorCode::TooMany, text));
        }
        Ok(())
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
                if link.over {
                    return Err(Refusal::new(ErrorCode::LinkClosed, LINK_OVER));
                }
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
                self.count_link(now, participant)?;
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
        let worker = self.rooms.get(&room).map_or(WorkerId::default(), |room| room.worker);
        member.link = Some(Link::new(local.clone(), remote.clone(), kind, data_channel));
        let open = Command::OpenLink { participant, room, worker, local, remote, data_channel };
        self.command(open);
    }

    /// Where the worker of a participant's room takes media.
    fn candidates(&self, participant: ParticipantId) -> &[SocketAddr] {
        let room = self.members.get(&participant).and_then(|member| self.rooms.get(&member.room));
        let worker = room.and_then(|room| self.sfu.workers.get(usize::from(room.worker.0)));
        worker.map_or(&[], |worker| &worker.candidates)
    }

    fn count_link(&mut self, now: Instant, participant: ParticipantId) -> Result<(), Refusal> {
        let Some(member) = self.members.get_mut(&participant) else { return Ok(()) };
        let hurried = |_| Refusal::new(ErrorCode::TooFast, "too many new links; wait");
        member.links.take(now).map_err(hurried)
    }

    /// The SFU did not do what it was told. A link that could not be opened or restarted is given
    /// up: what was said about it afterwards, to publisher and listeners, was refused for that
    /// reason, and is said anew when the app connects again.
    pub(crate) fn handle_refused_command(&mut self, command: &Command, text: &str) {
        match command {
            Command::OpenLink { participant, local, .. }
            | Command::RestartIce { participant, local, .. } => {
                // Another one may have been described since.
                if self.link(*participant).is_some_and(|link| link.local == *local) {
                    self.tell_media_refused(*participant, text);
                    self.give_up_link(*participant);
                }
            }
            Command::AddSource { participant, .. } => {
                if self.link(*participant).is_some() {
                    self.tell_media_refused(*participant, text);
                }
            }
            Command::Subscribe { subscriber, publisher, .. } => {
                if self.link(*subscriber).is_some() && self.link(*publisher).is_some() {
                    self.tell_media_refused(*subscriber, text);
                }
            }
            // Nothing is left of what they should have ended.
            Command::CloseLink { .. }
            | Command::RemoveSource { .. }
            | Command::Unsubscribe { .. }
            | Command::SetRedundancy { .. }
            | Command::SetMuted { .. } => {}
        }
    }

    /// Nothing comes over a link any more, and no ICE restart would help: the app has to open another
    /// one. It is kept until then, so that a restart that is on its way is not taken for that.
    pub(crate) fn handle_link_closed(&mut self, participant: ParticipantId, local_ufrag: &str) {
        let Some(member) = self.members.get_mut(&participant) else { return };
        // Another one may have been described since.
        let link = member.link.as_mut().filter(|link| link.local.ice_ufrag == local_ufrag);
        let Some(link) = link else { return };
        link.over = true;
        if let Some(connection) = member.connection {
            self.send_error(connection, None, &Refusal::new(ErrorCode::LinkClosed, LINK_OVER));
        }
    }

    /// A track's packets were dropped because there were more of them than its codec makes.
    pub(crate) fn handle_over_rate(
        &mut self,
        now: Instant,
        participant: ParticipantId,
        ssrc: Ssrc,
        dropped_packets: u32,
    ) {
        let Some(member) = self.members.get_mut(&participant) else { return };
        let link = member.link.as_ref();
        let source = link.and_then(|link| link.sources.get(&ssrc)).copied();
        let (Some(source), Some(connection)) = (source, member.connection) else { return };
        let track = member.tracks.iter().find(|track| track.id == source.track);
        let Some(label) = track.map(|track| track.label.clone()) else { return };
        if member.over_rate_told.take(now).is_err() {
            return;
        }
        let AppliedSource { packets_per_second, .. } = source;
        let text = format!(
            "{label} is sent faster than {packets_per_second} packets a second; {dropped_packets} \
             were dropped in the last one"
        );
        self.send_error(connection, None, &Refusal::new(ErrorCode::OverRate, text));
    }

    fn link(&self, participant: ParticipantId) -> Option<&Link> {
        self.members.get(&participant)?.link.as_ref()
    }

    fn give_up_link(&mut self, participant: ParticipantId) {
        self.close_link(participant);
        if let Some(room) = self.members.get(&participant).map(|member| member.room.clone()) {
            self.settle(&room);
        }
    }

    fn tell_media_refused(&mut self, participant: ParticipantId, text: &str) {
        let connection = self.members.get(&participant).and_then(|member| member.connection);
        if let Some(connection) = connection {
            self.send_error(connection, None, &Refusal::new(ErrorCode::MediaRefused, text));
        }
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

const LINK_OVER: &str = "the media link is over; connect with a new one";

const NO_LINK: &str = "the link could not be described";
