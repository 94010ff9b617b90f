//! The TypeScript side of the signalling messages: what `cargo xtask generate` writes for the web
//! client.
//!
//! Long because it has a sample of every message, which is read as a list.
//!
//! Makes text, writes no files (`examples/generate.rs` does). What surprises: besides the types
//! there is a file of samples, one JSON value of every message as serde really writes it. The web
//! client's type check holds the two against each other, so that a serde attribute that the type
//! generator misreads fails the build rather than a rehearsal.

use core::fmt::Write as _;
use std::collections::BTreeMap;

use serde::Serialize;
use ts_rs::{Config, TS, TypeVisitor};

use crate::codec::Codec;
use crate::id::{ParticipantId, RoomId, TrackId};
use crate::room_state::{BeatStrength, ClickSegment, PlayingMode, RoomState, Take};
use crate::rtp::Ssrc;
use crate::signal::{
    ByeReason, Capabilities, ChatMessage, ClientEnvelope, ClientMessage, Description, DeviceReport,
    EngineKind, ErrorCode, Finding, FindingCode, LeaveReason, LinkParameters, NetworkReport,
    Participant, Presence, RoomRole, SeenParticipant, ServerEnvelope, ServerMessage, Severity,
    Source, Stream, StreamReception, Track, TrackHearing, VERSION,
};
use crate::{limits, units::SampleRate};

/// One generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name inside the folder of generated files.
    pub name: &'static str,
    /// What stands in it.
    pub text: String,
}

/// Every generated file; the same protocol always gives the same bytes.
#[must_use]
pub fn files() -> Vec<File> {
    vec![
        File { name: "index.ts", text: declarations() },
        File { name: "samples.ts", text: samples() },
    ]
}

/// The types, and the numbers an app must know.
fn declarations() -> String {
    let mut types = Declarations { config: config(), by_name: BTreeMap::new() };
    types.visit::<ClientMessage>();
    types.visit::<ServerMessage>();
    types.visit::<ClientEnvelope>();
    types.visit::<ServerEnvelope>();
    types.name_flattened::<ClientMessage>();
    types.name_flattened::<ServerMessage>();
    let mut text = format!("{NOTE}\n");
    for (name, doc, value) in constants() {
        let _ = write!(text, "/** {doc} */\nexport const {name} = {value};\n\n");
    }
    for line in types.by_name.values().flat_map(|declaration| declaration.lines()) {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.truncate(text.trim_end().len() + 1);
    text
}

/// Writes a type and everything it is made of, each once. Sorted by name, since the generator's
/// derive lists what a type is made of in another order each time it is compiled.
struct Declarations {
    config: Config,
    by_name: BTreeMap<String, String>,
}

impl Declarations {
    /// The generator repeats a flattened type in full; its name says the same.
    fn name_flattened<T: TS>(&mut self) {
        let in_full = format!("({})", T::inline(&self.config));
        for declaration in self.by_name.values_mut() {
            *declaration = declaration.replace(&in_full, &T::name(&self.config));
        }
    }
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        let name = T::name(&self.config);
        // Types without a file of their own are TypeScript's: numbers, strings, arrays.
        if T::output_path().is_none() || self.by_name.contains_key(&name) {
            return;
        }
        let docs = T::docs().unwrap_or_default();
        let declaration = format!("{docs}export {}\n\n", T::decl(&self.config));
        self.by_name.insert(name, declaration);
        T::visit_dependencies(self);
    }
}

/// JSON numbers hold every `u64` that the protocol has (milliseconds since 1970 stay below 2^53).
fn config() -> Config {
    Config::new().with_large_int("number")
}

fn constants() -> [(&'static str, &'static str, u64); 11] {
    [
        ("VERSION", "The version of the protocol that these types describe.", VERSION.into()),
        ("ROOM_NAME_CHARS_MAX", "Characters of a room's name.", limits::ROOM_NAME_CHARS_MAX as u64),
        (
            "PARTICIPANT_NAME_CHARS_MAX",
            "Characters of a participant's name.",
            limits::PARTICIPANT_NAME_CHARS_MAX as u64,
        ),
        (
            "CHAT_TEXT_CHARS_MAX",
            "Characters of one chat message.",
            limits::CHAT_TEXT_CHARS_MAX as u64,
        ),
        (
            "ROOM_PARTICIPANTS_MAX",
            "Participants in one room.",
            limits::ROOM_PARTICIPANTS_MAX as u64,
        ),
        ("BAR_BEATS_MAX", "Beats of a bar.", limits::BAR_BEATS_MAX as u64),
        (
            "CLICK_SEGMENTS_MAX",
            "Tempi of a click that are told at once.",
            limits::CLICK_SEGMENTS_MAX as u64,
        ),
        (
            "TEMPO_MILLIBPM_MIN",
            "The slowest click, in thousandths of a beat a minute.",
            limits::TEMPO_MILLIBPM_MIN.into(),
        ),
        ("TEMPO_MILLIBPM_MAX", "The fastest.", limits::TEMPO_MILLIBPM_MAX.into()),
        (
            "TAKE_TITLE_CHARS_MAX",
            "Characters of a take's title and of a marker.",
            limits::TAKE_TITLE_CHARS_MAX as u64,
        ),
        (
            "SAMPLE_RATE_HZ",
            "The rate of every track, on every path.",
            SampleRate::WIRE.as_hz().into(),
        ),
    ]
}

fn samples() -> String {
    let mut text =
        format!("{NOTE}import type {{ ClientEnvelope, ServerEnvelope }} from \".\";\n\n");
    let client = client_samples().into_iter().zip(0..).map(|(message, request)| ClientEnvelope {
        request: (request % 2 == 0).then_some(request),
        message,
    });
    let server = server_samples().into_iter().zip(0..).map(|(message, request)| ServerEnvelope {
        request: (request % 2 == 0).then_some(request),
        message,
    });
    let _ = write!(
        text,
        "/** Every message from an app, as serde writes it. */\n\
         export const CLIENT_SAMPLES = {} satisfies ClientEnvelope[];\n\n\
         /** Every message from signalling, as serde writes it. */\n\
         export const SERVER_SAMPLES = {} satisfies ServerEnvelope[];\n",
        json(&client.collect::<Vec<_>>()),
        json(&server.collect::<Vec<_>>()),
    );
    text
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).expect("messages have string keys and no failing parts")
}

fn client_samples() -> Vec<ClientMessage> {
    let join = |seat, pass| ClientMessage::Join {
        version: VERSION,
        room: room(),
        name: "Ada".into(),
        capabilities: Capabilities {
            engine: EngineKind::Browser,
            decodes: vec![Codec::Opus64, Codec::Opus, Codec::Pcm],
        },
        seat,
        pass,
    };
    let connect = |description| ClientMessage::Connect { ticket: "ticket".into(), description };
    vec![
        join(None, None),
        join(Some("seat".into()), None),
        join(None, Some("pass".into())),
        connect(Description::Sdp { sdp: "v=0\r\n".into() }),
        connect(direct()),
        ClientMessage::Publish {
            label: "mic".into(),
            channels: 1,
            codecs: vec![Codec::Opus64, Codec::Opus],
            sources: vec![Source { codec: Codec::Opus, ssrc: Ssrc(7) }],
        },
        ClientMessage::Unpublish { track: TrackId(3) },
        ClientMessage::Mute { track: TrackId(3), muted: true },
        ClientMessage::Silence { participant: ParticipantId(3), on: true },
        ClientMessage::Remove { participant: ParticipantId(3) },
        ClientMessage::Chat { text: "one two three four".into() },
        ClientMessage::Reception {
            streams: vec![StreamReception {
                ssrc: Ssrc(9),
                expected_packets: 750,
                lost_packets: 12,
                gaps: 8,
            }],
        },
        ClientMessage::Hearing {
            tracks: vec![hearing(Some(23_400)), hearing(None)],
            device: None,
            network: None,
        },
        ClientMessage::Hearing {
            tracks: vec![TrackHearing {
                network_us: Some(1_300),
                spare_us: Some(0),
                ..hearing(None)
            }],
            device: Some(DeviceReport {
                period_us: Some(1_333),
                input_latency_us: Some(2_700),
                output_latency_us: Some(4_000),
                missed: 1,
                load_permille: Some(120),
                left_out: 2,
            }),
            network: Some(NetworkReport { round_trip_us: 12_000, jitter_us: 400 }),
        },
        ClientMessage::Hearing {
            tracks: Vec::new(),
            device: Some(DeviceReport::default()),
            network: None,
        },
        ClientMessage::Lead { leading: true },
        ClientMessage::Click { segments: vec![click_segment()] },
        ClientMessage::Mode { mode: PlayingMode::Beat },
        ClientMessage::StartTake { title: "Autumn".into(), start_us: 1_790_000_000_000_000 },
        ClientMessage::StopTake { stop_us: 1_790_000_060_000_000 },
        ClientMessage::MarkTake { at_us: 1_790_000_030_000_000, text: "solo".into() },
        ClientMessage::Around { delay_us: 21_000 },
        ClientMessage::Look { room: room() },
        ClientMessage::Ping {},
        ClientMessage::Leave {},
    ]
}

fn click_segment() -> ClickSegment {
    ClickSegment {
        start_us: 1_790_000_000_000_000,
        bar: -1,
        tempo_millibpm: 96_500,
        unit: 4,
        beats: vec![BeatStrength::Accent, BeatStrength::Normal, BeatStrength::Silent],
    }
}

fn take(stop_us: Option<i64>) -> Take {
    Take {
        id: "0123456789abcdef0123456789abcdef".into(),
        key: "fedcba9876543210fedcba9876543210".into(),
        title: "Autumn".into(),
        started_by: "Bo".into(),
        start_us: 1_790_000_000_000_000,
        stop_us,
    }
}

fn hearing(delay_us: Option<u32>) -> TrackHearing {
    let padding_us = delay_us.map(|delay| delay / 4);
    TrackHearing {
        track: TrackId(5),
        delay_us,
        padding_us,
        lost_permille: 3,
        concealed_permille: 1,
        network_us: None,
        spare_us: None,
    }
}

fn server_samples() -> Vec<ServerMessage> {
    let mut samples = vec![
        ServerMessage::Joined {
            version: VERSION,
            room: room(),
            participant: ParticipantId(1),
            ticket: "ticket".into(),
            ticket_seconds: 60,
            seat: "seat".into(),
            seat_seconds: 15,
            participants: vec![
                participant(1, EngineKind::Browser),
                participant(2, EngineKind::Native),
            ],
            chat: vec![chat_message()],
            resumed: false,
        },
        ServerMessage::Connected { description: Description::Sdp { sdp: "v=0\r\n".into() } },
        ServerMessage::Connected { description: direct() },
        ServerMessage::Published { track: TrackId(1), label: "mic".into() },
        ServerMessage::Ticket { ticket: "ticket-2".into(), ticket_seconds: 60 },
        ServerMessage::Participant { participant: participant(3, EngineKind::Standard) },
        ServerMessage::Participant {
            participant: Participant {
                role: Some(RoomRole::Owner),
                account: Some("0190163d-8694-739b-aea5-966c26f8ad91".into()),
                ..participant(4, EngineKind::Browser)
            },
        },
        ServerMessage::Participant {
            participant: Participant {
                role: Some(RoomRole::Guest),
                silenced: true,
                ..participant(5, EngineKind::Browser)
            },
        },
        ServerMessage::Streams {
            streams: vec![stream(Some("1".into()), 2, Codec::Opus), stream(None, 3, Codec::Pcm)],
        },
        ServerMessage::SlotsWanted { slots: 8 },
        ServerMessage::Hearing {
            listener: ParticipantId(2),
            tracks: vec![hearing(Some(23_400)), hearing(None)],
        },
        ServerMessage::EncodingsWanted {
            track: TrackId(1),
            codecs: vec![Codec::Opus64, Codec::Opus],
            redundant_frames: 1,
            reason: Some("Bo's browser plays only opus".into()),
        },
        ServerMessage::EncodingsWanted {
            track: TrackId(1),
            codecs: vec![Codec::Opus64],
            redundant_frames: 0,
            reason: None,
        },
        ServerMessage::Uplink {
            track: TrackId(1),
            codec: Codec::Opus64,
            received_packets: 750,
            lost_packets: 2,
            jitter_us: 140,
        },
        ServerMessage::Room { state: RoomState::default() },
        ServerMessage::Room {
            state: RoomState {
                leader: Some(ParticipantId(2)),
                click: vec![click_segment()],
                mode: PlayingMode::Aligned,
                takes: vec![take(Some(1_790_000_060_000_000)), take(None)],
            },
        },
        ServerMessage::Chat { message: chat_message() },
        ServerMessage::Seen {
            room: room(),
            participants: vec![
                seen(EngineKind::Native, Some(21_000)),
                seen(EngineKind::Browser, None),
            ],
        },
        ServerMessage::Pong {},
        ServerMessage::Findings { findings: FINDING_CODES.map(finding).to_vec() },
    ];
    samples
        .extend([LeaveReason::Left, LeaveReason::Lost, LeaveReason::Removed].map(|reason| {
            ServerMessage::ParticipantLeft { participant: ParticipantId(3), reason }
        }));
    samples
        .extend(ERROR_CODES.map(|code| ServerMessage::Error { code, text: "what to do".into() }));
    samples.extend(BYE_REASONS.map(|reason| ServerMessage::Bye { reason, text: "why".into() }));
    samples
}

fn room() -> RoomId {
    RoomId::parse("blue-note").expect("a room's name")
}

fn direct() -> Description {
    Description::Direct {
        link: LinkParameters {
            ice_ufrag: "ufrag".into(),
            ice_pwd: "at-least-22-characters".into(),
            fingerprint: "00:11".into(),
        },
        candidates: vec![core::net::SocketAddr::from(([127, 0, 0, 1], 7882))],
    }
}

fn participant(id: u32, engine: EngineKind) -> Participant {
    let presence = if engine == EngineKind::Native { Presence::Away } else { Presence::Online };
    let track = Track { id: TrackId(id), label: "mic".into(), channels: 1, muted: false };
    Participant {
        id: ParticipantId(id),
        name: format!("Musician {id}"),
        engine,
        presence,
        tracks: vec![track],
        role: None,
        account: None,
        silenced: false,
    }
}

fn seen(engine: EngineKind, around_us: Option<u32>) -> SeenParticipant {
    SeenParticipant { name: "Bo".into(), engine, presence: Presence::Online, around_us }
}

fn stream(mid: Option<String>, publisher: u32, codec: Codec) -> Stream {
    Stream {
        ssrc: Ssrc(1000 + publisher),
        mid,
        participant: ParticipantId(publisher),
        track: TrackId(publisher),
        codec,
        channels: 1,
    }
}

fn finding(code: FindingCode) -> Finding {
    let of_all = code == FindingCode::FarServer;
    Finding {
        code,
        about: (!of_all).then_some(ParticipantId(2)),
        severity: if of_all { Severity::Slight } else { Severity::Serious },
        text: "the cause: the cure".into(),
    }
}

fn chat_message() -> ChatMessage {
    ChatMessage {
        id: 1,
        participant: ParticipantId(2),
        name: "Bo".into(),
        text: "from the top?".into(),
        at_unix_ms: 1_790_000_000_000,
    }
}

const FINDING_CODES: [FindingCode; 12] = [
    FindingCode::LargePeriod,
    FindingCode::SlowDevice,
    FindingCode::ShakyNetwork,
    FindingCode::UplinkLoss,
    FindingCode::DownlinkLoss,
    FindingCode::FarAway,
    FindingCode::FarServer,
    FindingCode::SlowComputer,
    FindingCode::OrdinaryPlayer,
    FindingCode::LongPackets,
    FindingCode::ChosenDelay,
    FindingCode::Other,
];

const ERROR_CODES: [ErrorCode; 28] = [
    ErrorCode::Malformed,
    ErrorCode::TooLarge,
    ErrorCode::Version,
    ErrorCode::OutOfOrder,
    ErrorCode::BadName,
    ErrorCode::RoomFull,
    ErrorCode::ServerFull,
    ErrorCode::SeatGone,
    ErrorCode::BadTicket,
    ErrorCode::BadDescription,
    ErrorCode::TooMany,
    ErrorCode::NoSuchTrack,
    ErrorCode::BadTrack,
    ErrorCode::MediaRefused,
    ErrorCode::LinkClosed,
    ErrorCode::OverRate,
    ErrorCode::BadText,
    ErrorCode::NotLeading,
    ErrorCode::BadClick,
    ErrorCode::BadTake,
    ErrorCode::PassWanted,
    ErrorCode::BadPass,
    ErrorCode::Banned,
    ErrorCode::Removed,
    ErrorCode::NotAllowed,
    ErrorCode::NoSuchParticipant,
    ErrorCode::TryAgain,
    ErrorCode::TooFast,
];

const BYE_REASONS: [ByeReason; 7] = [
    ByeReason::Left,
    ByeReason::ServerClosing,
    ByeReason::Replaced,
    ByeReason::Misbehaved,
    ByeReason::TimedOut,
    ByeReason::Refused,
    ByeReason::Removed,
];

const NOTE: &str = "// Written by `cargo xtask generate` from the Rust types in protocol/src/signal.rs. \
                    Never edited by hand.\n";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every value that a string-valued field named `field` has anywhere in the generated text,
    /// with or without quotes around the field's name.
    fn tags<'a>(text: &'a str, field: &str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        for (at, _) in text.match_indices(&format!("\"{field}\": \"")) {
            let rest = &text[at + field.len() + 5..];
            found.insert(rest.split('"').next().expect("split gives at least one part"));
        }
        found
    }

    #[test]
    fn every_message_and_every_code_has_a_sample() {
        let (types, samples) = (declarations(), samples());
        assert_eq!(tags(&types, "type"), tags(&samples, "type"));
        for code in declared_words(&types, "ErrorCode") {
            assert!(tags(&samples, "code").contains(code), "no sample of the error {code}");
        }
        for reason in declared_words(&types, "ByeReason") {
            assert!(tags(&samples, "reason").contains(reason), "no sample of the bye {reason}");
        }
    }

    /// The words of a type that is a choice of words.
    fn declared_words<'a>(types: &'a str, name: &str) -> Vec<&'a str> {
        let start = types.find(&format!("type {name} =")).expect("the type is declared");
        let declaration = types[start..].split(';').next().expect("split gives at least one part");
        declaration.split('"').skip(1).step_by(2).collect()
    }

    #[test]
    fn samples_are_messages_that_signalling_reads_back() {
        for message in client_samples() {
            let text = json(&ClientEnvelope { request: Some(1), message: message.clone() });
            let back: ClientEnvelope = serde_json::from_str(&text).expect("reads back");
            assert_eq!(back.message, message);
        }
        for message in server_samples() {
            let text = json(&ServerEnvelope { request: None, message: message.clone() });
            let back: ServerEnvelope = serde_json::from_str(&text).expect("reads back");
            assert_eq!(back.message, message);
        }
    }
}
