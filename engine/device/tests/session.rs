//! A whole session against a server that plays everything back: what survives which failure.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test picks the messages that it speaks of")]

mod echo_server;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use echo_server::{ECHO, ECHO_TRACK, ECHO_TRACK_ANEW, EchoServer, wait_for};
use engine::{Channels, PlayoutMode};
use engine_device::audio::{AudioStatus, Callbacks};
use engine_device::session::{
    CodecChoice, End, Event, Mix, Notice, PreparedSession, Reach, Request, RoomSession,
    SessionOptions, View,
};
use engine_device::stats::StatsLine;
use protocol::codec::Codec;
use protocol::signal::{ByeReason, ClientMessage, Description, ErrorCode, ServerMessage};
use protocol::units::{Bitrate, Decibels};
use signalling_client::RoomLink;

#[global_allocator]
static GUARD: AllocDisabler = AllocDisabler;

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
            playout: PlayoutMode::Automatic,
            mode: None,
            takes: None,
            key: None,
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
    callbacks: Callbacks,
    loudness_bits: Arc<AtomicU32>,
    least_bits: Arc<AtomicU32>,
    lost_frames: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Card {
    fn start(callbacks: Callbacks) -> Self {
        let loudness_bits = Arc::new(AtomicU32::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let (bits, stopping) = (Arc::clone(&loudness_bits), Arc::clone(&stop));
        let least_bits = Arc::new(AtomicU32::new(0));
        let (least, ours) = (Arc::clone(&least_bits), callbacks.clone());
        let lost_frames = Arc::new(AtomicUsize::new(0));
        let losing = Arc::clone(&lost_frames);
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
                match losing.swap(0, Ordering::Relaxed) {
                    0 => {}
                    frames => callbacks.lose(frames),
                }
                // What the shell adds to the engine's callback: the clock, the wake, the counts.
                assert_no_alloc(|| callbacks.duplex(&[&input], &mut [&mut left, &mut right]));
                for sample in left {
                    mean_square += (sample * sample - mean_square) / 4800.0;
                }
                let loudness = mean_square.sqrt();
                bits.store(loudness.to_bits(), Ordering::Relaxed);
                // Bits of positive floats are in the floats' order.
                least.fetch_min(loudness.to_bits(), Ordering::Relaxed);
                due += Duration::from_nanos(1_333_333);
                thread::sleep(due.saturating_duration_since(std::time::Instant::now()));
            }
        });
        Self { callbacks: ours, loudness_bits, least_bits, lost_frames, stop, thread: Some(thread) }
    }

    /// Loses so many frames before its next callback.
    fn lose(&self, frames: usize) {
        self.lost_frames.store(frames, Ordering::Relaxed);
    }

    /// Forgets how quiet it was.
    fn listen_anew(&self) {
        self.least_bits.store(f32::INFINITY.to_bits(), Ordering::Relaxed);
    }

    /// The least [`Self::loudness`] since [`Self::listen_anew`].
    fn least_loudness(&self) -> f32 {
        f32::from_bits(self.least_bits.load(Ordering::Relaxed))
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
    stage.session.request(Request::SetMix(ECHO_TRACK, muted));
    wait_for("silence", || (stage.card.loudness() < 0.01).then_some(()));
    let quiet = Mix { gain: Decibels(-12.0), ..Mix::default() };
    stage.session.request(Request::SetMix(ECHO_TRACK, quiet));
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
fn a_playout_mode_reaches_the_engine_and_a_default_those_without_one() {
    let stage = Stage::open(CodecChoice::Auto);
    stage.hears_itself();
    let mode = |view: &View| {
        let track = view.participants.first()?.tracks.first()?;
        track.remote.map(|remote| remote.playout)
    };
    stage.view(|view| mode(view) == Some(PlayoutMode::Automatic));
    let set = |playout| {
        let mix = Mix { playout, ..Mix::default() };
        stage.session.request(Request::SetMix(ECHO_TRACK, mix));
    };
    set(Some(PlayoutMode::Fixed(960)));
    stage.view(|view| mode(view) == Some(PlayoutMode::Fixed(960)));
    stage.session.request(Request::SetDefaultPlayout(PlayoutMode::Safer));
    let view = stage.view(|view| view.default_playout == PlayoutMode::Safer);
    assert_eq!(mode(&view), Some(PlayoutMode::Fixed(960)), "it has a mode of its own");
    set(None);
    stage.view(|view| mode(view) == Some(PlayoutMode::Safer));
    // A delay that cannot be is said, and changes nothing.
    stage.session.request(Request::SetDefaultPlayout(PlayoutMode::Fixed(24_001)));
    wait_for("the refusal", || match stage.session.next_event(Duration::from_millis(5)) {
        Some(Event::Notice(Notice::Warning(text))) => text.contains("at most 500 ms").then_some(()),
        _ => None,
    });
    assert_eq!(mode(&stage.session.view()), Some(PlayoutMode::Safer));
    stage.server.restart();
    stage.view(|view| {
        let tracks = view.participants.iter().flat_map(|participant| &participant.tracks);
        tracks.filter_map(|track| track.remote).any(|remote| remote.playout == PlayoutMode::Safer)
    });
}

#[test]
fn sound_goes_on_while_the_websocket_is_gone_and_the_seat_is_taken_again() {
    let stage = Stage::open(CodecChoice::Auto);
    stage.hears_itself();
    stage.next_connect();
    stage.card.listen_anew();
    let a_second_on = |view: View| view.network.received_packets + 750;
    let later = a_second_on(stage.session.view());
    stage.server.hold_websockets(true);
    stage.server.drop_websockets();
    stage
        .view(|view| view.signalling == Reach::Connecting && later < view.network.received_packets);
    stage.server.hold_websockets(false);
    let seat = stage.server.wait_for(|message| match message {
        ClientMessage::Join { seat, .. } => Some(seat),
        _ => None,
    });
    assert_eq!(seat.as_deref(), Some("seat"));
    let next = stage.server.next_message();
    assert!(matches!(next, ClientMessage::Publish { .. }), "the link needs nothing: {next:?}");
    let later = a_second_on(stage.session.view());
    stage.view(|view| view.signalling == Reach::Connected && later < view.network.received_packets);
    // Half a second of silence would take it below; what a busy machine swallows does not.
    assert!(0.03 < stage.card.least_loudness(), "{}", stage.card.least_loudness());
}

#[test]
fn a_restarted_server_deals_ids_anew_and_the_mix_stays_with_the_person() {
    let stage = Stage::open(CodecChoice::Auto);
    stage.hears_itself();
    let quiet = Mix { gain: Decibels(-12.0), ..Mix::default() };
    let mix_of = |view: &View, track| {
        let mut tracks = view.participants.iter().flat_map(|participant| &participant.tracks);
        tracks.find(|known| known.id == track).map(|known| known.mix)
    };
    stage.session.request(Request::SetMix(ECHO_TRACK, quiet));
    stage.view(|view| mix_of(view, ECHO_TRACK) == Some(quiet));
    stage.server.restart();
    let view = stage.view(|view| mix_of(view, ECHO_TRACK_ANEW) == Some(quiet));
    assert_eq!(mix_of(&view, ECHO_TRACK), Some(Mix::default()), "that is Dora");
    stage.view(|view| view.media == Reach::Connected);
    wait_for("a quarter", || (0.05..0.12).contains(&stage.card.loudness()).then_some(()));
}

#[test]
fn frames_that_the_device_lost_are_missing_in_media_time() {
    let stage = Stage::open(CodecChoice::Auto);
    stage.hears_itself();
    let lost = 9600;
    assert!(stage.server.longest_step() < lost, "{}", stage.server.longest_step());
    stage.card.lose(lost as usize);
    wait_for("the gap", || (lost <= stage.server.longest_step()).then_some(()));
    stage.hears_itself();
}

#[test]
fn a_line_of_statistics_tells_of_loss_delay_and_callbacks() {
    let stage = Stage::open(CodecChoice::Only(Codec::Opus64));
    stage.server.lose_one_of(10);
    stage.view(|view| {
        let remote = view.participants.first().and_then(|echo| echo.tracks[0].remote);
        remote.is_some_and(|remote| 50 < remote.lost_packets && 0 < remote.concealed_frames)
    });
    let audio = AudioStatus { period_frames: 64, xruns: 2, ..AudioStatus::default() };
    let view = stage.session.view();
    let line = StatsLine::new(1.0, &view, &audio, stage.card.callbacks.times().take());
    let json = serde_json::to_value(&line).expect("numbers and texts");
    assert_eq!((&json["period_frames"], &json["xruns"]), (&64.into(), &2.into()));
    let number = |value: &serde_json::Value| value.as_f64().unwrap_or_else(|| panic!("{json:#}"));
    for name in ["callbacks", "callback_p50_us", "callback_p99_us", "callback_max_us"] {
        assert!(0.0 < number(&json[name]), "{name}: {json:#}");
    }
    assert!(number(&json["callback_p50_us"]) <= number(&json["callback_max_us"]));
    let remote = &json["remotes"][0];
    assert_eq!((&remote["name"], &remote["codec"]), (&"Echo".into(), &"opus-64".into()));
    // One of ten, whatever else a busy machine loses.
    let (received, lost) = (number(&remote["received_packets"]), number(&remote["lost_packets"]));
    assert!((0.05..0.2).contains(&(lost / (received + lost))), "{remote:#}");
    assert!(0.0 < number(&remote["concealed_ms"]), "{remote:#}");
    assert!(number(&remote["concealed_ms"]) < number(&remote["played_ms"]), "{remote:#}");
    for name in ["playout_delay_ms", "playout_delay_target_ms", "added_delay_ms"] {
        assert!(0.0 < number(&remote[name]), "{name}: {remote:#}");
    }
    assert!(0.0 <= number(&remote["late_packets"]) && 0.0 <= number(&remote["buffer_ms"]));
    assert_eq!(remote["playout"], "automatic");
    assert!(0.0 < number(&remote["concealed_ms_per_minute"]), "{remote:#}");
    for name in ["delay_network_ms", "delay_callback_ms", "delay_drift_ms", "delay_redundancy_ms"] {
        assert!(0.0 <= number(&remote[name]), "{name}: {remote:#}");
    }
    assert!(remote["rate_ppm"].is_i64(), "{remote:#}");
    assert!(remote["drift_ppm"].is_number() || remote["drift_ppm"].is_null(), "{remote:#}");
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
        playout: PlayoutMode::Automatic,
        mode: None,
        takes: None,
        key: None,
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
