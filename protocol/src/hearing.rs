//! What participants report of how they hear each other, and what is found in it.

use serde::{Deserialize, Serialize};

use crate::id::{ParticipantId, TrackId};
use crate::rtp::Ssrc;

/// How a packet stream arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct StreamReception {
    /// The stream.
    pub ssrc: Ssrc,
    /// Packets that were to arrive.
    pub expected_packets: u32,
    /// How many of them did not.
    pub lost_packets: u32,
    /// How often some were missing, one or several in a row.
    pub gaps: u32,
}

/// How a track of somebody else is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TrackHearing {
    /// Whose and which.
    pub track: TrackId,
    /// From the publisher's microphone to the listener's loudspeaker, by the room's clock; left out while one of the
    /// two does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub delay_us: Option<u32>,
    /// What of that is not needed but wanted, by a playing mode; left out where it is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub padding_us: Option<u32>,
    /// Packets that did not come, in a thousand, since it was last told; more than none is never 0.
    pub lost_permille: u16,
    /// Sound that was invented, in a thousand.
    pub concealed_permille: u16,
    /// What packets that come unevenly make the listener wait; left out where that is not known, and never passed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub network_us: Option<u32>,
    /// What the listener waits although nothing asks for it, as they wished; as `network_us`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub spare_us: Option<u32>,
}

/// What a participant's sound card and computer are like; what is not known is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DeviceReport {
    /// How long a period of the device is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub period_us: Option<u32>,
    /// From the microphone to the engine, as the driver says it, a period included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub input_latency_us: Option<u32>,
    /// From the engine to the loudspeaker, as the driver says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub output_latency_us: Option<u32>,
    /// How often the device ran out of audio, or of room, since it was told last.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<u32>"))]
    pub missed: u32,
    /// The part of the time that the callbacks worked since it was told last, in a thousand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub load_permille: Option<u16>,
    /// How many others are not heard because the computer is too slow.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<u32>"))]
    pub left_out: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// What a participant's way to the server and back is like, by the exchanges of the room's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct NetworkReport {
    /// The quickest of late: distance.
    pub round_trip_us: u32,
    /// What nine of ten differ from the one before by, at most: jitter.
    pub jitter_us: u32,
}

/// One thing that costs the room delay or sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Finding {
    /// For programs.
    pub code: FindingCode,
    /// Whose it is; left out where it is everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub about: Option<ParticipantId>,
    /// How bad it is.
    pub severity: Severity,
    /// For people: one sentence with the cause and the cure, the same for everybody.
    pub text: String,
}

/// What kind of thing a [`Finding`] is. Between them they tell device, network, distance and computer apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum FindingCode {
    /// The sound card works in long periods.
    LargePeriod,
    /// Headphones, microphone or sound system hold sound for long, as Bluetooth does.
    SlowDevice,
    /// Packets come unevenly, as over Wi-Fi.
    ShakyNetwork,
    /// What somebody sends is lost before the server: everybody misses it.
    UplinkLoss,
    /// What everybody sends is lost after the server: one misses it.
    DownlinkLoss,
    /// Somebody is far from the server.
    FarAway,
    /// The server is far from everybody.
    FarServer,
    /// A computer is too slow, or too busy.
    SlowComputer,
    /// A browser's own player plays.
    OrdinaryPlayer,
    /// A browser sends in long steps, because its data channel does not carry short ones.
    LongPackets,
    /// A listener has asked for more delay than anything needs.
    ChosenDelay,
    /// What a newer server finds; its sentence says it.
    #[serde(other)]
    Other,
}

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Severity {
    /// There is something to win.
    Slight,
    /// It is in the way of playing together.
    Serious,
}
