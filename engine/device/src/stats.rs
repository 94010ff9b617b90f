//! One line of JSON for each second: what a tuner wants to see of a session.
//!
//! Field names end in their unit. Counters of a remote run since its stream was added; callback
//! times speak of the second before the line.

use core::time::Duration;

use engine::{Click, Relief, RemoteStats, RoomClockStats, RoomMapping, StreamState};
use protocol::codec::Codec;
use protocol::id::{ParticipantId, TrackId};
use protocol::room_state::PlayingMode;
use protocol::rtp::Ssrc;
use protocol::signal::{Finding, Presence};
use protocol::units::SampleRate;
use serde::Serialize;

use crate::audio::AudioStatus;
use crate::clock;
use crate::durations::DurationSummary;
use crate::session::{ParticipantView, Reach, TrackView, View};

/// A line of statistics.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatsLine<'a> {
    /// Seconds since the session was started.
    pub time_s: f64,
    /// Whether signalling is there.
    pub signalling_up: bool,
    /// Whether media flows.
    pub media_up: bool,
    /// The rate of the device, its output's where they differ.
    pub rate_hz: u32,
    /// What it takes to convert from the device's rate and to it, together; in none of the delays below.
    pub conversion_ms: f64,
    /// Frames in one callback, at the device's rate.
    pub period_frames: u32,
    /// What the devices' own delay goes by in the figures below: `reported` by their drivers, or `calibrated`.
    pub device_latency: &'static str,
    /// Times that the device ran out of audio or of room.
    pub xruns: u64,
    /// Callbacks in the second before.
    pub callbacks: u32,
    /// Half of them took no longer.
    pub callback_p50_us: u32,
    /// 99 % of them took no longer.
    pub callback_p99_us: u32,
    /// The longest of them.
    pub callback_max_us: u32,
    /// From the audio callback's wake of the sender thread until its packet had left: half of
    /// them took no longer.
    pub send_delay_p50_us: u32,
    /// 99 % of them took no longer.
    pub send_delay_p99_us: u32,
    /// The longest of them.
    pub send_delay_max_us: u32,
    /// Highest sample of the input, before mute.
    pub input_peak_dbfs: f32,
    /// Highest sample of the output.
    pub output_peak_dbfs: f32,
    /// What is sent.
    pub encodings: &'a [Codec],
    /// Codec frames dropped because the sender thread did not keep up.
    pub outgoing_overrun_frames: u64,
    /// What is saved because this machine is too slow: `nothing`, `unheard`, or `remotes`.
    pub relief: &'static str,
    /// Remotes that are left out because of that, the quietest ones.
    pub left_out_remotes: u32,
    /// Media packets sent.
    pub sent_packets: u64,
    /// Bytes of all datagrams sent, without IP and UDP headers.
    pub sent_bytes: u64,
    /// Datagrams that the socket refused.
    pub send_errors: u64,
    /// Media packets received and taken.
    pub received_packets: u64,
    /// Bytes of all datagrams received, without IP and UDP headers.
    pub received_bytes: u64,
    /// Datagrams that were not the server's, forged, replayed, or of no known stream.
    pub rejected_datagrams: u64,
    /// The clock that everybody in the room shares; `null` before the server has told it.
    pub room_clock: Option<RoomClockLine>,
    /// How late others are heard.
    pub mode: PlayingMode,
    /// The tempo of the click; `null` where there is none.
    pub click_bpm: Option<f64>,
    /// The server's report on the own uplink.
    pub uplink: Option<UplinkLine>,
    /// Every track of everybody else that is received.
    pub remotes: Vec<RemoteLine<'a>>,
    /// What costs the room delay or sound, and what to do about it, worst first.
    pub findings: &'a [Finding],
}

/// How well the room's clock is known here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoomClockLine {
    /// Whether it is known as well as it is going to be.
    pub settled: bool,
    /// How far off it may be if packets take as long to the server as back.
    pub precision_ms: f64,
    /// How far off it is at most, whatever they do.
    pub bound_ms: f64,
    /// How much faster it runs than the clock of this process.
    pub rate_ppm: f32,
    /// How often one of the two clocks was set.
    pub steps: u32,
    /// Answers of the server so far.
    pub exchanges: u64,
    /// The quickest way to the server and back of late.
    pub round_trip_ms: f64,
    /// What nine of ten differ from the one before by, at most.
    pub jitter_ms: f64,
    /// By how much it is ahead of what this computer shows as the time of day.
    pub ahead_of_wall_ms: f64,
}

/// How the own packets reached the server in the last second.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UplinkLine {
    /// The encoding it speaks of.
    pub codec: Codec,
    /// Packets that arrived.
    pub received_packets: u32,
    /// Packets missing by their sequence numbers.
    pub lost_packets: u32,
    /// Interarrival jitter (RFC 3550 §6.4.1).
    pub jitter_us: u32,
}

/// One track of somebody else.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RemoteLine<'a> {
    /// Who publishes it.
    pub participant: ParticipantId,
    /// Their name.
    pub name: &'a str,
    /// Whether they are there.
    pub presence: Presence,
    /// The track.
    pub track: TrackId,
    /// Its label.
    pub label: &'a str,
    /// Its stream.
    pub ssrc: Ssrc,
    /// `idle`, `starting`, `playing`, or `left out` where this machine is too slow.
    pub state: &'static str,
    /// The codec of the latest packet played.
    pub codec: Option<Codec>,
    /// Highest sample of late, before gain.
    pub level_peak_dbfs: f32,
    /// Packets that arrived, duplicates not counted.
    pub received_packets: u64,
    /// Sequence numbers that never came.
    pub lost_packets: u64,
    /// Packets that came after their moment.
    pub late_packets: u64,
    /// Packets that came after one with a higher sequence number.
    pub reordered_packets: u64,
    /// Packets that came twice.
    pub duplicate_packets: u64,
    /// Codec frames played from redundancy.
    pub recovered_packets: u64,
    /// Packets that no decoder understood.
    pub undecodable_packets: u64,
    /// Packets dropped because a queue here was full.
    pub overrun_packets: u64,
    /// Packets of some other time than the stream's.
    pub refused_packets: u64,
    /// Audio invented for missing frames.
    pub concealed_ms: f64,
    /// Audio invented in the latest minute that was played, or in less while there was less.
    pub concealed_ms_per_minute: f64,
    /// Audio played, invented audio included.
    pub played_ms: f64,
    /// Cross-faded changes of the playout delay.
    pub splices: u64,
    /// Times that the stream jumped or started anew.
    pub resynchronizations: u64,
    /// Audio waiting.
    pub buffer_ms: f64,
    /// From a packet's arrival until its first frame is handed to the device.
    pub playout_delay_ms: f64,
    /// What is wanted of that.
    pub playout_delay_target_ms: f64,
    /// What steers that: `automatic`, `lower`, `safer`, or a fixed delay such as `12ms`.
    pub playout: String,
    /// What the network's jitter asks for.
    pub delay_network_ms: f64,
    /// What the jitter of this device's callbacks asks for.
    pub delay_callback_ms: f64,
    /// What clocks that run apart ask for.
    pub delay_drift_ms: f64,
    /// What waiting for redundancy asks for.
    pub delay_redundancy_ms: f64,
    /// Packet, codec and playout together: mouth to ear without devices and network.
    pub added_delay_ms: f64,
    /// How much faster the publisher's clock runs; absent while unknown.
    pub drift_ppm: Option<f32>,
    /// How much faster than this device the stream is consumed at the moment.
    pub rate_ppm: i32,
    /// Packets in the latest full second.
    pub received_packets_per_second: u32,
    /// From the publisher's microphone to this loudspeaker, on the room's clock and as the drivers say what
    /// is outside of vjam; without the way to the loudspeaker where this device's says nothing. `null` while either
    /// end does not know the room's time.
    pub mouth_to_ear_ms: Option<f64>,
    /// What of that is not needed but wanted, by the playing mode.
    pub padding_ms: f64,
    /// How late it is to be heard by the playing mode; `null` for as early as it can be.
    pub wanted_delay_ms: Option<f64>,
}

impl<'a> StatsLine<'a> {
    /// Puts a line together.
    #[must_use]
    pub fn new(
        time_s: f64,
        view: &'a View,
        audio: &AudioStatus,
        callbacks: DurationSummary,
    ) -> Self {
        let remotes = view.participants.iter().flat_map(|participant| {
            participant.tracks.iter().filter_map(move |track| {
                Some(RemoteLine::new(participant, track, track.remote.as_ref()?, audio))
            })
        });
        let network = view.network;
        let (relief, left_out_remotes) = match view.relief {
            Relief::Nothing => ("nothing", 0),
            Relief::Unheard => ("unheard", 0),
            Relief::Remotes(remotes) => ("remotes", remotes),
        };
        Self {
            time_s,
            signalling_up: view.signalling == Reach::Connected,
            media_up: view.media == Reach::Connected,
            rate_hz: audio.rates.output_hz,
            conversion_ms: to_thousandths(audio.rates.conversion.as_secs_f64() * 1e3),
            period_frames: audio.period_frames,
            device_latency: if audio.calibrated { "calibrated" } else { "reported" },
            xruns: audio.xruns,
            callbacks: callbacks.count,
            callback_p50_us: callbacks.p50_us,
            callback_p99_us: callbacks.p99_us,
            callback_max_us: callbacks.max_us,
            send_delay_p50_us: view.send_delay.p50_us,
            send_delay_p99_us: view.send_delay.p99_us,
            send_delay_max_us: view.send_delay.max_us,
            input_peak_dbfs: view.input.peak.0,
            output_peak_dbfs: view.output.peak.0,
            encodings: &view.encodings,
            outgoing_overrun_frames: view.outgoing_overrun_frames,
            relief,
            left_out_remotes,
            sent_packets: network.sent_packets,
            sent_bytes: network.sent_bytes,
            send_errors: network.send_errors,
            received_packets: network.received_packets,
            received_bytes: network.received_bytes,
            rejected_datagrams: network.rejected_datagrams,
            room_clock: view.room_clock.map(RoomClockLine::new),
            mode: view.own_mode.unwrap_or(view.shared.mode),
            click_bpm: click_bpm(view),
            uplink: view.uplink.map(|uplink| UplinkLine {
                codec: uplink.codec,
                received_packets: uplink.received_packets,
                lost_packets: uplink.lost_packets,
                jitter_us: uplink.jitter_us,
            }),
            remotes: remotes.collect(),
            findings: &view.findings,
        }
    }
}

/// The tempo that holds, or the one that is about to.
fn click_bpm(view: &View) -> Option<f64> {
    let click = Click::new(&view.shared.click).ok()?;
    let (mapping, _) = view.room_clock?;
    let (beat_ns, _) = click.meter(mapping.room(clock::now()))?;
    Some(to_thousandths(60e9 / beat_ns))
}

impl RoomClockLine {
    fn new((mapping, stats): (RoomMapping, RoomClockStats)) -> Self {
        let ahead_ns = mapping.room(clock::now()).ns_since(clock::wall());
        Self {
            settled: stats.settled,
            precision_ms: to_thousandths(stats.precision.as_secs_f64() * 1e3),
            bound_ms: to_thousandths(stats.bound.as_secs_f64() * 1e3),
            rate_ppm: stats.rate_ppm,
            steps: stats.steps,
            exchanges: stats.exchanges,
            round_trip_ms: to_thousandths(stats.round_trip.as_secs_f64() * 1e3),
            jitter_ms: to_thousandths(stats.jitter.as_secs_f64() * 1e3),
            ahead_of_wall_ms: to_thousandths(
                Duration::from_nanos(ahead_ns.unsigned_abs()).as_secs_f64() * 1e3,
            ) * if ahead_ns < 0 { -1.0 } else { 1.0 },
        }
    }
}

impl<'a> RemoteLine<'a> {
    fn new(
        participant: &'a ParticipantView,
        track: &'a TrackView,
        remote: &'a RemoteStats,
        audio: &AudioStatus,
    ) -> Self {
        let to_ear = audio.output_latency.unwrap_or_default();
        let mouth_to_ear = remote.mouth_to_device.map(|to_device| to_device + to_ear);
        Self {
            participant: participant.id,
            name: &participant.name,
            presence: participant.presence,
            track: track.id,
            label: &track.label,
            ssrc: remote.ssrc,
            state: match remote.state {
                StreamState::Idle => "idle",
                StreamState::Starting => "starting",
                StreamState::Playing => "playing",
                StreamState::LeftOut => "left out",
            },
            codec: remote.codec,
            level_peak_dbfs: remote.level.peak.0,
            received_packets: remote.received_packets,
            lost_packets: remote.lost_packets,
            late_packets: remote.late_packets,
            reordered_packets: remote.reordered_packets,
            duplicate_packets: remote.duplicate_packets,
            recovered_packets: remote.recovered_packets,
            undecodable_packets: remote.undecodable_packets,
            overrun_packets: remote.overrun_packets,
            refused_packets: remote.refused_packets,
            concealed_ms: to_ms(remote.concealed_frames),
            concealed_ms_per_minute: to_thousandths(remote.concealed_ms_per_minute.into()),
            played_ms: to_ms(remote.played_frames),
            splices: remote.splices,
            resynchronizations: remote.resynchronizations,
            buffer_ms: to_ms(remote.buffer_frames.into()),
            playout_delay_ms: to_ms(remote.playout_delay_frames.into()),
            playout_delay_target_ms: to_ms(remote.playout_delay_target_frames.into()),
            playout: remote.playout.to_string(),
            delay_network_ms: to_ms(remote.why.network_frames.into()),
            delay_callback_ms: to_ms(remote.why.callback_frames.into()),
            delay_drift_ms: to_ms(remote.why.drift_frames.into()),
            delay_redundancy_ms: to_ms(remote.why.redundancy_frames.into()),
            added_delay_ms: to_ms(remote.added_delay_frames.into()),
            drift_ppm: remote.drift_ppm,
            rate_ppm: remote.rate_ppm,
            received_packets_per_second: remote.received_packets_per_second,
            mouth_to_ear_ms: mouth_to_ear.map(|delay| to_thousandths(delay.as_secs_f64() * 1e3)),
            padding_ms: to_thousandths(remote.padding.as_secs_f64() * 1e3),
            wanted_delay_ms: remote.wanted_delay.map(|delay| delay.as_secs_f64() * 1e3),
        }
    }
}

/// Frames at 48 kHz as milliseconds, to a thousandth.
#[must_use]
pub fn to_ms(frames: u64) -> f64 {
    let duration = SampleRate::WIRE.duration_floor(frames);
    to_thousandths(duration.as_secs_f64() * 1e3)
}

fn to_thousandths(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Rates;

    #[test]
    fn frames_are_told_in_milliseconds() {
        assert_eq!((to_ms(0), to_ms(64), to_ms(48_000)), (0.0, 1.333, 1000.0));
    }

    #[test]
    fn a_line_is_json_with_units_in_its_names() {
        let view = View::default();
        let summary = DurationSummary { count: 750, p50_us: 20, p99_us: 40, max_us: 90 };
        let rates = Rates::new(96_000, 96_000).expect("a simple ratio");
        let audio = AudioStatus { rates, ..AudioStatus::default() };
        let line = StatsLine::new(1.5, &view, &audio, summary);
        let json = serde_json::to_value(&line).expect("numbers and texts");
        assert_eq!((&json["rate_hz"], &json["conversion_ms"]), (&96_000.into(), &0.208.into()));
        assert_eq!(json["callback_p99_us"], 40);
        assert_eq!(json["device_latency"], "reported");
        assert_eq!(json["time_s"], 1.5);
        assert_eq!(json["remotes"], serde_json::json!([]));
    }
}
