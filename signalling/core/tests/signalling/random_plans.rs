//! Random plans against a model: whatever people do, in whatever order, everybody is sent exactly
//! what they should be.
//!
//! The model knows who is in which room, what they decode and what they publish, and states the
//! rules of `docs/protocol.md` §5 anew, pair by pair. After every step the SFU on paper and the
//! lists that the apps were sent must be what the model says. A failing plan is printed and shrunk
//! by proptest; the same plan always gives the same bytes.
//!
//! Long because the model is one thing: what it knows, what can be done, what must hold.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use protocol::codec::Codec;
use protocol::id::{ParticipantId, TrackId};
use protocol::rtp::Ssrc;
use protocol::signal::{
    ClientMessage, EngineKind, LinkParameters, Presence, ServerMessage, Stream,
};
use protocol::time::Instant;

use signalling::limits::SEAT_KEPT;

use crate::desk::{App, Desk, link};
use crate::offers::OfferPlan;

/// One thing that somebody does; numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    Join { room: u8, engine: u8, decodes: u8 },
    ConnectDirect { who: u8, number: u8 },
    ConnectSdp { who: u8, session: u8, slots: u8, opus: u8, red: bool },
    Publish { who: u8, label: u8, codecs: u8, sources: u8, fresh: bool },
    Unpublish { who: u8, track: u8 },
    Mute { who: u8, track: u8, muted: bool },
    Drop { who: u8 },
    Resume { who: u8 },
    Leave { who: u8 },
    Wait { seconds: u8 },
    Garbage { who: u8, text: String },
}

fn step() -> impl Strategy<Value = Step> {
    let who = any::<u8>();
    prop_oneof![
        3 => (0..2_u8, 0..3_u8, any::<u8>())
            .prop_map(|(room, engine, decodes)| Step::Join { room, engine, decodes }),
        3 => (who, 0..3_u8).prop_map(|(who, number)| Step::ConnectDirect { who, number }),
        3 => (who, 0..3_u8, 0..4_u8, 109..112_u8, any::<bool>()).prop_map(
            |(who, session, slots, opus, red)| Step::ConnectSdp { who, session, slots, opus, red }
        ),
        5 => (who, 0..3_u8, any::<u8>(), any::<u8>(), any::<bool>()).prop_map(
            |(who, label, codecs, sources, fresh)| Step::Publish {
                who,
                label,
                codecs,
                sources,
                fresh,
            }
        ),
        1 => (who, any::<u8>()).prop_map(|(who, track)| Step::Unpublish { who, track }),
        2 => (who, any::<u8>(), any::<bool>())
            .prop_map(|(who, track, muted)| Step::Mute { who, track, muted }),
        1 => who.prop_map(|who| Step::Drop { who }),
        1 => who.prop_map(|who| Step::Resume { who }),
        1 => who.prop_map(|who| Step::Leave { who }),
        1 => (1..20_u8).prop_map(|seconds| Step::Wait { seconds }),
        1 => (who, ".{0,40}").prop_map(|(who, text)| Step::Garbage { who, text }),
    ]
}

/// What the model knows of somebody.
#[derive(Debug, Clone)]
struct Person {
    app: App,
    room: u8,
    engine: EngineKind,
    decodes: Vec<Codec>,
    away_since: Option<Instant>,
    linked: bool,
    takes_red: bool,
    opus: u8,
    /// Slots on a link with SDP; none means as many as wanted.
    slots: Option<usize>,
    tracks: BTreeMap<TrackId, PublishedTrack>,
    streams: Vec<Stream>,
    encodings: BTreeMap<TrackId, Vec<Codec>>,
}

#[derive(Debug, Clone)]
struct PublishedTrack {
    label: String,
    codecs: Vec<Codec>,
    sources: Vec<(Codec, u32)>,
    muted: bool,
}

struct Model {
    desk: Desk,
    people: Vec<Person>,
    last_ssrc: u32,
}

impl Person {
    fn is_jam(&self) -> bool {
        self.engine != EngineKind::Standard
    }

    fn decodes(&self, codec: Codec) -> bool {
        codec == Codec::Opus || (self.is_jam() && self.takes_red && self.decodes.contains(&codec))
    }
}

impl PublishedTrack {
    fn has(&self, codec: Codec) -> bool {
        self.sources.iter().any(|(known, _)| *known == codec)
    }
}

impl Model {
    fn new() -> Self {
        Self { desk: Desk::new(), people: Vec::new(), last_ssrc: 1000 }
    }

    fn pick(&self, who: u8) -> Option<usize> {
        (!self.people.is_empty()).then(|| usize::from(who) % self.people.len())
    }

    /// Somebody whose WebSocket is open.
    fn pick_online(&self, who: u8) -> Option<usize> {
        self.pick(who).filter(|index| self.people[*index].away_since.is_none())
    }

    fn carry_out(&mut self, step: &Step) {
        // Sending takes a tenth of a second: nobody's seat may end in the middle of a step.
        self.forget_lost(Duration::from_millis(200));
        self.read_inboxes();
        match step {
            Step::Join { room, engine, decodes } => self.join(*room, *engine, *decodes),
            Step::ConnectDirect { who, number } => self.connect_direct(*who, *number),
            Step::ConnectSdp { who, session, slots, opus, red } => {
                let (session, slots) = (u32::from(*session), usize::from(*slots));
                let (opus, red) = (*opus, *red);
                let plan = OfferPlan { session, slots, opus, red, ..OfferPlan::default() };
                self.connect_sdp(*who, &plan);
            }
            Step::Publish { who, label, codecs, sources, fresh } => {
                self.publish(*who, *label, *codecs, *sources, *fresh);
            }
            Step::Unpublish { who, track } => {
                if let Some((index, track)) = self.pick_track(*who, *track) {
                    let connection = self.people[index].app.connection;
                    self.desk.send(connection, ClientMessage::Unpublish { track });
                    self.people[index].tracks.remove(&track);
                    self.people[index].encodings.remove(&track);
                }
            }
            Step::Mute { who, track, muted } => {
                if let Some((index, track)) = self.pick_track(*who, *track) {
                    let (connection, muted) = (self.people[index].app.connection, *muted);
                    self.desk.send(connection, ClientMessage::Mute { track, muted });
                    self.people[index].tracks.get_mut(&track).expect("picked").muted = muted;
                }
            }
            Step::Drop { who } => {
                if let Some(index) = self.pick_online(*who) {
                    self.desk.drop_connection(self.people[index].app.connection);
                    self.people[index].away_since = Some(self.desk.now);
                }
            }
            Step::Resume { who } => self.resume(*who),
            Step::Leave { who } => {
                if let Some(index) = self.pick_online(*who) {
                    let person = self.people.remove(index);
                    self.desk.send(person.app.connection, ClientMessage::Leave {});
                }
            }
            Step::Wait { seconds } => self.wait(u64::from(*seconds)),
            Step::Garbage { who, text } => {
                if let Some(index) = self.pick_online(*who) {
                    self.desk.send_text(self.people[index].app.connection, text);
                    // Ten are too many; ten seconds later one more is fine.
                    self.wait(11);
                }
            }
        }
    }

    fn join(&mut self, room: u8, engine: u8, decodes: u8) {
        if 8 <= self.people.len() {
            return;
        }
        let engines = [EngineKind::Native, EngineKind::Browser, EngineKind::Standard];
        let engine = engines[usize::from(engine)];
        let decodes = subset(decodes);
        let name = format!("Musician {}", self.people.len());
        let joined = self.desk.join_as(&room_name(room), &name, engine, &decodes, None);
        self.people.push(Person {
            app: joined.expect("there is room"),
            room,
            engine,
            decodes,
            away_since: None,
            linked: false,
            takes_red: true,
            opus: 111,
            slots: None,
            tracks: BTreeMap::new(),
            streams: Vec::new(),
            encodings: BTreeMap::new(),
        });
    }

    fn connect_direct(&mut self, who: u8, number: u8) {
        let Some(index) = self.pick_online(who) else { return };
        self.rest();
        let app = self.people[index].app.clone();
        let ice_ufrag = format!("ufrag{number}");
        // Two certificates, so that links are both restarted and replaced.
        let description = LinkParameters { ice_ufrag, ..link(u32::from(number % 2)) };
        self.desk.connect_direct(&app, &description);
        let person = &mut self.people[index];
        (person.linked, person.takes_red, person.slots) = (true, true, None);
        person.opus = 111;
    }

    fn connect_sdp(&mut self, who: u8, plan: &OfferPlan) {
        let Some(index) = self.pick_online(who) else { return };
        self.rest();
        let app = self.people[index].app.clone();
        // `connect_sdp` empties the inbox first: what was told must not be missed.
        self.read_inboxes();
        self.desk.connect_sdp(&app, plan).expect("a good offer is answered");
        let person = &mut self.people[index];
        // Without slots RED does not matter, and is taken as offered nowhere but the microphone.
        (person.linked, person.takes_red, person.slots) = (true, plan.red, Some(plan.slots));
        person.opus = plan.opus;
    }

    fn publish(&mut self, who: u8, label: u8, codecs: u8, sources: u8, fresh: bool) {
        let Some(index) = self.pick_online(who) else { return };
        let (codecs, sources) = (ordered(codecs), subset(sources));
        if !codecs.iter().any(|codec| sources.contains(codec)) {
            return;
        }
        let label = format!("track {label}");
        let known = self.people[index].tracks.values().find(|track| track.label == label);
        let muted = known.is_some_and(|track| track.muted);
        let before = known.map(|track| track.sources[0].1).filter(|_| !fresh);
        self.last_ssrc += 10;
        let ssrc = before.unwrap_or(self.last_ssrc);
        let app = self.people[index].app.clone();
        let track = self.desk.publish(&app, &label, &codecs, &sources, ssrc);
        let track = track.expect("a good publication is taken");
        let sources = sources.into_iter().zip(ssrc..).collect();
        let published = PublishedTrack { label, codecs, sources, muted };
        self.people[index].tracks.insert(track, published);
    }

    fn resume(&mut self, who: u8) {
        let Some(index) = self.pick(who) else { return };
        let person = &self.people[index];
        let (engine, seat) = (person.engine, person.app.seat.clone());
        let (room, decodes) = (room_name(person.room), person.decodes.clone());
        let back = self.desk.join_as(&room, "Back", engine, &decodes, Some(&seat));
        let person = &mut self.people[index];
        person.app = back.expect("the model knows that the seat is kept");
        person.away_since = None;
        person.encodings.clear();
    }

    fn wait(&mut self, seconds: u64) {
        self.desk.wait_alive(seconds);
        self.forget_lost(Duration::ZERO);
    }

    /// Forgets those whose seat is given up, now or within `soon`; waits that long if there are any.
    fn forget_lost(&mut self, soon: Duration) {
        let end = self.desk.now + soon;
        let is_lost = |person: &Person| {
            person.away_since.is_some_and(|since| SEAT_KEPT <= end.saturating_since(since))
        };
        if self.people.iter().any(is_lost) {
            self.desk.wait(soon);
        }
        self.people.retain(|person| !is_lost(person));
    }

    /// New links are limited: one each three seconds is fine.
    fn rest(&mut self) {
        let away = self.people.iter().any(|person| person.away_since.is_some());
        if !away {
            self.desk.wait_alive(3);
            self.read_inboxes();
        }
    }

    fn pick_track(&self, who: u8, track: u8) -> Option<(usize, TrackId)> {
        let index = self.pick_online(who)?;
        let tracks = &self.people[index].tracks;
        let track = tracks.keys().nth(usize::from(track) % tracks.len().max(1))?;
        Some((index, *track))
    }

    /// Applies what the apps were told.
    fn read_inboxes(&mut self) {
        for person in &mut self.people {
            for envelope in self.desk.received(person.app.connection) {
                match envelope.message {
                    ServerMessage::Streams { streams } => person.streams = streams,
                    ServerMessage::EncodingsWanted { track, codecs, .. } => {
                        person.encodings.insert(track, codecs);
                    }
                    ServerMessage::Ticket { ticket, .. } => person.app.ticket = ticket,
                    ServerMessage::Participant { participant } => {
                        assert!(!participant.name.is_empty());
                        if participant.id == person.app.id {
                            assert_eq!(participant.presence, Presence::Online);
                            let ids: Vec<_> = participant.tracks.iter().map(|t| t.id).collect();
                            assert!(ids.len() <= 3, "{ids:?}");
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Everybody who would hear somebody.
    fn listeners(&self, publisher: &Person) -> Vec<&Person> {
        let in_room = self.people.iter().filter(|person| person.room == publisher.room);
        in_room.filter(|person| person.app.id != publisher.app.id).collect()
    }

    /// How a listener should hear a track (docs/protocol.md §5).
    fn should_hear(
        track: &PublishedTrack,
        listeners: &[&Person],
        listener: &Person,
    ) -> Option<Codec> {
        let jam: Vec<_> = listeners.iter().filter(|person| person.is_jam()).collect();
        let mut could = track.codecs.iter().copied().filter(|codec| track.has(*codec));
        let by_all = could.clone().find(|codec| jam.iter().all(|person| person.decodes(*codec)));
        let by_any = could.find(|codec| jam.iter().any(|person| person.decodes(*codec)));
        let jam_codec = by_all.or(by_any);
        jam_codec
            .filter(|codec| listener.is_jam() && listener.decodes(*codec))
            .or(track.has(Codec::Opus).then_some(Codec::Opus))
    }

    fn check(&mut self) {
        self.read_inboxes();
        for person in &self.people {
            self.check_encodings(person);
            self.check_streams(person);
        }
        let linked = self.people.iter().filter(|person| person.linked).count();
        assert_eq!(self.desk.sfu.links.len(), linked, "a link for each who is here");
    }

    fn check_encodings(&self, publisher: &Person) {
        let listeners = self.listeners(publisher);
        let mut sources = BTreeMap::new();
        for (id, track) in &publisher.tracks {
            let hears = |person: &&Person| Self::should_hear(track, &listeners, person);
            let mut heard: Vec<_> = listeners.iter().filter_map(hears).collect();
            heard.sort_unstable();
            heard.dedup();
            if heard.is_empty() {
                heard.extend(track.codecs.iter().find(|codec| track.has(**codec)));
            }
            for (_, ssrc) in track.sources.iter().filter(|(codec, _)| heard.contains(codec)) {
                sources.insert(Ssrc(*ssrc), (*id, track.muted));
            }
            if publisher.away_since.is_none() {
                let mut told = publisher.encodings[id].clone();
                told.sort_unstable();
                assert_eq!(told, heard, "what {} sends of {track:?}", publisher.app.id);
            }
        }
        if publisher.linked {
            let link = &self.desk.sfu.links[&publisher.app.id];
            let known = link.sources.iter().map(|(ssrc, s)| (*ssrc, (s.track, s.muted)));
            assert_eq!(known.collect::<BTreeMap<_, _>>(), sources);
            let mut types = link.sources.values().map(|source| source.payload_types.opus.0);
            assert!(types.all(|opus| opus == publisher.opus));
        }
    }

    fn check_streams(&self, subscriber: &Person) {
        if !subscriber.linked {
            return;
        }
        let link = &self.desk.sfu.links[&subscriber.app.id];
        let mut should: BTreeMap<(ParticipantId, TrackId), (Codec, u32, bool)> = BTreeMap::new();
        for publisher in self.listeners(subscriber) {
            let listeners = self.listeners(publisher);
            for (id, track) in &publisher.tracks {
                let Some(codec) = Self::should_hear(track, &listeners, subscriber) else {
                    continue;
                };
                let source = track.sources.iter().find(|(known, _)| *known == codec);
                let ssrc = source.expect("only what has a source is heard").1;
                should.insert((publisher.app.id, *id), (codec, ssrc, publisher.linked));
            }
        }
        let slots = subscriber.slots.unwrap_or(usize::MAX);
        if subscriber.away_since.is_none() {
            let told = &subscriber.streams;
            assert_eq!(told.len(), should.len().min(slots), "{told:?} of {should:?}");
            for stream in told {
                let (codec, ssrc, linked) = should[&(stream.participant, stream.track)];
                assert_eq!(stream.codec, codec);
                let forwarded = link.streams.get(&stream.ssrc).map(|s| (s.publisher, s.source));
                let expected = linked.then_some((stream.participant, Ssrc(ssrc)));
                assert_eq!(forwarded, expected);
            }
        }
        let forwarded = should.values().filter(|(_, _, linked)| *linked).count();
        assert!(link.streams.len() <= forwarded.min(slots));
        for stream in link.streams.values() {
            assert_eq!(stream.payload_types.opus.0, subscriber.opus);
            let mut found = should.iter().filter(|((publisher, _), (_, ssrc, _))| {
                (*publisher, Ssrc(*ssrc)) == (stream.publisher, stream.source)
            });
            assert!(found.next().is_some(), "{stream:?} should not be");
        }
    }
}

fn room_name(room: u8) -> String {
    format!("room-{room}")
}

/// The codecs whose bit is set.
fn subset(bits: u8) -> Vec<Codec> {
    let set = |(index, codec): (usize, Codec)| (bits >> index & 1 == 1).then_some(codec);
    Codec::ALL.into_iter().enumerate().filter_map(set).collect()
}

/// Some codecs in some order.
fn ordered(bits: u8) -> Vec<Codec> {
    let mut codecs = subset(bits);
    let len = codecs.len().max(1);
    codecs.rotate_left(usize::from(bits >> 4) % len);
    codecs
}

fn run(plan: &[Step]) -> Vec<String> {
    let mut model = Model::new();
    for step in plan {
        model.carry_out(step);
        model.check();
    }
    model.desk.transcript
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn everybody_is_sent_exactly_what_they_should_be(
        plan in proptest::collection::vec(step(), 1..60),
    ) {
        let transcript = run(&plan);
        prop_assert_eq!(run(&plan), transcript, "the same plan gives the same bytes");
    }

    #[test]
    fn any_text_is_survived(texts in proptest::collection::vec(any::<String>(), 1..20)) {
        let mut desk = Desk::new();
        let ana = desk.musician("r", "Ana");
        let eve = desk.join("r", "Eve");
        for text in texts {
            desk.send_text(eve.connection, &text);
        }
        prop_assert!(desk.sfu.links.contains_key(&ana.id));
    }

    #[test]
    fn any_offer_is_survived(
        cut in any::<usize>(),
        at in any::<usize>(),
        with in ".{0,20}",
    ) {
        let mut text = crate::offers::offer(&OfferPlan::default());
        let at = at % text.len();
        let end = (at + cut % 200).min(text.len());
        text.replace_range(at..end, &with);
        let mut desk = Desk::new();
        let eve = desk.join("r", "Eve");
        let description = protocol::signal::Description::Sdp { sdp: text };
        let ticket = eve.ticket.clone();
        desk.send(eve.connection, ClientMessage::Connect { ticket, description });
        let answered = desk.received(eve.connection).into_iter().any(|envelope| {
            matches!(
                envelope.message,
                ServerMessage::Connected { .. } | ServerMessage::Error { .. }
            )
        });
        prop_assert!(answered);
    }
}
