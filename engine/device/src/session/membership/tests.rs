//! Conversations with signalling, played through without one.

use protocol::signal::{ByeReason, ErrorCode, Source, Track};

use super::*;
use crate::session::codec_choice::CodecChoice;

const ME: ParticipantId = ParticipantId(7);

fn at(ms: u64) -> Instant {
    Instant::from_ns(ms * 1_000_000)
}

fn membership() -> Membership {
    let source = |codec, ssrc| Source { codec, ssrc: Ssrc(ssrc) };
    Membership::new(Musician {
        room: RoomId::parse("lab").expect("a room's name"),
        name: "Ana".into(),
        label: "instrument".into(),
        channels: 1,
        choice: CodecChoice::Auto,
        sources: vec![source(Codec::Opus64, 1), source(Codec::Opus, 2)],
    })
}

fn joined(resumed: bool) -> ServerMessage {
    joined_as(somebody(ME, Presence::Online), resumed)
}

fn joined_as(us: Participant, resumed: bool) -> ServerMessage {
    ServerMessage::Joined {
        version: VERSION,
        room: RoomId::parse("lab").expect("a room's name"),
        participant: ME,
        ticket: "t1".into(),
        ticket_seconds: 30,
        seat: "s1".into(),
        seat_seconds: 15,
        participants: vec![us],
        chat: Vec::new(),
        resumed,
    }
}

fn somebody(id: ParticipantId, presence: Presence) -> Participant {
    let name = format!("P{}", id.0);
    Participant {
        id,
        name,
        engine: EngineKind::Native,
        presence,
        tracks: Vec::new(),
        role: None,
        account: None,
        silenced: false,
    }
}

fn stream(ssrc: u32, track: u32, channels: u8) -> Stream {
    Stream {
        ssrc: Ssrc(ssrc),
        mid: None,
        participant: ParticipantId(9),
        track: TrackId(track),
        codec: Codec::Opus64,
        channels,
    }
}

fn link() -> LinkParameters {
    LinkParameters { ice_ufrag: "u".into(), ice_pwd: "p".into(), fingerprint: "F".into() }
}

fn say(membership: &mut Membership, ms: u64, message: ServerMessage) -> Vec<Effect> {
    membership.handle_message(at(ms), ServerEnvelope { request: None, message });
    effects(membership)
}

fn effects(membership: &mut Membership) -> Vec<Effect> {
    core::iter::from_fn(|| membership.poll_effect())
        .filter(|effect| !matches!(effect, Effect::Tell(_)))
        .collect()
}

fn sent(effects: &[Effect]) -> Vec<&ClientMessage> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send(envelope) => Some(&envelope.message),
            _ => None,
        })
        .collect()
}

fn seat_of(effects: &[Effect]) -> Option<Option<String>> {
    sent(effects).into_iter().find_map(|message| match message {
        ClientMessage::Join { seat, .. } => Some(seat.clone()),
        _ => None,
    })
}

/// In the room, link up, nothing left to do.
fn settled() -> Membership {
    let mut membership = membership();
    membership.handle_websocket_open();
    say(&mut membership, 0, joined(false));
    membership.handle_local_link(link());
    membership.handle_link_up();
    effects(&mut membership);
    membership
}

#[test]
fn joining_opens_the_link_and_publishes() {
    let mut membership = membership();
    membership.handle_websocket_open();
    assert_eq!(seat_of(&effects(&mut membership)), Some(None));
    let effects_seen = say(&mut membership, 0, joined(false));
    assert_eq!(effects_seen[0], Effect::OpenLink);
    let [ClientMessage::Publish { codecs, sources, .. }] = sent(&effects_seen)[..] else {
        panic!("published once: {effects_seen:?}");
    };
    assert_eq!((codecs.as_slice(), sources.len()), (&[Codec::Opus64, Codec::Opus][..], 2));
    membership.handle_local_link(link());
    let effects_seen = effects(&mut membership);
    let [ClientMessage::Connect { ticket, .. }] = sent(&effects_seen)[..] else {
        panic!("connected once: {effects_seen:?}");
    };
    assert_eq!(ticket, "t1");
}

#[test]
fn an_answer_to_a_replaced_request_is_ignored() {
    let mut membership = settled();
    membership.handle_local_link(link());
    let [Effect::Send(first)] = &effects(&mut membership)[..] else { panic!("one connect") };
    membership.handle_local_link(link());
    let [Effect::Send(second)] = &effects(&mut membership)[..] else { panic!("one connect") };
    let mut answer = |request| {
        let description = Description::Direct { link: link(), candidates: Vec::new() };
        let message = ServerMessage::Connected { description };
        membership.handle_message(at(1), ServerEnvelope { request, message });
        effects(&mut membership).len()
    };
    assert_eq!(answer(first.request), 0);
    assert_eq!(answer(second.request), 1);
    assert_eq!(answer(second.request), 0);
}

#[test]
fn a_dropped_websocket_comes_back_into_the_seat_and_leaves_the_sound_alone() {
    let mut membership = settled();
    say(&mut membership, 10, ServerMessage::Streams { streams: vec![stream(5, 1, 1)] });
    membership.handle_websocket_gone();
    membership.handle_timeout(at(1000));
    assert_eq!(effects(&mut membership), []);
    membership.handle_websocket_open();
    assert_eq!(seat_of(&effects(&mut membership)), Some(Some("s1".into())));
    let effects_seen = say(&mut membership, 2000, joined(true));
    assert!(matches!(sent(&effects_seen)[..], [ClientMessage::Publish { .. }]));
    assert_eq!(effects_seen.len(), 1, "no link action, no stream lost: {effects_seen:?}");
}

#[test]
fn a_link_that_died_with_the_websocket_is_restarted() {
    let mut membership = settled();
    membership.handle_websocket_gone();
    membership.handle_link_down();
    membership.handle_timeout(at(1000));
    assert_eq!(effects(&mut membership), [], "no use while signalling is away");
    membership.handle_websocket_open();
    effects(&mut membership);
    assert_eq!(say(&mut membership, 2000, joined(true))[0], Effect::RestartLink);
}

#[test]
fn a_link_that_the_server_says_is_over_is_replaced_at_once_and_not_restarted() {
    let mut membership = settled();
    let over = || ServerMessage::Error { code: ErrorCode::LinkClosed, text: "over".into() };
    say(&mut membership, 10, over());
    membership.handle_timeout(at(20));
    assert_eq!(effects(&mut membership), [Effect::OpenLink]);
    // One more about the old link changes nothing about the new one.
    say(&mut membership, 30, over());
    membership.handle_timeout(at(40));
    assert_eq!(effects(&mut membership), []);
}

#[test]
fn a_seat_that_is_gone_is_joined_anew_with_nothing_left_of_the_old_one() {
    let mut membership = settled();
    say(&mut membership, 10, ServerMessage::Streams { streams: vec![stream(5, 1, 1)] });
    membership.handle_websocket_gone();
    membership.handle_websocket_open();
    effects(&mut membership);
    let gone = ServerMessage::Error { code: ErrorCode::SeatGone, text: "gone".into() };
    assert_eq!(seat_of(&say(&mut membership, 20, gone)), Some(None));
    let effects_seen = say(&mut membership, 30, joined(false));
    assert_eq!(effects_seen[0], Effect::RemoveRemote { ssrc: Ssrc(5) });
    assert_eq!(effects_seen[1], Effect::OpenLink);
}

#[test]
fn whoever_is_silenced_when_they_join_is_told() {
    let joins = |membership: &mut Membership, silenced: bool, resumed: bool| {
        membership.handle_websocket_open();
        let us = Participant { silenced, ..somebody(ME, Presence::Online) };
        let message = joined_as(us, resumed);
        membership.handle_message(at(1), ServerEnvelope { request: None, message });
        let effects = core::iter::from_fn(|| membership.poll_effect());
        let warnings = effects.filter_map(|effect| match effect {
            Effect::Tell(Notice::Warning(text)) => Some(text),
            _ => None,
        });
        let warnings: Vec<_> = warnings.collect();
        membership.handle_websocket_gone();
        warnings
    };
    let mut membership = membership();
    let told = |text: &str| vec![text.to_owned()];
    assert_eq!(joins(&mut membership, false, false), Vec::<String>::new());
    assert_eq!(joins(&mut membership, true, false), told(SILENCED), "in a seat of their own");
    assert_eq!(joins(&mut membership, true, true), told(SILENCED), "back in it");
    assert_eq!(joins(&mut membership, false, true), told(HEARD_AGAIN), "lifted meanwhile");
}

#[test]
fn a_pass_is_wanted_by_whoever_can_get_one_and_has_no_seat() {
    let mut without = settled();
    assert!(!without.wants_pass());
    without.seat = None;
    assert!(!without.wants_pass(), "there is nothing to get one with");
    let mut membership = membership();
    membership.use_passes();
    assert!(membership.wants_pass());
    membership.set_pass(Some("p1".into()));
    membership.handle_websocket_open();
    effects(&mut membership);
    say(&mut membership, 10, joined(false));
    membership.handle_websocket_gone();
    assert!(!membership.wants_pass(), "the seat is kept");
    membership.set_pass(None);
    membership.handle_websocket_open();
    effects(&mut membership);
    // The seat is gone: no join without a pass, which the owner of a private room would not let in.
    let gone = ServerMessage::Error { code: ErrorCode::SeatGone, text: "gone".into() };
    let seen = say(&mut membership, 20, gone);
    assert_eq!(seat_of(&seen), None, "no join yet");
    assert_eq!(seen.last(), Some(&Effect::Reconnect));
    assert!(membership.wants_pass());
}

#[test]
fn streams_come_go_and_change_their_shape() {
    let mut membership = settled();
    let mut streams =
        |list: Vec<Stream>| say(&mut membership, 1, ServerMessage::Streams { streams: list });
    let add = |ssrc, channels| Effect::AddRemote { ssrc: Ssrc(ssrc), channels };
    let remove = |ssrc| Effect::RemoveRemote { ssrc: Ssrc(ssrc) };
    assert_eq!(streams(vec![stream(5, 1, 1)]), [add(5, 1)]);
    assert_eq!(streams(vec![stream(5, 1, 1), stream(6, 2, 2)]), [add(6, 2)]);
    assert_eq!(streams(vec![stream(5, 1, 1), stream(6, 2, 2)]), []);
    assert_eq!(streams(vec![stream(5, 3, 1)]), [remove(5), remove(6), add(5, 1)]);
    assert_eq!(streams(vec![]), [remove(5)]);
}

#[test]
fn encodings_are_set_once_and_their_reason_is_told() {
    let mut membership = settled();
    let mut wanted = |codecs: &[Codec], redundant_frames: u8, reason: Option<&str>| {
        let message = ServerMessage::EncodingsWanted {
            track: TrackId(1),
            codecs: codecs.to_vec(),
            redundant_frames,
            reason: reason.map(str::to_owned),
        };
        membership.handle_message(at(1), ServerEnvelope { request: None, message });
        core::iter::from_fn(|| membership.poll_effect()).collect::<Vec<_>>()
    };
    let both = [Codec::Opus64, Codec::Opus];
    assert_eq!(
        wanted(&both, 0, Some("Ben plays opus only")),
        [
            Effect::Tell(Notice::Fact("sending opus-64 and opus (Ben plays opus only)".into())),
            Effect::SetEncodings { codecs: both.to_vec(), redundant_frames: 0 },
        ]
    );
    assert_eq!(wanted(&both, 0, Some("Ben plays opus only")), []);
    for (asked, redundant_frames) in [(1, 1), (200, 2)] {
        let set = Effect::SetEncodings { codecs: both.to_vec(), redundant_frames };
        assert_eq!(wanted(&both, asked, Some("Ben plays opus only")), [set]);
    }
}

#[test]
fn a_mute_before_there_is_a_track_is_told_with_it() {
    let mut membership = settled();
    membership.set_muted(true);
    assert_eq!(effects(&mut membership), [], "nothing is published yet");
    let effects_seen = say(&mut membership, 1, published());
    assert_eq!(sent(&effects_seen), [&mute(true)]);
}

/// Presses the key while the WebSocket is away, or so late that the message goes down with it;
/// gives what is said once the track is published again.
fn muted_across_a_drop(server_has: bool, wanted: bool, pressed: Pressed) -> Vec<ClientMessage> {
    let mut membership = settled();
    say(&mut membership, 1, published());
    say(&mut membership, 2, ServerMessage::Participant { participant: us(server_has) });
    membership.set_muted(server_has);
    effects(&mut membership);
    if pressed == Pressed::InTime {
        membership.set_muted(wanted);
        assert_eq!(sent(&effects(&mut membership)), [&mute(wanted)]);
    }
    membership.handle_websocket_gone();
    membership.set_muted(wanted);
    membership.handle_websocket_open();
    effects(&mut membership);
    say(&mut membership, 2000, joined_as(us(server_has), true));
    let effects_seen = say(&mut membership, 2001, published());
    sent(&effects_seen).into_iter().cloned().collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pressed {
    /// Before the WebSocket was known to be gone: the server never saw it.
    InTime,
    /// While there was none.
    Away,
}

#[test]
fn what_the_musician_did_to_the_mute_while_away_reaches_the_server() {
    for pressed in [Pressed::InTime, Pressed::Away] {
        for wanted in [true, false] {
            let said = muted_across_a_drop(!wanted, wanted, pressed);
            assert_eq!(said, [mute(wanted)], "{wanted} {pressed:?}");
        }
    }
    assert_eq!(muted_across_a_drop(true, true, Pressed::Away), [], "it knows");
}

fn published() -> ServerMessage {
    ServerMessage::Published { track: TrackId(3), label: "instrument".into() }
}

fn mute(muted: bool) -> ClientMessage {
    ClientMessage::Mute { track: TrackId(3), muted }
}

/// Ourselves as the server sees us.
fn us(muted: bool) -> Participant {
    let track = Track { id: TrackId(3), label: "instrument".into(), channels: 1, muted };
    Participant { tracks: vec![track], ..somebody(ME, Presence::Online) }
}

#[test]
fn endings_end_what_they_should() {
    let bye = |reason| ServerMessage::Bye { reason, text: "x".into() };
    let end = |message| say(&mut settled(), 1, message);
    assert_eq!(end(bye(ByeReason::Left)), [Effect::End(End::Left)]);
    assert_eq!(end(bye(ByeReason::ServerClosing)), [Effect::Reconnect]);
    assert_eq!(end(bye(ByeReason::TimedOut)), [Effect::Reconnect]);
    assert_eq!(end(bye(ByeReason::Replaced)), [Effect::End(End::Refused("x".into()))]);
    let full = || ServerMessage::Error { code: ErrorCode::RoomFull, text: "full".into() };
    assert_eq!(end(full()), [Effect::Reconnect], "it had a seat before");
    let mut fresh = membership();
    fresh.handle_websocket_open();
    effects(&mut fresh);
    assert_eq!(say(&mut fresh, 1, full()), [Effect::End(End::Refused("full".into()))]);
}

#[test]
fn a_bad_uplink_publishes_fewer_packets() {
    let mut membership = settled();
    let mut last = Vec::new();
    for second in 0..3 {
        let uplink = ServerMessage::Uplink {
            track: TrackId(1),
            codec: Codec::Opus64,
            received_packets: 500,
            lost_packets: 250,
            jitter_us: 0,
        };
        last = say(&mut membership, second * 1000, uplink);
    }
    let [ClientMessage::Publish { codecs, .. }] = sent(&last)[..] else {
        panic!("published again: {last:?}");
    };
    assert_eq!(codecs, &[Codec::Opus]);
}
