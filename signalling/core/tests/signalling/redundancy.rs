//! Loss that is told of, and who repeats codec frames for whom because of it.

use protocol::codec::Codec::Opus64;
use protocol::control::Event;
use protocol::id::ParticipantId;
use protocol::limits::SUBSCRIBER_STREAMS_MAX;
use protocol::rtp::Ssrc;
use protocol::signal::{ClientMessage, EngineKind, ErrorCode, ServerMessage, StreamReception};

use crate::desk::{App, Desk};

const NONE: [u8; 0] = [];

/// What a listener's SFU end keeps of everybody's redundancy, by publisher.
fn kept(desk: &Desk, listener: &App) -> Vec<(ParticipantId, u8)> {
    let streams = desk.sfu.links[&listener.id].streams.values();
    let mut kept: Vec<_> = streams.map(|s| (s.publisher, s.redundant_frames)).collect();
    kept.sort_unstable();
    kept
}

/// How many frames a publisher was told to repeat, each time that it was told.
fn told(desk: &mut Desk, publisher: &App) -> Vec<u8> {
    desk.find(publisher.connection, |message| match message {
        ServerMessage::EncodingsWanted { redundant_frames, .. } => Some(redundant_frames),
        _ => None,
    })
}

/// The stream in which a listener hears a publisher.
fn stream(desk: &Desk, listener: &App, publisher: &App) -> Ssrc {
    let mut streams = desk.sfu.links[&listener.id].streams.iter();
    *streams.find(|stream| stream.1.publisher == publisher.id).expect("it is heard").0
}

fn lossy(ssrc: Ssrc, lost_packets: u32) -> StreamReception {
    StreamReception { ssrc, expected_packets: 750, lost_packets, gaps: lost_packets }
}

fn report(desk: &mut Desk, listener: &App, stream: StreamReception) {
    desk.send(listener.connection, ClientMessage::Reception { streams: vec![stream] });
}

fn room() -> (Desk, [App; 3]) {
    let mut desk = Desk::new();
    let apps = ["Ana", "Ben", "Cleo"].map(|name| desk.musician("r", name));
    for app in &apps {
        desk.received(app.connection);
    }
    (desk, apps)
}

#[test]
fn who_loses_packets_gets_them_repeated_and_nobody_else() {
    let (mut desk, [ana, ben, cleo]) = room();
    let of_ana = stream(&desk, &ben, &ana);
    report(&mut desk, &ben, lossy(of_ana, 2));
    assert_eq!(told(&mut desk, &ana), NONE, "an accident");
    report(&mut desk, &ben, lossy(of_ana, 10));
    assert_eq!(told(&mut desk, &ana), [1]);
    assert_eq!(kept(&desk, &ben), [(ana.id, 1), (cleo.id, 0)]);
    assert_eq!(kept(&desk, &cleo), [(ana.id, 0), (ben.id, 0)]);
    report(&mut desk, &ben, lossy(of_ana, 75));
    assert_eq!(told(&mut desk, &ana), [2]);
    report(&mut desk, &ben, lossy(of_ana, 75));
    assert_eq!(told(&mut desk, &ana), NONE, "it is told already");
    // Somebody else needs less, and gets no more.
    let of_ana = stream(&desk, &cleo, &ana);
    report(&mut desk, &cleo, lossy(of_ana, 10));
    assert_eq!(kept(&desk, &cleo), [(ana.id, 1), (ben.id, 0)]);
    assert_eq!(told(&mut desk, &ana), NONE, "two are repeated anyway");
    assert_eq!(told(&mut desk, &ben), NONE);
    desk.wait_alive(20);
    assert_eq!(told(&mut desk, &ana), [1, 0], "after a calm, of Ben's loss first");
    assert_eq!(kept(&desk, &ben), [(ana.id, 0), (cleo.id, 0)]);
}

#[test]
fn loss_on_the_way_up_is_mended_for_everybody() {
    let (mut desk, [ana, ben, cleo]) = room();
    let (ssrc, source) = desk.sfu.links[&ana.id].sources.first_key_value().expect("a source");
    let uplink = Event::Uplink {
        participant: ana.id,
        track: source.track,
        ssrc: *ssrc,
        received_packets: 700,
        lost_packets: 50,
        jitter_us: 0,
    };
    desk.sfu_event(&uplink);
    assert_eq!(told(&mut desk, &ana), [2]);
    assert_eq!(kept(&desk, &ben), [(ana.id, 2), (cleo.id, 0)]);
    assert_eq!(kept(&desk, &cleo), [(ana.id, 2), (ben.id, 0)]);
}

#[test]
fn what_a_browser_tells_by_rtcp_counts_too() {
    let (mut desk, [ana, ben, _]) = room();
    let downlink = Event::Downlink {
        participant: ben.id,
        ssrc: stream(&desk, &ben, &ana),
        expected_packets: 3750,
        lost_packets: 40,
        jitter_us: 0,
        round_trip_us: None,
    };
    desk.sfu_event(&downlink);
    assert_eq!(told(&mut desk, &ana), [1]);
}

#[test]
fn an_ordinary_listener_is_sent_nothing_twice() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let page = desk.join_as("r", "Page", EngineKind::Standard, &[], None).expect("let in");
    desk.connect(&page);
    desk.received(ana.connection);
    let of_ana = stream(&desk, &page, &ana);
    report(&mut desk, &page, lossy(of_ana, 100));
    assert_eq!(kept(&desk, &page), [(ana.id, 0)]);
    assert_eq!(told(&mut desk, &ana), NONE);
}

#[test]
fn a_newcomer_and_a_new_link_begin_with_what_they_need() {
    let (mut desk, [ana, ben, _]) = room();
    let of_ana = stream(&desk, &ben, &ana);
    report(&mut desk, &ben, lossy(of_ana, 75));
    let dan = desk.musician("r", "Dan");
    assert!(kept(&desk, &dan).iter().all(|kept| kept.1 == 0));
    // Ben opens another link: his way is as bad as before.
    desk.connect_direct(&ben, &crate::desk::link(77));
    assert!(kept(&desk, &ben).contains(&(ana.id, 2)));
}

#[test]
fn reports_that_make_no_sense_change_nothing() {
    let (mut desk, [ana, ben, cleo]) = room();
    for ssrc in [Ssrc(0), stream(&desk, &cleo, &ana)] {
        report(&mut desk, &ben, lossy(ssrc, 500));
    }
    assert_eq!(told(&mut desk, &ana), NONE);
    let absurd = StreamReception { ssrc: Ssrc(1), expected_packets: 0, lost_packets: 0, gaps: 0 };
    let streams = vec![absurd; SUBSCRIBER_STREAMS_MAX + 1];
    desk.send(ben.connection, ClientMessage::Reception { streams });
    assert_eq!(desk.errors(ben.connection), [ErrorCode::TooMany]);
    let of_ana = stream(&desk, &ben, &ana);
    let absurd =
        StreamReception { ssrc: of_ana, expected_packets: 0, lost_packets: u32::MAX, gaps: 0 };
    report(&mut desk, &ben, absurd);
    assert_eq!(told(&mut desk, &ana), [2], "never more than two");
    let source = desk.sfu.links[&ana.id].sources.values().next().expect("a source").track;
    desk.send(ana.connection, ClientMessage::Unpublish { track: source });
    desk.wait_alive(20);
    assert!(desk.encodings(&ana).is_none_or(|(codecs, _)| codecs == [Opus64]));
}
