//! How things are in the room, for a screen or a log: a snapshot, refreshed ten times a second.

use engine::{Level, PlayoutMode, Relief, RemoteStats, RoomClockStats, RoomMapping};
use protocol::codec::Codec;
use protocol::id::{ParticipantId, TrackId};
use protocol::room_state::{PlayingMode, RoomState};
use protocol::signal::{EngineKind, Finding, Presence, TrackHearing};
use protocol::units::Decibels;

use super::membership::Uplink;
use crate::durations::DurationSummary;
use crate::network::NetworkCounts;

/// A snapshot of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Whether signalling is there.
    pub signalling: Reach,
    /// Whether media flows.
    pub media: Reach,
    /// Who we are, once that is known.
    pub me: Option<ParticipantId>,
    /// Whether the own track is stopped for everybody.
    pub muted: bool,
    /// What is sent.
    pub encodings: Vec<Codec>,
    /// Why that is sent, where it is not simply what was asked for.
    pub reason: Option<String>,
    /// How the own packets reach the server.
    pub uplink: Option<Uplink>,
    /// What everybody's playout delay is steered by who has no mode of their own.
    pub default_playout: PlayoutMode,
    /// The input before mute.
    pub input: Level,
    /// What is handed to the device.
    pub output: Level,
    /// Codec frames dropped because the sender thread did not keep up.
    pub outgoing_overrun_frames: u64,
    /// What is saved because this machine is too slow.
    pub relief: Relief,
    /// What went through the socket.
    pub network: NetworkCounts,
    /// From the audio callback's wake of the sender thread until its packet had left, over the
    /// last full second.
    pub send_delay: DurationSummary,
    /// What the room's clock shows over the process's own ([`crate::clock`]), and how well that is known;
    /// `None` before the first answer.
    pub room_clock: Option<(RoomMapping, RoomClockStats)>,
    /// What the room shares beside the sound.
    pub shared: RoomState,
    /// How late everybody is heard here; `None` as the room says.
    pub own_mode: Option<PlayingMode>,
    /// How the click is heard here; `None` where it is not.
    pub click_gain: Option<Decibels>,
    /// Whether the own input is being recorded for a take.
    pub recording: bool,
    /// Everybody, oneself included, in the order they came.
    pub participants: Vec<ParticipantView>,
    /// What costs the room delay or sound, and what to do about it, worst first.
    pub findings: Vec<Finding>,
}

/// Whether the other end is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Not yet, or not any more.
    #[default]
    Connecting,
    /// Yes.
    Connected,
}

/// Somebody in the room.
#[derive(Debug, Clone, PartialEq)]
pub struct ParticipantView {
    /// Who.
    pub id: ParticipantId,
    /// What they are called.
    pub name: String,
    /// What plays for them.
    pub engine: EngineKind,
    /// Whether they are there.
    pub presence: Presence,
    /// What they publish.
    pub tracks: Vec<TrackView>,
}

/// What somebody publishes, and how it is heard here.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackView {
    /// The track.
    pub id: TrackId,
    /// Its publisher's name for it.
    pub label: String,
    /// 1 or 2.
    pub channels: u8,
    /// Whether its publisher stopped it.
    pub muted: bool,
    /// How it is mixed here.
    pub mix: Mix,
    /// How it arrives; `None` for one's own.
    pub remote: Option<RemoteStats>,
    /// How its publisher says that they hear us.
    pub hears_us: Option<TrackHearing>,
}

/// The own mix of one track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mix {
    /// What is applied.
    pub gain: Decibels,
    /// -1 left to 1 right.
    pub pan: f32,
    /// Whether it is left out.
    pub muted: bool,
    /// Whether only soloed tracks are heard, this one among them.
    pub soloed: bool,
    /// What the playout delay is steered by; `None` for what holds for all.
    pub playout: Option<PlayoutMode>,
}

impl Default for Mix {
    fn default() -> Self {
        Self { gain: Decibels::UNITY, pan: 0.0, muted: false, soloed: false, playout: None }
    }
}

impl Default for View {
    fn default() -> Self {
        let silence = Level { peak: Decibels(-100.0), rms: Decibels(-100.0) };
        Self {
            signalling: Reach::Connecting,
            media: Reach::Connecting,
            me: None,
            muted: false,
            encodings: Vec::new(),
            reason: None,
            uplink: None,
            default_playout: PlayoutMode::Automatic,
            input: silence,
            output: silence,
            outgoing_overrun_frames: 0,
            relief: Relief::Nothing,
            network: NetworkCounts::default(),
            send_delay: DurationSummary::default(),
            room_clock: None,
            shared: RoomState::default(),
            own_mode: None,
            click_gain: Some(Decibels::UNITY),
            recording: false,
            participants: Vec::new(),
            findings: Vec::new(),
        }
    }
}
