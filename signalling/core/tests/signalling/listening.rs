//! Links, encodings, slots: who is sent what.

use protocol::codec::Codec::{Opus, Opus64, Pcm};
use protocol::control::{Command, Event, PayloadTypes};
use protocol::id::ParticipantId;
use protocol::rtp::{PayloadType, Ssrc};
use protocol::signal::{ClientMessage, Description, EngineKind, ErrorCode, ServerMessage, Stream};

use crate::desk::{AUTO, App, Desk, link};
use crate::offers::OfferPlan;

fn browser(desk: &mut Desk, name: &str, slots: usize) -> App {
    let app = desk.join_as("r", name, EngineKind::Browser, AUTO, None).expect("let in");
    desk.connect_sdp(&app, &OfferPlan { slots, ..OfferPlan::default() }).expect("answered");
    app
}

#[test]
fn two_native_musicians_hear_each_other_and_not_themselves() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let ben = desk.musician("r", "Ben");
    for (me, other) in [(&ana, &ben), (&ben, &ana)] {
        let streams: Vec<_> = desk.sfu.links[&me.id].streams.values().copied().collect();
        assert_eq!(streams.len(), 1);
        assert_eq!(streams[0].publisher, other.id);
        assert_eq!(streams[0].source, Ssrc(100 * other.id.0), "the opus-64 source");
        assert_eq!(streams[0].payload_types, PayloadTypes::NATIVE);
        let told = desk.streams(me).expect("told");
        assert_eq!(told.len(), 1);
        assert!(desk.sfu.links[&me.id].streams.contains_key(&told[0].ssrc));
        assert_eq!((told[0].participant, told[0].codec, &told[0].mid), (other.id, Opus64, &None));
    }
    assert_eq!(desk.sfu.links[&ana.id].sources.len(), 1, "opus is not wanted");
}

#[test]
fn connecting_is_answered_with_the_servers_end() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    desk.connect(&ana);
    let connected = desk.find(ana.connection, |message| match message {
        ServerMessage::Connected { description } => Some(description),
        _ => None,
    });
    let [Description::Direct { link, candidates }] = connected.as_slice() else {
        panic!("{connected:?}");
    };
    assert_eq!(candidates.len(), 1);
    assert_eq!(link, &desk.sfu.links[&ana.id].local);
    assert!(22 <= link.ice_pwd.len() && 4 <= link.ice_ufrag.len());
    assert!(!desk.sfu.links[&ana.id].data_channel);
}

#[test]
fn new_credentials_restart_ice_and_a_new_certificate_opens_a_new_link() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let ben = desk.musician("r", "Ben");
    let before = desk.streams(&ana).expect("told");
    let (room, sources) = {
        let link = &desk.sfu.links[&ana.id];
        (link.room.clone(), link.sources.clone())
    };
    let restarted =
        protocol::signal::LinkParameters { ice_ufrag: "another".into(), ..link(ana.id.0) };
    desk.connect_direct(&ana, &restarted);
    assert!(matches!(desk.sfu.commands.last(), Some(Command::RestartIce { .. })));
    assert_eq!(desk.sfu.links[&ana.id].sources, sources, "streams go on");
    assert_eq!(desk.streams(&ana).expect("told anew"), before);
    let commands = desk.sfu.commands.len();
    desk.connect_direct(&ana, &restarted);
    assert_eq!(desk.sfu.commands.len(), commands, "saying it twice does nothing twice");
    desk.connect_direct(&ana, &link(77));
    let opened =
        |c: &&Command| matches!(c, Command::OpenLink { participant, .. } if *participant == ana.id);
    assert_eq!(desk.sfu.commands.iter().filter(opened).count(), 2);
    let link = &desk.sfu.links[&ana.id];
    assert_eq!((&link.room, &link.sources), (&room, &sources));
    assert_ne!(desk.streams(&ana).expect("told anew"), before, "new SSRCs for new keys");
    assert_eq!(desk.sfu.links[&ben.id].streams.len(), 1, "Ben hears Ana again");
}

#[test]
fn an_ordinary_player_makes_the_publisher_send_opus_too() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let ben = desk.musician("r", "Ben");
    desk.received(ana.connection);
    let page = desk.join_as("r", "Page", EngineKind::Standard, &[Opus64], None).expect("let in");
    let (codecs, reason) = desk.encodings(&ana).expect("Ana is told");
    assert_eq!(codecs, [Opus64, Opus]);
    let reason = reason.expect("and why");
    assert!(reason.starts_with("Page listens with an ordinary browser player"), "{reason}");
    desk.connect_sdp(&page, &OfferPlan::default()).expect("answered");
    let heard: Vec<_> = desk.streams(&page).expect("told").iter().map(|s| s.codec).collect();
    assert_eq!(heard, [Opus, Opus]);
    let from_ana = |desk: &Desk, subscriber: &App| {
        let mut streams = desk.sfu.links[&subscriber.id].streams.values();
        streams.find(|stream| stream.publisher == ana.id).expect("subscribed").source
    };
    assert_eq!(from_ana(&desk, &page), Ssrc(100 * ana.id.0 + 1));
    assert_eq!(from_ana(&desk, &ben), Ssrc(100 * ana.id.0));
    desk.send(page.connection, ClientMessage::Leave {});
    assert_eq!(desk.encodings(&ana), Some((vec![Opus64], None)), "one encoding again");
}

#[test]
fn nobody_is_sent_what_they_do_not_decode() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    desk.connect(&ana);
    desk.publish(&ana, "mic", &[Pcm], &[Pcm], 10).expect("published");
    let ben = desk.join_as("r", "Ben", EngineKind::Native, &[Opus64], None).expect("let in");
    desk.connect(&ben);
    assert_eq!(desk.streams(&ben), Some(vec![]));
    assert!(desk.sfu.links[&ben.id].streams.is_empty());
    let (codecs, reason) = desk.encodings(&ana).expect("told");
    assert_eq!(codecs, [Pcm]);
    assert_eq!(reason.as_deref(), Some("Ben does not hear this track, lacking pcm"));
}

#[test]
fn a_browser_without_red_is_sent_bare_opus() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let fox = desk.join_as("r", "Fox", EngineKind::Browser, AUTO, None).expect("let in");
    assert_eq!(desk.encodings(&ana), Some((vec![Opus64], None)), "nothing speaks against it yet");
    desk.connect_sdp(&fox, &OfferPlan { red: false, ..OfferPlan::default() }).expect("answered");
    assert_eq!(desk.encodings(&ana).expect("told").0, [Opus]);
    assert_eq!(desk.streams(&fox).expect("told")[0].codec, Opus);
    let stream = desk.sfu.links[&fox.id].streams.values().next().expect("subscribed");
    assert_eq!(
        stream.payload_types,
        PayloadTypes { opus: PayloadType(111), red: None, capture_time: false }
    );
}

#[test]
fn tracks_keep_their_slots_and_too_few_slots_are_asked_for() {
    let mut desk = Desk::new();
    let page = browser(&mut desk, "Page", 2);
    let ana = desk.musician("r", "Ana");
    let ben = desk.musician("r", "Ben");
    let slot_of = |streams: &[Stream], app: &App| {
        let found = streams.iter().find(|stream| stream.participant == app.id);
        found.map(|stream| (stream.mid.clone(), stream.ssrc))
    };
    let two = desk.streams(&page).expect("told");
    let (first, second) = (slot_of(&two, &ana), slot_of(&two, &ben));
    assert_eq!(first.clone().and_then(|slot| slot.0), Some("2".into()), "behind the data channel");

    let cleo = desk.musician("r", "Cleo");
    let wanted = |desk: &mut Desk| {
        desk.find(page.connection, |message| match message {
            ServerMessage::SlotsWanted { slots } => Some(slots),
            _ => None,
        })
    };
    assert_eq!(wanted(&mut desk), [4]);
    let dora = desk.musician("r", "Dora");
    assert!(wanted(&mut desk).is_empty(), "four were wanted already");
    desk.connect_sdp(&page, &OfferPlan { slots: 4, ..OfferPlan::default() }).expect("answered");
    let four = desk.streams(&page).expect("told");
    assert_eq!(four.len(), 4);
    assert_eq!((slot_of(&four, &ana), slot_of(&four, &ben)), (first, second.clone()));

    desk.send(ana.connection, ClientMessage::Leave {});
    let eve = desk.musician("r", "Eve");
    let after = desk.streams(&page).expect("told");
    assert_eq!(slot_of(&after, &eve).map(|slot| slot.0), Some(Some("2".into())), "the free one");
    for stays in [&ben, &cleo, &dora] {
        assert_eq!(slot_of(&after, stays), slot_of(&four, stays));
    }
    assert!(wanted(&mut desk).is_empty());
}

#[test]
fn an_answer_names_the_slots_ssrcs_and_keeps_them() {
    let mut desk = Desk::new();
    let page = desk.join_as("r", "Page", EngineKind::Browser, AUTO, None).expect("let in");
    let ssrcs = |answer: &str| -> Vec<String> {
        let lines = answer.lines().filter(|line| line.starts_with("a=ssrc:"));
        lines.map(str::to_owned).collect()
    };
    let plan = OfferPlan::default();
    let first = desk.connect_sdp(&page, &plan).expect("answered");
    assert_eq!(ssrcs(&first).len(), 2);
    let opened = desk.sfu.links[&page.id].local.clone();
    assert!(desk.sfu.links[&page.id].data_channel);
    let more = OfferPlan { slots: 3, ..plan.clone() };
    let second = desk.connect_sdp(&page, &more).expect("answered");
    assert_eq!(ssrcs(&second)[..2], ssrcs(&first));
    assert_eq!(desk.sfu.links[&page.id].local, opened, "no restart was asked for");
    let restart = OfferPlan { ufrag: "fresh".into(), ..more.clone() };
    let third = desk.connect_sdp(&page, &restart).expect("answered");
    assert_eq!(ssrcs(&third), ssrcs(&second));
    let local = &desk.sfu.links[&page.id].local;
    assert_ne!(local, &opened);
    assert!(third.contains(&format!("a=ice-ufrag:{}\r\n", local.ice_ufrag)));
    let reloaded = OfferPlan { session: 2, ..restart };
    let fourth = desk.connect_sdp(&page, &reloaded).expect("answered");
    assert!(ssrcs(&fourth).iter().all(|line| !ssrcs(&third).contains(line)));
}

#[test]
fn a_slot_that_stops_receiving_loses_its_track() {
    let mut desk = Desk::new();
    let page = browser(&mut desk, "Page", 2);
    desk.musician("r", "Ana");
    assert_eq!(desk.streams(&page).expect("told").len(), 1);
    desk.connect_sdp(&page, &OfferPlan { slots: 0, ..OfferPlan::default() }).expect("answered");
    let received = desk.received(page.connection);
    let is_empty =
        |m: &ServerMessage| matches!(m, ServerMessage::Streams { streams } if streams.is_empty());
    assert!(received.iter().any(|e| is_empty(&e.message)), "{received:?}");
    assert!(desk.sfu.links[&page.id].streams.is_empty());
    desk.connect_sdp(&page, &OfferPlan::default()).expect("answered");
    assert_eq!(desk.streams(&page).expect("told").len(), 1);
}

#[test]
fn a_source_that_moves_is_replaced_and_a_track_may_come_before_the_link() {
    let mut desk = Desk::new();
    let ben = desk.join("r", "Ben");
    desk.connect(&ben);
    let ana = desk.join("r", "Ana");
    desk.publish(&ana, "mic", AUTO, AUTO, 10).expect("published");
    let before = desk.streams(&ben).expect("told");
    assert!(desk.sfu.links[&ben.id].streams.is_empty(), "there is nothing to forward yet");
    desk.connect(&ana);
    assert_eq!(desk.sfu.links[&ben.id].streams[&before[0].ssrc].source, Ssrc(10));
    desk.publish(&ana, "mic", AUTO, AUTO, 20).expect("published again");
    assert_eq!(desk.sfu.links[&ben.id].streams[&before[0].ssrc].source, Ssrc(20));
    // The same SSRC for another codec of another track.
    desk.send(ana.connection, ClientMessage::Unpublish { track: before[0].track });
    desk.publish(&ana, "voice", AUTO, AUTO, 20).expect("published");
    assert_eq!(desk.sfu.links[&ben.id].streams.len(), 1);
}

#[test]
fn mute_reaches_every_encoding_and_survives_a_new_link() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    desk.join_as("r", "Page", EngineKind::Standard, &[], None).expect("let in");
    desk.musician("r", "Ben");
    let track = desk.sfu.links[&ana.id].sources.values().next().expect("a source").track;
    desk.send(ana.connection, ClientMessage::Mute { track, muted: true });
    desk.connect_direct(&ana, &link(88));
    let muted: Vec<_> = desk.sfu.links[&ana.id].sources.values().map(|s| s.muted).collect();
    assert_eq!(muted, [true, true]);
    desk.send(ana.connection, ClientMessage::Mute { track, muted: false });
    assert!(desk.sfu.links[&ana.id].sources.values().all(|source| !source.muted));
}

#[test]
fn how_packets_arrive_is_told_to_their_publisher() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let (ssrc, source) = desk.sfu.links[&ana.id].sources.first_key_value().expect("a source");
    let event = Event::Uplink {
        participant: ana.id,
        track: source.track,
        ssrc: *ssrc,
        received_packets: 740,
        lost_packets: 10,
        jitter_us: 120,
    };
    desk.received(ana.connection);
    desk.sfu_event(&event);
    let [told] = desk.received(ana.connection).try_into().expect("one message");
    let ServerMessage::Uplink { codec: Opus64, received_packets: 740, lost_packets: 10, .. } =
        told.message
    else {
        panic!("{told:?}");
    };
    // About something that is gone, and somebody who is: silence.
    desk.sfu_event(&Event::LinkDown { participant: ana.id });
    desk.send(ana.connection, ClientMessage::Leave {});
    desk.sfu_event(&event);
}

/// The last command that `pick` wants, as the SFU would refuse it.
fn refusal(desk: &Desk, pick: impl Fn(&Command) -> bool) -> Event {
    let command = desk.sfu.commands.iter().rfind(|command| pick(command)).expect("it was sent");
    let (Command::OpenLink { participant, .. }
    | Command::RestartIce { participant, .. }
    | Command::AddSource { participant, .. }
    | Command::Subscribe { subscriber: participant, .. }) = command
    else {
        panic!("{command:?}");
    };
    let (participant, command) = (*participant, Box::new(command.clone()));
    Event::CommandRefused { participant, command, text: "no".into() }
}

#[test]
fn a_refused_command_is_told_to_whom_it_concerns() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let ben = desk.musician("r", "Ben");
    for app in [&ana, &ben] {
        desk.received(app.connection);
    }
    let refused = refusal(
        &desk,
        |command| matches!(command, Command::Subscribe { subscriber: id, .. } if *id == ana.id),
    );
    desk.sfu_event(&refused);
    assert_eq!(desk.errors(ana.connection), [ErrorCode::MediaRefused]);
    let refused = refusal(
        &desk,
        |command| matches!(command, Command::AddSource { participant: id, .. } if *id == ben.id),
    );
    desk.sfu_event(&refused);
    assert_eq!(desk.errors(ben.connection), [ErrorCode::MediaRefused]);
    assert_eq!(desk.errors(ana.connection), []);
}

#[test]
fn a_link_that_the_sfu_refuses_is_given_up_and_bystanders_are_not_troubled() {
    for restart in [false, true] {
        let mut desk = Desk::new();
        let ana = desk.musician("r", "Ana");
        let ben = desk.musician("r", "Ben");
        if restart {
            let other =
                protocol::signal::LinkParameters { ice_ufrag: "other".into(), ..link(ben.id.0) };
            desk.connect_direct(&ben, &other);
        }
        for app in [&ana, &ben] {
            desk.received(app.connection);
        }
        let refused_link = refusal(&desk, |command| match command {
            Command::OpenLink { participant, .. } => *participant == ben.id && !restart,
            Command::RestartIce { .. } => restart,
            _ => false,
        });
        // The SFU refuses these because there is no link; it has not heard of the next yet.
        let of_ben = |pick: fn(&Command) -> Option<ParticipantId>| {
            refusal(&desk, |command| pick(command) == Some(ben.id))
        };
        let cascade = [
            of_ben(|command| match command {
                Command::AddSource { participant, .. } => Some(*participant),
                _ => None,
            }),
            of_ben(|command| match command {
                Command::Subscribe { publisher, .. } => Some(*publisher),
                _ => None,
            }),
            of_ben(|command| match command {
                Command::Subscribe { subscriber, .. } => Some(*subscriber),
                _ => None,
            }),
        ];
        desk.sfu_event(&refused_link);
        assert_eq!(desk.errors(ben.connection), [ErrorCode::MediaRefused]);
        assert!(!desk.sfu.links.contains_key(&ben.id));
        assert!(desk.sfu.links[&ana.id].streams.is_empty());
        for event in &cascade {
            desk.sfu_event(event);
        }
        for app in [&ana, &ben] {
            assert_eq!(desk.errors(app.connection), []);
        }
        // The next attempt brings everything back, and an old refusal does not touch it.
        desk.connect_direct(&ben, &link(77));
        desk.sfu_event(&refused_link);
        assert_eq!(desk.errors(ben.connection), []);
        assert_eq!(desk.sfu.links[&ana.id].streams.len(), 1);
        assert_eq!(desk.sfu.links[&ben.id].streams.len(), 1);
    }
}

#[test]
fn a_link_that_is_over_is_told_once_and_only_a_new_one_helps() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let ben = desk.musician("r", "Ben");
    let over = |desk: &Desk| Event::LinkClosed {
        participant: ben.id,
        local_ufrag: desk.sfu.links[&ben.id].local.ice_ufrag.clone(),
    };
    let closed = over(&desk);
    for app in [&ana, &ben] {
        desk.received(app.connection);
    }
    desk.sfu_event(&closed);
    assert_eq!(desk.errors(ben.connection), [ErrorCode::LinkClosed]);
    assert_eq!(desk.received(ana.connection), [], "nobody else is troubled");
    // A restart would look like an answer and never come up.
    let restarted =
        protocol::signal::LinkParameters { ice_ufrag: "another".into(), ..link(ben.id.0) };
    let commands = desk.sfu.commands.len();
    desk.connect_direct(&ben, &restarted);
    assert_eq!(desk.errors(ben.connection), [ErrorCode::LinkClosed]);
    assert_eq!(desk.sfu.commands.len(), commands);
    desk.connect_direct(&ben, &link(77));
    assert_eq!(desk.errors(ben.connection), []);
    assert_eq!(desk.sfu.links[&ben.id].streams.len(), 1);
    assert_eq!(desk.sfu.links[&ana.id].streams.len(), 1);
    // What the SFU said about the old link says nothing about this one.
    desk.sfu_event(&closed);
    assert_eq!(desk.errors(ben.connection), []);
}

#[test]
fn sources_are_declared_at_the_rate_of_their_codecs_and_excess_is_told_now_and_then() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    desk.musician("r", "Cleo");
    let plain = desk.join_as("r", "Ben", EngineKind::Standard, &[], None).expect("let in");
    desk.connect_sdp(&plain, &OfferPlan { slots: 1, ..OfferPlan::default() }).expect("answered");
    desk.publish(&plain, "mic", &[Opus], &[Opus], 7);
    let rates = |desk: &Desk, app: &App| -> Vec<u32> {
        let sources = desk.sfu.links[&app.id].sources.values();
        sources.map(|source| source.packets_per_second).collect()
    };
    assert_eq!(rates(&desk, &ana), [750, 400], "opus-64 for Cleo, and opus for Ben");
    assert_eq!(rates(&desk, &plain), [100]);

    let (ssrc, source) = desk.sfu.links[&ana.id].sources.first_key_value().expect("a source");
    let (participant, track, ssrc) = (ana.id, source.track, *ssrc);
    let event = Event::OverRate { participant, track, ssrc, dropped_packets: 99 };
    let told = |desk: &mut Desk| {
        desk.sfu_event(&event);
        desk.find(ana.connection, |message| match message {
            ServerMessage::Error { code: ErrorCode::OverRate, text } => Some(text),
            _ => None,
        })
    };
    let [text] = told(&mut desk).try_into().expect("told");
    assert_eq!(
        text,
        "mic is sent faster than 750 packets a second; 99 were dropped in the last one"
    );
    assert_eq!(told(&mut desk), <[String; 0]>::default(), "not every second");
    desk.wait_alive(10);
    assert_eq!(told(&mut desk).len(), 1);
    assert_eq!(desk.errors(plain.connection), []);
}

#[test]
fn unusable_publications_are_refused() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let taken = 100 * ana.id.0;
    desk.received(ana.connection);
    let mut check = |label: &str, codecs: &[_], sources: &[_], ssrc, code| {
        desk.publish(&ana, label, codecs, sources, ssrc);
        assert_eq!(desk.errors(ana.connection), [code], "{label} {codecs:?} {sources:?} {ssrc}");
    };
    check("b", &[], &[Opus], 1, ErrorCode::BadTrack);
    check("b", &[Pcm], &[Opus], 1, ErrorCode::BadTrack);
    check("b", AUTO, &[], 1, ErrorCode::BadTrack);
    check("b", AUTO, &[Opus, Opus], 1, ErrorCode::BadTrack);
    check("b", AUTO, &[Opus], 0, ErrorCode::BadTrack);
    check("b", AUTO, &[Opus], taken, ErrorCode::BadTrack);
    check("", AUTO, AUTO, 1, ErrorCode::BadTrack);
    check(&"x".repeat(33), AUTO, AUTO, 1, ErrorCode::BadTrack);
    check("b", AUTO, &[Opus, Opus64, Pcm, Opus], 1, ErrorCode::TooMany);
}

#[test]
fn unusable_descriptions_are_refused() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    let good = link(1);
    let bad = [
        protocol::signal::LinkParameters { ice_ufrag: "abc".into(), ..good.clone() },
        protocol::signal::LinkParameters { ice_pwd: "short".into(), ..good.clone() },
        protocol::signal::LinkParameters { fingerprint: "AA:BB".into(), ..good },
    ];
    for link in &bad {
        desk.connect_direct(&ana, link);
        assert_eq!(desk.errors(ana.connection), [ErrorCode::BadDescription]);
    }
    let description = Description::Sdp { sdp: "v=0\r\nnonsense".into() };
    let ticket = ana.ticket.clone();
    desk.send(ana.connection, ClientMessage::Connect { ticket, description });
    assert_eq!(desk.errors(ana.connection), [ErrorCode::BadDescription]);
    assert!(desk.sfu.links.is_empty());
}
