//! A whole session against a server that plays everything back: what survives which failure.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test picks the messages that it speaks of")]

mod echo_server;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use echo_server::{ECHO, EchoServer, wait_for};
use engine::Channels;
use engine_device::audio::Callbacks;
use engine_device::room_link::RoomLink;
use engine_device::session::{
    CodecChoice, End, Event, Mix, PreparedSession, Reach, Request, RoomSession, SessionOptions,
    View,
};
use protocol::codec::Codec;
use protocol::id::TrackId;
use protocol::signal::{ByeReason, ClientMessage, Description, ErrorCode, ServerMessage};
use protocol::units::{Bitrate, Decibels};

/// A session, its server, and a sound card that plays a tone and listens.
struct Stage {
    server: EchoServer,
    session: RoomSession,
    card: Card,
}

impl Stage {
    fn open(codec: CodecChoice) -> Self {
        let server = EchoServer::start();
        let options = SessionOptions {
            link: RoomLink::parse(&format!("http://{}/r/test", server.http)).expect("a link"),
            name: "Ana".into(),
            label: "tone".into(),
            channels: Channels::Mono,
            codec,
            bitrate: Bitrate(96_000),
            media_via: None,
        };
        let prepared = PreparedSession::new(options).expect("sockets and threads");
        let card = Card::start(prepared.callbacks());
        Self { server, session: prepared.join().expect("a thread"), card }
    }

    fn view(&self, wanted: impl Fn(&View) -> bool) -> View {
        wait_for("the view", || Some(self.session.view()).filter(&wanted))
    }

    fn hears_itself(&self) {
        wait_for("the tone", || (0.1 < self.card.loudness()).then_some(()));
    }

    /// The next connect, as ufrag and fingerprint.
    fn next_connect(&self) -> (String, String) {
        self.server.wait_for(|message| match message {
            ClientMessage::Connect { description: Description::Direct { link, .. }, .. } => {
                Some((link.ice_ufrag, link.fingerprint))
            }
            _ => None,
        })
    }

    fn end(&self) -> End {
        wait_for("the end", || match self.session.next_event(Duration::from_millis(5)) {
            Some(Event::Ended(end)) => Some(end),
            _ => None,
        })
    }
}

/// Calls back every 1.33 ms or so with a tone, and measures what is rendered.
struct Card {
    loudness_bits: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Card {
    fn start(callbacks: Callbacks) -> Self {
        let loudness_bits = Arc::new(AtomicU32::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let (bits, stopping) = (Arc::clone(&loudness_bits), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let mut phase = 0.0_f32;
            let mut mean_square = 0.0_f32;
            let mut due = std::time::Instant::now();
            while !stopping.load(Ordering::Relaxed) {
                let input: [f32; 64] = std::array::from_fn(|_| {
                    phase = (phase + 1000.0 / 48_000.0).fract();
                    0.5 * (phase * std::f32::consts::TAU).sin()
                });
                let (mut left, mut right) = ([9.0; 64], [9.0; 64]);
                callbacks.duplex(&[&input], &mut [&mut left, &mut right]);
                for sample in left {
                    mean_square += (sample * sample - mean_square) / 4800.0;
                }
                bits.store(mean_square.sqrt().to_bits(), Ordering::Relaxed);
                due += Duration::from_nanos(1_333_333);
                thread::sleep(due.saturating_duration_since(std::time::Instant::now()));
            }
        });
        Self { loudness_bits, stop, thread: Some(thread) }
    }

    /// RMS of the last 100 ms or so.
    fn loudness(&self) -> f32 {
        f32::from_bits(self.loudness_bits.load(Ordering::Relaxed))
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the card does not panic");
        }
    }
}

#[test]
fn every_codec_comes_back_through_the_server() {
    for codec in Codec::ALL {
        let stage = Stage::open(CodecChoice::Only(codec));
        stage.hears_itself();
        let view = stage.view(|view| {
            let remote = view.participants.first().and_then(|echo| echo.tracks[0].remote);
            remote.is_some_and(|remote| remote.codec == Some(codec))
        });
        assert_eq!((view.signalling, view.media), (Reach::Connected, Reach::Connected));
        assert_eq!(view.encodings, [codec]);
        let remote = view.participants[0].tracks[0].remote.expect("it is received");
        assert_eq!(remote.ssrc, ECHO);
        assert!(0 < view.network.sent_packets && 0 < view.network.received_packets, "{view:?}");
    }
}

#[test]
fn the_mix_and_the_mute_are_heard_at_once() {
    let stage = Stage::open(CodecChoice::Auto);
    stage.hears_itself();
    let muted = Mix { muted: true, ..Mix::default() };
    stage.session.request(Request::SetMix(TrackId(2), muted));
    wait_for("silence", || (stage.card.loudness() < 0.01).then_some(()));
    let quiet = Mix { gain: Decibels(-12.0), ..Mix::default() };
    stage.session.request(Request::SetMix(TrackId(2), quiet));
    wait_for("a quarter", || (0.05..0.12).contains(&stage.card.loudness()).then_some(()));
    stage.view(|view| view.participants[0].tracks[0].mix == quiet);
    stage.session.request(Request::SetMuted(true));
    wait_for("silence", || (stage.card.loudness() < 0.01).then_some(()));
    let muted = stage.server.wait_for(|message| match message {
        ClientMessage::Mute { muted, .. } => Some(muted),
        _ => None,
    });
    assert!(muted);
}

#[test]
fn sound_goes_on_while_the_websocket_is_gone_and_the_seat_is_taken_again() {
    let stage = Stage::open(CodecChoice::Auto);
    stage.hears_itself();
    stage.next_connect();
    let before = stage.session.view().network.received_packets;
    stage.server.drop_websockets();
    let seat = stage.server.wait_for(|message| match message {
        ClientMessage::Join { seat, .. } => Some(seat),
        _ => None,
    });
    assert_eq!(seat.as_deref(), Some("seat"));
    let next = stage.server.next_message();
    assert!(matches!(next, ClientMessage::Publish { .. }), "the link needs nothing: {next:?}");
    stage.view(|view| {
        view.signalling == Reach::Connected && before + 100 < view.network.received_packets
    });
    stage.hears_itself();
}

#[test]
fn a_silent_server_is_asked_again_with_new_credentials_and_the_same_certificate() {
    let stage = Stage::open(CodecChoice::Auto);
    stage.hears_itself();
    let (first_ufrag, first_fingerprint) = stage.next_connect();
    stage.server.set_deaf(true);
    let (second_ufrag, second_fingerprint) = stage.next_connect();
    assert_ne!(first_ufrag, second_ufrag);
    assert_eq!(first_fingerprint, second_fingerprint, "DTLS and SRTP go on");
    stage.view(|view| view.media == Reach::Connecting);
    stage.server.set_deaf(false);
    stage.view(|view| view.media == Reach::Connected);
    stage.hears_itself();
}

#[test]
fn a_closing_server_is_waited_for() {
    let stage = Stage::open(CodecChoice::Auto);
    stage.hears_itself();
    let text = "maintenance".to_owned();
    stage.server.say(ServerMessage::Bye { reason: ByeReason::ServerClosing, text });
    // The first join is the one that it came in with.
    for _ in 0..2 {
        let is_join = |message| matches!(message, ClientMessage::Join { .. }).then_some(());
        stage.server.wait_for(is_join);
    }
    stage.view(|view| view.signalling == Reach::Connected);
    stage.hears_itself();
}

#[test]
fn a_refusal_ends_the_session_with_the_servers_words() {
    let server = EchoServer::start();
    let text = "there are 32 musicians in this room".to_owned();
    server.refuse_joins_with(ServerMessage::Error { code: ErrorCode::RoomFull, text });
    let options = SessionOptions {
        link: RoomLink::parse(&format!("http://{}/r/test", server.http)).expect("a link"),
        name: "Ana".into(),
        label: "tone".into(),
        channels: Channels::Stereo,
        codec: CodecChoice::Auto,
        bitrate: Bitrate(96_000),
        media_via: None,
    };
    let prepared = PreparedSession::new(options).expect("sockets and threads");
    let (gate, card) = (prepared.gate(), Card::start(prepared.callbacks()));
    let stage = Stage { server, session: prepared.join().expect("a thread"), card };
    assert_eq!(stage.end(), End::Refused("there are 32 musicians in this room".into()));
    assert!(!gate.is_open());
}

#[test]
fn leaving_tells_the_server_first() {
    let stage = Stage::open(CodecChoice::Auto);
    stage.hears_itself();
    let Stage { server, session, card } = stage;
    session.leave(Duration::from_secs(10));
    server.wait_for(|message| matches!(message, ClientMessage::Leave {}).then_some(()));
    drop(card);
}
