//! The output callback: every remote's next frames, mixed.
//!
//! What surprises: a period is rendered in blocks of at most [`BLOCK_FRAMES`], so that no buffer
//! depends on how long a period is, but packets are taken and delays decided once a callback.

use core::time::Duration;
use std::sync::Arc;

use protocol::limits::PAYLOAD_BYTES_MAX;
use protocol::time::Instant;

use crate::click::Click;
use crate::control::{Mute, Solo};
use crate::limits::{INCOMING_QUEUE_FRAMES, REMOTES_MAX};
use crate::playout_mode::PlayoutMode;
use crate::room_clock::RoomMapping;
use crate::rt::click::ClickPlayer;
use crate::rt::clock_line::ClockLine;
use crate::rt::delay_line::DelayLine;
use crate::rt::device_clock::DeviceClock;
use crate::rt::limiter::Limiter;
use crate::rt::meter::Meter;
use crate::rt::mixer::add;
use crate::rt::own_input::OwnInput;
use crate::rt::relief::Relief;
use crate::rt::remote::{Period, Remote};
use crate::rt::ring::{FrameReceiver, MonitorReceiver, RemoteKey};
use crate::rt::scratch::Scratch;
use crate::stats::SharedSession;

/// The output half of the audio callback. [`Self::render`] keeps the real-time contract of
/// [`crate::rt`].
#[derive(Debug)]
pub struct Render {
    ports: RenderPorts,
    /// By slot.
    remotes: Vec<Option<Box<Remote>>>,
    own: OwnInput,
    limiter: Limiter,
    meter: Meter,
    clock: DeviceClock,
    /// When the device's frames are played.
    line: ClockLine,
    click: ClickPlayer,
    relief: Relief,
    /// Frames rendered since the load was noted.
    frames_noted: usize,
    left: [f32; BLOCK_FRAMES],
    right: [f32; BLOCK_FRAMES],
    /// One payload.
    bytes: Box<[u8]>,
    scratch: Scratch,
}

/// What connects the callback with the other halves.
#[derive(Debug)]
pub(crate) struct RenderPorts {
    pub(crate) frames: FrameReceiver,
    pub(crate) commands: rtrb::Consumer<RenderCommand>,
    pub(crate) freed: rtrb::Producer<Freed>,
    pub(crate) shared: Arc<SharedSession>,
}

/// What the output callback gives back, to be freed elsewhere.
#[derive(Debug)]
pub(crate) enum Freed {
    Remote(Box<Remote>),
    Line(#[expect(dead_code, reason = "it is only freed")] Box<DelayLine>),
}

/// What [`crate::Control`] tells the output callback.
#[derive(Debug)]
pub(crate) enum RenderCommand {
    Add(Box<Remote>),
    Remove(RemoteKey),
    SetMix(RemoteKey, Mix),
    SetPlayout(RemoteKey, PlayoutMode),
    /// The least lag of the playhead.
    SetFloor(RemoteKey, Option<f64>),
    SetLine(RemoteKey, Option<Box<DelayLine>>),
    SetLineDelay(RemoteKey, usize),
    SetMonitorGain(f32),
    /// A line behind the own input, and frames that it delays by.
    SetMonitorLine(Box<DelayLine>),
    SetMonitorDelay(usize),
    SetClick(Click),
    SetClickGain(f32),
    /// What the room's clock shows when the output leaves the engine, and nanoseconds from there to the ear.
    SetRoomClock(RoomMapping, i64),
}

/// One remote's place in the mix.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mix {
    Gain(f32),
    Pan(f32),
    Mute(Mute),
    Solo(Solo),
}

impl Render {
    pub(crate) fn new(ports: RenderPorts, monitor: MonitorReceiver) -> Self {
        Self {
            ports,
            remotes: (0..REMOTES_MAX).map(|_| None).collect(),
            own: OwnInput::new(monitor),
            limiter: Limiter::new(),
            meter: Meter::default(),
            clock: DeviceClock::new(),
            line: ClockLine::default(),
            click: ClickPlayer::new(),
            relief: Relief::new(),
            frames_noted: 0,
            left: [0.0; BLOCK_FRAMES],
            right: [0.0; BLOCK_FRAMES],
            bytes: vec![0; PAYLOAD_BYTES_MAX].into_boxed_slice(),
            scratch: Scratch::new(),
        }
    }

    /// Overwrites one period of output: planar, channels of the same length. One channel gets the
    /// mean of left and right; channels beyond two get silence. `now` is the clock that
    /// [`crate::Incoming::handle_packet`] is given too.
    #[cfg_attr(realtime_sanitizer, inline(never), sanitize(realtime = "nonblocking"))]
    pub fn render(&mut self, now: Instant, output: &mut [&mut [f32]]) {
        let frames = output.iter().map(|channel| channel.len()).min().unwrap_or(0);
        self.handle_commands();
        self.clock.start(now, frames);
        let (start, late) = (self.clock.frames(), self.clock.late());
        self.line.note(start, now);
        let period = Period { start, frames, now, late, at: self.line.at(start) };
        self.scratch.start(frames);
        self.take_frames(&period);
        let any_soloed = self.remotes.iter().flatten().any(|remote| remote.fader.soloed);
        for remote in self.remotes.iter_mut().flatten() {
            remote.begin_period(&period, &mut self.scratch);
            let wanted = remote.fader.soloed || !any_soloed;
            let spared =
                remote.is_left_out() || self.relief.is_saving() && !(wanted && remote.fader.open);
            remote.fader.glide(remote.is_open() && wanted && !spared);
            remote.rest(&period, spared);
        }
        self.frames_noted += frames;
        let mut at = 0;
        while at < frames {
            let count = BLOCK_FRAMES.min(frames - at);
            self.render_block(start.wrapping_add(to_i64(at)), count);
            let (left, right) = (&self.left[..count], &self.right[..count]);
            match output {
                [only] => {
                    for (out, (left, right)) in only[at..].iter_mut().zip(left.iter().zip(right)) {
                        *out = 0.5 * (left + right);
                    }
                }
                [out_left, out_right, rest @ ..] => {
                    out_left[at..at + count].copy_from_slice(left);
                    out_right[at..at + count].copy_from_slice(right);
                    for channel in rest {
                        channel[at..at + count].fill(0.0);
                    }
                }
                [] => {}
            }
            at += count;
        }
        self.meter.publish(&self.ports.shared.output);
        self.ports.shared.rendered_at.set(now.as_ns());
        self.end_period(&period);
    }

    /// Passes over frames that the device did not ask for though their time has passed. Call it
    /// before the callback that follows the gap. Without it the gap is found by comparing `now`
    /// with the frames played, which takes 0.2 s for gaps below 0.1 s.
    #[cfg_attr(realtime_sanitizer, inline(never), sanitize(realtime = "nonblocking"))]
    pub fn skip(&mut self, frames: usize) {
        self.clock.skip(frames);
    }

    /// Says how long the thread of this callback (and that of the input, if it is another one) has
    /// worked for the frames rendered since the last call: what this machine is too slow for is left out.
    /// Time that the thread waited for a processor does not belong to it. A shell that never calls this
    /// gets everything.
    #[cfg_attr(realtime_sanitizer, inline(never), sanitize(realtime = "nonblocking"))]
    pub fn note_load(&mut self, busy: Duration) {
        let frames = to_u64(core::mem::take(&mut self.frames_noted));
        let playing = self.remotes.iter().flatten().filter(|remote| remote.is_playing()).count();
        if 0 < frames && self.relief.note(busy, frames, playing) {
            self.leave_out(self.relief.left_out());
            self.ports.shared.relieve(self.relief.is_saving(), self.relief.left_out());
        }
    }

    /// Leaves out so many remotes: the quietest go first and come back last.
    fn leave_out(&mut self, wanted: usize) {
        let remotes = || self.remotes.iter().flatten();
        let mut left_out = remotes().filter(|remote| remote.is_left_out()).count();
        while left_out != wanted {
            let remotes = self.remotes.iter_mut().flatten().map(|remote| &mut **remote);
            let by_loudness =
                |a: &&mut Remote, b: &&mut Remote| a.loudness().total_cmp(&b.loudness());
            if left_out < wanted {
                let Some(quietest) = remotes.filter(|r| r.is_playing()).min_by(by_loudness) else {
                    return;
                };
                quietest.leave_out(true);
                left_out += 1;
            } else {
                let Some(loudest) = remotes.filter(|r| r.is_left_out()).max_by(by_loudness) else {
                    return;
                };
                loudest.leave_out(false);
                left_out -= 1;
            }
        }
    }

    fn handle_commands(&mut self) {
        while let Ok(command) = self.ports.commands.pop() {
            match command {
                RenderCommand::Add(remote) => {
                    let slot = remote.key().slot;
                    let old = self.remotes.get_mut(slot).and_then(|place| place.replace(remote));
                    // A slot is only given again once its remote came back, so there is none.
                    if let Some(old) = old {
                        self.free(Freed::Remote(old));
                    }
                }
                RenderCommand::Remove(key) => {
                    if let Some(remote) = self.remote(key) {
                        remote.fader.leaving = true;
                    }
                }
                RenderCommand::SetMix(key, mix) => {
                    let Some(remote) = self.remote(key) else { continue };
                    // Whoever is touched is listened to, until there is something to decide again.
                    remote.leave_out(false);
                    match mix {
                        Mix::Gain(factor) => remote.fader.gain = factor,
                        Mix::Pan(pan) => remote.fader.pan = pan,
                        Mix::Mute(mute) => remote.fader.open = mute == Mute::Open,
                        Mix::Solo(solo) => remote.fader.soloed = solo == Solo::Soloed,
                    }
                }
                RenderCommand::SetPlayout(key, mode) => {
                    if let Some(remote) = self.remote(key) {
                        remote.playout = mode;
                    }
                }
                RenderCommand::SetFloor(key, lag) => {
                    if let Some(remote) = self.remote(key) {
                        remote.set_floor(lag);
                    }
                }
                RenderCommand::SetLine(key, line) => {
                    let old = match self.remote(key) {
                        Some(remote) => remote.set_line(line),
                        None => line,
                    };
                    if let Some(old) = old {
                        self.free(Freed::Line(old));
                    }
                }
                RenderCommand::SetLineDelay(key, frames) => {
                    if let Some(remote) = self.remote(key) {
                        remote.set_line_delay(frames);
                    }
                }
                RenderCommand::SetMonitorGain(factor) => self.own.set_gain(factor),
                RenderCommand::SetMonitorLine(line) => {
                    if let Some(old) = self.own.set_line(line) {
                        self.free(Freed::Line(old));
                    }
                }
                RenderCommand::SetMonitorDelay(frames) => self.own.set_delay(frames),
                RenderCommand::SetClick(click) => self.click.set_click(click),
                RenderCommand::SetClickGain(factor) => self.click.set_gain(factor),
                RenderCommand::SetRoomClock(mapping, to_ear_ns) => {
                    self.click.set_clock(mapping, to_ear_ns);
                }
            }
        }
    }

    /// Moves what arrived into the remotes' jitter buffers.
    fn take_frames(&mut self, period: &Period) {
        // No more than were there at the start: the receiving thread goes on meanwhile.
        for _ in 0..self.ports.frames.len().min(INCOMING_QUEUE_FRAMES) {
            let Some((header, bytes)) = self.ports.frames.pop(&mut self.bytes) else { return };
            let remote = self.remotes.get_mut(header.remote.slot).and_then(Option::as_deref_mut);
            if let Some(remote) = remote.filter(|remote| remote.key() == header.remote) {
                remote.take(period, &header, bytes, &mut self.scratch);
            }
        }
    }

    fn render_block(&mut self, start: i64, frames: usize) {
        let (left, right) = (&mut self.left[..frames], &mut self.right[..frames]);
        left.fill(0.0);
        right.fill(0.0);
        for remote in self.remotes.iter_mut().flatten() {
            // Decoded even while muted, so that opening it needs no warming up.
            let mut sides = (remote.fader.left, remote.fader.right);
            if let Some([from_left, from_right]) = remote.play(frames, &mut self.scratch) {
                add(left, from_left, &mut sides.0);
                add(right, from_right, &mut sides.1);
            } else {
                (0..frames).for_each(|_| {
                    sides.0.next();
                    sides.1.next();
                });
            }
            (remote.fader.left, remote.fader.right) = sides;
        }
        self.own.mix_into(left, right);
        self.click.mix_into(&self.line, start, left, right);
        self.limiter.limit(left, right);
        self.meter.add(frames, left.iter().chain(right.iter()).copied());
    }

    fn end_period(&mut self, period: &Period) {
        for index in 0..self.remotes.len() {
            let Some(place) = self.remotes.get_mut(index) else { return };
            let Some(remote) = place.as_deref_mut() else { continue };
            remote.end_period(period);
            let retired = remote.take_retired();
            if remote.has_left()
                && let Some(remote) = place.take()
            {
                self.free(Freed::Remote(remote));
            }
            if let Some(line) = retired {
                self.free(Freed::Line(line));
            }
        }
    }

    fn remote(&mut self, key: RemoteKey) -> Option<&mut Remote> {
        let remote = self.remotes.get_mut(key.slot)?.as_deref_mut()?;
        (remote.key() == key).then_some(remote)
    }

    fn free(&mut self, used: Freed) {
        if let Err(rtrb::PushError::Full(used)) = self.ports.freed.push(used) {
            // The queue holds as many as there are, so this does not happen. If it did, losing
            // memory is better than freeing it here.
            core::mem::forget(used);
        }
    }
}

fn to_i64(frames: usize) -> i64 {
    i64::try_from(frames).unwrap_or(i64::MAX)
}

fn to_u64(frames: usize) -> u64 {
    u64::try_from(frames).unwrap_or(u64::MAX)
}

/// Frames rendered at a time.
pub(crate) const BLOCK_FRAMES: usize = 256;

#[cfg(test)]
mod tests {
    use protocol::red;
    use protocol::rtp::{Packet, PayloadType, Ssrc};

    use super::*;
    use crate::{Channels, ControlError, PlayoutModeError, Session, SessionConfig, session};

    /// What the remotes play by, in the order they were added, once a callback has run.
    fn modes(session: &mut Session) -> Vec<PlayoutMode> {
        let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
        session.render.render(Instant::ZERO, &mut [&mut left, &mut right]);
        session.render.remotes.iter().flatten().map(|remote| remote.playout).collect()
    }

    #[test]
    fn a_playout_mode_reaches_its_remote_and_a_default_those_without_one() {
        use PlayoutMode::{Automatic, Fixed, Lower, Safer};
        let mut session = session(&SessionConfig::default()).expect("valid");
        let add = |session: &mut Session, ssrc| {
            session.control.add_remote(Ssrc(ssrc), Channels::Mono).expect("room");
        };
        add(&mut session, 1);
        add(&mut session, 2);
        assert_eq!(modes(&mut session), [Automatic, Automatic]);
        session.control.set_playout(Ssrc(1), Fixed(480)).expect("a known remote");
        session.control.set_default_playout(Safer).expect("a callback that runs");
        add(&mut session, 3);
        assert_eq!(modes(&mut session), [Fixed(480), Safer, Safer]);
        session.control.set_playout(Ssrc(3), Lower).expect("a known remote");
        session.control.follow_default_playout(Ssrc(1)).expect("a known remote");
        session.control.set_default_playout(Automatic).expect("a callback that runs");
        assert_eq!(modes(&mut session), [Automatic, Automatic, Lower]);
        let told: Vec<_> = session.control.remotes().map(|remote| remote.playout).collect();
        assert_eq!(told, [Automatic, Automatic, Lower]);
    }

    #[test]
    fn a_delay_beyond_the_limit_and_a_stranger_are_refused() {
        let mut session = session(&SessionConfig::default()).expect("valid");
        session.control.add_remote(Ssrc(1), Channels::Mono).expect("room");
        let too_long = PlayoutMode::Fixed(24_001);
        let refused = ControlError::MisusePlayout(PlayoutModeError::RefusedDelay);
        assert_eq!(session.control.set_playout(Ssrc(1), too_long), Err(refused));
        assert_eq!(session.control.set_default_playout(too_long), Err(refused));
        let unknown = ControlError::UnknownRemote(Ssrc(2));
        assert_eq!(session.control.set_playout(Ssrc(2), PlayoutMode::Safer), Err(unknown));
        assert_eq!(session.control.follow_default_playout(Ssrc(2)), Err(unknown));
        assert_eq!(modes(&mut session), [PlayoutMode::Automatic]);
    }

    /// A packet of `pcm`: 64 frames of a tone of 750 Hz.
    fn pcm(ssrc: u32, number: u16) -> Vec<u8> {
        let sample = |frame: u8| {
            let angle = f32::from(frame) / 64.0 * core::f32::consts::TAU;
            #[expect(clippy::cast_possible_truncation, reason = "a tenth of full scale")]
            let sample = (angle.sin() * 3277.0) as i16;
            sample.to_be_bytes()
        };
        let audio: Vec<u8> = (0..64).flat_map(sample).collect();
        let (mut payload, mut bytes) = ([0; 129], [0; 141]);
        red::write_primary(PayloadType::PCM, &audio, &mut payload).expect("it fits");
        let packet = Packet {
            marker: false,
            capture_time: None,
            payload_type: PayloadType::RED,
            sequence_number: number,
            timestamp: 64 * u32::from(number),
            ssrc: Ssrc(ssrc),
            payload: &payload,
        };
        packet.write(&mut bytes).expect("it fits");
        bytes.to_vec()
    }

    /// Plays a period; gives how many remotes are predicted in it, and how many repeated.
    fn gaps(session: &mut Session, period: u64) -> (usize, usize) {
        let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
        let now = Instant::from_ns(period * 4_000_000 / 3);
        session.render.render(now, &mut [&mut left, &mut right]);
        let remotes = || session.render.remotes.iter().flatten();
        let of = |kind| remotes().filter(|remote| remote.predicts() == Some(kind)).count();
        (of(true), of(false))
    }

    #[test]
    fn of_gaps_that_begin_in_one_callback_a_few_are_predicted_and_the_others_repeated() {
        let mut session = session(&SessionConfig::default()).expect("valid");
        for ssrc in 0..15 {
            session.control.add_remote(Ssrc(ssrc), Channels::Mono).expect("room");
        }
        for number in 0..200 {
            for ssrc in 0..15 {
                let now = Instant::from_ns(u64::from(number) * 4_000_000 / 3);
                session.incoming.handle_packet(now, &pcm(ssrc, number)).expect("a good packet");
            }
            assert_eq!(gaps(&mut session, u64::from(number)), (0, 0), "{number}");
        }
        // Nothing comes any more, and all run dry at once.
        let begin =
            (200..210).map(|period| gaps(&mut session, period)).find(|gaps| *gaps != (0, 0));
        assert_eq!(begin, Some((4, 11)));
        // They go on as they began, and a gap that begins alone is predicted.
        assert_eq!(gaps(&mut session, 210), (4, 11));
        let mut alone = 0;
        for number in 300..400_u16 {
            for ssrc in 0..15 {
                if ssrc == 7 && number == 350 {
                    continue;
                }
                let now = Instant::from_ns(u64::from(number) * 4_000_000 / 3);
                session.incoming.handle_packet(now, &pcm(ssrc, number)).expect("a good packet");
            }
            let (predicted, repeated) = gaps(&mut session, u64::from(number));
            if 340 <= number {
                assert_eq!(repeated, 0, "{number}");
                alone = alone.max(predicted);
            }
        }
        assert_eq!(alone, 1);
        let concealed = session.control.remotes().map(|remote| remote.concealed_frames);
        assert_eq!(concealed.filter(|frames| 64 * 5 < *frames).count(), 15);
    }
}
