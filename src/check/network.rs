//! The way to the server and back: one's own engine sends what it would send in a room, and a second one, in the same
//! process and with a clock for a sound card, hears it.
//!
//! Both are real sessions in a room of their own, so that everything is as it will be: the packets, the codec, the
//! device's callbacks. What surprises: nobody hears themselves in vjam, so what one's own sound takes around is what it
//! takes to the second one, and what one's own device takes to the loudspeaker.

use std::time::{Duration, Instant};

use anyhow::bail;
use engine::{Channels, PlayoutMode, RemoteStats, StreamState};
use engine_device::audio::{
    AudioBackend, AudioChange, Callbacks, File, FileOptions, InputGate, Keeper,
};
use engine_device::calibration::Calibrations;
use engine_device::clock;
use engine_device::session::{
    CodecChoice, End, Event, PreparedSession, RoomSession, SessionOptions, Uplink, View,
};
use engine_device::stats::to_ms;
use protocol::codec::Codec;
use protocol::room_state::PlayingMode;
use protocol::units::Bitrate;
use signalling_client::RoomLink;

use super::report::{NetworkFigures, Step, tenths};
use crate::device::DeviceFlags;

/// Plays into a room of its own and hears it there. Without `device`, a clock stands for the sound card.
pub(super) fn measure(
    link: &RoomLink,
    device: Option<&DeviceFlags>,
    calibrations: Calibrations,
) -> anyhow::Result<NetworkFigures> {
    let mut here = Musician::join(link, "check", calibrations, |gate| match device {
        Some(flags) => flags.backend(gate),
        None => clockwork(gate, CLOCKWORK_FRAMES),
    })?;
    let period_frames = here.keeper.status().period_frames.max(16);
    let there = Musician::join(link, "check (listening)", Calibrations::default(), |gate| {
        clockwork(gate, period_frames)
    });
    let mut there = match there {
        Ok(there) => there,
        Err(error) => {
            here.leave();
            return Err(error);
        }
    };
    let figures = listen(&mut here, &mut there);
    there.leave();
    here.leave();
    figures
}

fn listen(here: &mut Musician, there: &mut Musician) -> anyhow::Result<NetworkFigures> {
    let patience = Instant::now() + CONNECT_MAX;
    let playing = |view: &View| heard(view).is_some_and(|r| r.state == StreamState::Playing);
    while !(playing(&there.turn()?) && here.turn()?.uplink.is_some()) {
        if patience < Instant::now() {
            bail!(
                "the server is there, but no sound comes through: UDP to its media port is blocked, \
                 by a firewall or the router"
            );
        }
    }
    // The beginning of a stream says nothing of the rest of it.
    let begin = Instant::now() + SETTLE;
    while Instant::now() < begin {
        there.turn()?;
        here.turn()?;
    }
    let before = (here.turn()?, there.turn()?);
    let xruns = here.keeper.status().xruns;
    let _begin = here.callbacks.times().take();
    let mut uplinks: Vec<Uplink> = Vec::new();
    let mut buffer_frames = 0;
    let began = Instant::now();
    let end = began + BURST;
    let mut next = Instant::now() + UPLINK_EVERY;
    while Instant::now() < end {
        let (view, hears) = (here.turn()?, there.turn()?);
        buffer_frames = buffer_frames.max(heard(&hears).map_or(0, |r| r.why.network_frames));
        if next <= Instant::now() {
            next += UPLINK_EVERY;
            uplinks.extend(view.uplink);
        }
    }
    let after = (here.turn()?, there.turn()?);
    let seconds = began.elapsed().as_secs_f64();
    let status = here.keeper.status();
    let times = here.callbacks.times().take();
    let sent = after.0.network.sent_packets - before.0.network.sent_packets;
    let lost: u32 = uplinks.iter().map(|uplink| uplink.lost_packets).sum();
    let received: u32 = uplinks.iter().map(|uplink| uplink.received_packets).sum();
    let jitter_us = uplinks.iter().map(|uplink| uplink.jitter_us).max().unwrap_or_default();
    let (then, now) = (heard(&before.1), heard(&after.1));
    let count = |of: fn(&RemoteStats) -> u64| {
        now.as_ref().map_or(0, of).saturating_sub(then.as_ref().map_or(0, of))
    };
    let down_lost = count(|remote| remote.lost_packets).saturating_sub(u64::from(lost));
    let to_device = now.as_ref().and_then(|remote| remote.mouth_to_device);
    let to_ear = here.callbacks.timing().output_latency().unwrap_or_default();
    let ms = |duration: Duration| tenths(duration.as_secs_f64() * 1e3);
    let rate_hz = status.rates.output_hz.max(1);
    Ok(NetworkFigures {
        sent_packets_per_second: (sent as f64 / seconds).round(),
        up_lost_permille: permille(lost.into(), (lost + received).into()),
        up_jitter_ms: tenths(f64::from(jitter_us) / 1e3),
        down_lost_permille: permille(down_lost, count(|remote| remote.received_packets)),
        round_trip_ms: after.0.room_clock.map(|(_, stats)| ms(2 * stats.bound)),
        buffer_ms: to_ms(buffer_frames.into()),
        around_ms: to_device.map(|to_device| ms(to_device + to_ear)),
        callback_p99_us: times.p99_us,
        callback_period_us: u32::try_from(
            u64::from(status.period_frames) * 1_000_000 / u64::from(rate_hz),
        )?,
        xruns: status.xruns.saturating_sub(xruns),
    })
}

/// Judges it.
pub(super) fn judge(figures: &NetworkFigures) -> Step {
    let NetworkFigures { up_lost_permille, down_lost_permille, up_jitter_ms, buffer_ms, .. } =
        *figures;
    let mut todo = Vec::new();
    if LOST_PERMILLE_MAX < up_lost_permille.max(down_lost_permille) {
        todo.push(
            "packets get lost: use a cable instead of Wi-Fi, and let nobody upload meanwhile; `--codec opus` sends fewer"
                .to_owned(),
        );
    }
    if JITTER_MS_MAX < up_jitter_ms.max(buffer_ms) {
        todo.push(
            "packets come unevenly, which costs delay: use a cable instead of Wi-Fi".to_owned(),
        );
    }
    if 0 < figures.xruns || figures.callback_period_us < 2 * figures.callback_p99_us {
        todo.push(
            "this computer hardly keeps up with its sound card: choose a longer period, or close other programs"
                .to_owned(),
        );
    }
    let round_trip =
        figures.round_trip_ms.map_or_else(|| "unknown".to_owned(), |ms| format!("{ms:.1} ms"));
    let found = format!(
        "round trip {round_trip}; {} packets a second; lost {:.1} % there and {:.1} % back; jitter {up_jitter_ms:.1} ms; \
         callbacks take {} of {} µs",
        figures.sent_packets_per_second,
        up_lost_permille / 10.0,
        down_lost_permille / 10.0,
        figures.callback_p99_us,
        figures.callback_period_us,
    );
    Step { name: "network", good: todo.is_empty(), found, todo }
}

/// One of the two.
struct Musician {
    session: RoomSession,
    keeper: Keeper,
    callbacks: Callbacks,
}

impl Musician {
    fn join(
        link: &RoomLink,
        name: &str,
        calibrations: Calibrations,
        backend: impl FnOnce(InputGate) -> Box<dyn AudioBackend>,
    ) -> anyhow::Result<Self> {
        let prepared = PreparedSession::new(SessionOptions {
            link: link.clone(),
            name: name.to_owned(),
            label: "check".to_owned(),
            channels: Channels::Mono,
            codec: CodecChoice::Only(Codec::Opus64),
            bitrate: Bitrate(96_000),
            playout: PlayoutMode::Automatic,
            mode: Some(PlayingMode::Tight),
            takes: None,
            key: None,
            media_via: None,
        })?;
        let callbacks = prepared.callbacks();
        let (mut keeper, _) = Keeper::start(backend(prepared.gate()), callbacks.clone())?;
        keeper.set_calibrations(calibrations);
        Ok(Self { session: prepared.join()?, keeper, callbacks })
    }

    /// Looks after it for a moment, and how it is.
    fn turn(&mut self) -> anyhow::Result<View> {
        if let Some(AudioChange::Ended(reason) | AudioChange::Failed(reason)) =
            self.keeper.poll(clock::now())
        {
            bail!("no sound: {reason}");
        }
        match self.session.next_event(TURN) {
            Some(Event::Ended(End::Refused(text))) => bail!("{text}"),
            Some(Event::Ended(End::Left)) => bail!("the server ended it"),
            Some(Event::Notice(_)) | None => Ok(self.session.view()),
        }
    }

    fn leave(self) {
        // What a clock or a device says at its end is of no interest any more.
        let _ = self.keeper.stop();
        self.session.leave(LEAVE_TIME);
    }
}

/// How the one other track is heard.
fn heard(view: &View) -> Option<RemoteStats> {
    view.participants.iter().flat_map(|somebody| &somebody.tracks).find_map(|track| track.remote)
}

fn clockwork(gate: InputGate, period_frames: u32) -> Box<dyn AudioBackend> {
    Box::new(File::new(FileOptions { input: None, output: None, period_frames, gate }))
}

fn permille(part: u64, whole: u64) -> f64 {
    tenths(part as f64 * 1e3 / whole.max(1) as f64)
}

/// A server that cannot be reached says so before.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// By then the room's clock is known, and the buffer as deep as it stays.
const SETTLE: Duration = Duration::from_secs(3);

/// 3750 packets.
const BURST: Duration = Duration::from_secs(5);

/// The server tells each second.
const UPLINK_EVERY: Duration = Duration::from_secs(1);

const TURN: Duration = Duration::from_millis(20);

const LEAVE_TIME: Duration = Duration::from_secs(1);

const CLOCKWORK_FRAMES: u32 = 128;

/// From here on redundancy is sent, and concealment heard.
const LOST_PERMILLE_MAX: f64 = 4.0;

/// A good line has less than a millisecond.
const JITTER_MS_MAX: f64 = 5.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_line_is_said_with_its_cure() {
        let good = NetworkFigures {
            sent_packets_per_second: 750.0,
            up_lost_permille: 0.3,
            up_jitter_ms: 0.4,
            down_lost_permille: 0.0,
            round_trip_ms: Some(18.2),
            buffer_ms: 1.3,
            around_ms: Some(23.0),
            callback_p99_us: 90,
            callback_period_us: 1333,
            xruns: 0,
        };
        let todo = |change: fn(&mut NetworkFigures)| {
            let mut figures = good.clone();
            change(&mut figures);
            judge(&figures).todo.join("; ")
        };
        assert_eq!(todo(|_| ()), "");
        assert!(todo(|figures| figures.down_lost_permille = 12.0).contains("packets get lost"));
        assert!(todo(|figures| figures.up_jitter_ms = 8.0).contains("unevenly"));
        assert!(todo(|figures| figures.xruns = 1).contains("hardly keeps up"));
        assert!(todo(|figures| figures.callback_p99_us = 900).contains("hardly keeps up"));
        assert!(judge(&good).found.starts_with("round trip 18.2 ms; 750 packets a second"));
    }
}
