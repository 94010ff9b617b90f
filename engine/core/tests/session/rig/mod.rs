//! Two musicians in virtual time: one plays, the other hears, with a network of choice between.
//!
//! Real sessions on both ends, no threads, no sleep: the clock jumps to the next callback or packet.
//! Both callbacks run under the allocation guard, so every test that uses this rig checks the
//! real-time contract too. The same plan gives the same sound, bit for bit.

pub(crate) mod ears;
pub(crate) mod listen;
pub(crate) mod music;
pub(crate) mod weather;

use std::collections::BTreeMap;

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use engine::{
    Channels, DeviceInput, DeviceOutput, Encoding, RemoteStats, RoomMapping, Session,
    SessionConfig, session,
};
use protocol::codec::Codec;
use protocol::rtp::Ssrc;
use protocol::time::{Instant, RoomTime};

use weather::Weather;

#[global_allocator]
static GUARD: AllocDisabler = AllocDisabler;

/// The stream that is heard in every plan.
pub(crate) const SSRC: Ssrc = Ssrc(0x1234);

/// What the room's clock shows when everything begins.
pub(crate) const ROOM_START: RoomTime = RoomTime::from_ns(1_790_000_000_000_000_000);

/// Frames per second of both devices, by their own count, unless a plan says otherwise.
pub(crate) const RATE: f64 = 48_000.0;
pub(crate) const RATE_HZ: u32 = 48_000;

/// What is played, sent, and in the way.
pub(crate) struct Plan {
    pub(crate) codec: Codec,
    pub(crate) channels: Channels,
    pub(crate) bitrate: u32,
    pub(crate) redundant_frames: usize,
    /// What the two devices run at; their periods and what is heard are counted in frames of their own.
    pub(crate) sender_rate_hz: u32,
    pub(crate) receiver_rate_hz: u32,
    /// Frames in a period of the musician who plays.
    pub(crate) sender_period: usize,
    /// Frames in a period of the one who hears.
    pub(crate) receiver_period: usize,
    /// When the receiver's callbacks come after the sender's, in frames.
    pub(crate) phase_frames: f64,
    /// How much faster the sender's clock runs.
    pub(crate) drift_ppm: f64,
    pub(crate) weather: Weather,
    pub(crate) seconds: f64,
    pub(crate) seed: u64,
}

impl Plan {
    /// In-step clocks with periods of 64, and packets that take 0.3 ms.
    pub(crate) fn clean(codec: Codec) -> Self {
        Self {
            codec,
            channels: Channels::Mono,
            bitrate: 96_000,
            redundant_frames: 0,
            sender_rate_hz: RATE_HZ,
            receiver_rate_hz: RATE_HZ,
            sender_period: 64,
            receiver_period: 64,
            phase_frames: 0.0,
            drift_ppm: 0.0,
            weather: Weather::constant(0.3),
            seconds: 3.0,
            seed: 1,
        }
    }
}

/// What came out.
pub(crate) struct Heard {
    pub(crate) left: Vec<f32>,
    pub(crate) right: Vec<f32>,
    /// The remote's statistics ten times a second.
    pub(crate) history: Vec<RemoteStats>,
    /// The last of them.
    pub(crate) end: RemoteStats,
    /// Packets that the musician sent.
    pub(crate) sent: usize,
    /// The numbers of those that were lost on the way, from 0.
    pub(crate) lost: Vec<usize>,
}

/// A room of two while it runs.
pub(crate) struct Rig {
    pub(crate) sender: Session,
    pub(crate) receiver: Session,
    input: DeviceInput,
    pub(crate) output: DeviceOutput,
    weather: Weather,
    sender_period: usize,
    receiver_period: usize,
    /// How far the receiver's callbacks lag behind the sender's; more whenever its device stops.
    pub(crate) phase_frames: f64,
    sender_rate: f64,
    receiver_rate: f64,
    played: usize,
    /// Packets under way by arrival and number.
    flying: BTreeMap<(u64, usize), Vec<u8>>,
    sent: usize,
    pub(crate) heard: [Vec<f32>; 2],
    /// Frames that were heard before those.
    forgotten: usize,
    history: Vec<RemoteStats>,
    channels: Channels,
    /// What the musician plays: left and right of a frame.
    signal: Box<dyn FnMut(usize) -> [f32; 2]>,
}

impl Rig {
    pub(crate) fn new(plan: Plan, signal: impl FnMut(usize) -> [f32; 2] + 'static) -> Self {
        let config =
            SessionConfig { channels: plan.channels, seed: plan.seed, ..Default::default() };
        let mut sender = session(&config).expect("a valid configuration");
        let mut receiver =
            session(&SessionConfig { seed: !plan.seed, ..config }).expect("a valid configuration");
        let mut encoding = Encoding::new(plan.codec, SSRC);
        encoding.bitrate.0 = plan.bitrate;
        encoding.redundant_frames = plan.redundant_frames;
        sender.control.set_encodings(&[encoding]).expect("a valid encoding");
        receiver.control.add_remote(SSRC, plan.channels).expect("the first remote");
        Self {
            sender,
            receiver,
            input: DeviceInput::new(plan.sender_rate_hz).expect("a simple ratio"),
            output: DeviceOutput::new(plan.receiver_rate_hz).expect("a simple ratio"),
            weather: plan.weather,
            sender_period: plan.sender_period,
            receiver_period: plan.receiver_period,
            phase_frames: plan.phase_frames,
            sender_rate: f64::from(plan.sender_rate_hz) * (1.0 + plan.drift_ppm * 1e-6),
            receiver_rate: f64::from(plan.receiver_rate_hz),
            played: 0,
            flying: BTreeMap::new(),
            sent: 0,
            heard: [Vec::new(), Vec::new()],
            forgotten: 0,
            history: Vec::new(),
            channels: plan.channels,
            signal: Box::new(signal),
        }
    }

    /// Plays until the receiver has heard so many seconds altogether.
    pub(crate) fn run_until(&mut self, seconds: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds")]
        let end = (seconds * self.receiver_rate) as usize;
        while self.heard_frames() < end {
            let sender_ns = to_ns(self.played as f64 / self.sender_rate);
            let receiver_ns =
                to_ns((self.heard_frames() as f64 + self.phase_frames) / self.receiver_rate);
            let arrival_ns = self.flying.keys().next().map_or(u64::MAX, |key| key.0);
            if arrival_ns <= sender_ns.min(receiver_ns) {
                let ((at, _), packet) = self.flying.pop_first().expect("one is there");
                // Errors are the tests' business only where they look at the statistics.
                let _ = self.receiver.incoming.handle_packet(Instant::from_ns(at), &packet);
            } else if receiver_ns <= sender_ns {
                self.hear(receiver_ns);
            } else {
                self.play(sender_ns);
            }
        }
    }

    /// One callback of the musician who plays.
    fn play(&mut self, now_ns: u64) {
        let frames: Vec<[f32; 2]> =
            (0..self.sender_period).map(|index| (self.signal)(self.played + index)).collect();
        let left: Vec<f32> = frames.iter().map(|frame| frame[0]).collect();
        let right: Vec<f32> = frames.iter().map(|frame| frame[1]).collect();
        self.played += self.sender_period;
        let (input, capture) = (&mut self.input, &mut self.sender.capture);
        let sides: [&[f32]; 2] = [&left, &right];
        // The first frame of the period was at the microphone a period ago.
        let frames = self.sender_period as f64;
        let began_ns = now_ns.saturating_sub(to_ns(frames / self.sender_rate));
        assert_no_alloc(|| {
            capture.note_time(Instant::from_ns(began_ns));
            input.capture(&sides[..self.channels.count()], |block| {
                capture.capture(block);
            });
        });
        let mut packet = [0; 1400];
        while let Some(len) = self.sender.outgoing.poll_packet(&mut packet) {
            self.sent += 1;
            for (copy, at) in self.weather.arrivals(now_ns).into_iter().enumerate() {
                self.flying.insert((at, 2 * self.sent + copy), packet[..len].to_vec());
            }
        }
    }

    /// One callback of the one who hears.
    fn hear(&mut self, now_ns: u64) {
        let mut left = vec![0.0; self.receiver_period];
        let mut right = left.clone();
        let (output, render) = (&mut self.output, &mut self.receiver.render);
        let now = Instant::from_ns(now_ns);
        assert_no_alloc(|| {
            output.render(&mut [&mut left, &mut right], |block| render.render(now, block));
        });
        let subnormal = left.iter().chain(&right).find(|sample| sample.is_subnormal());
        assert_eq!(subnormal, None);
        let before = self.heard_frames();
        self.heard[0].append(&mut left);
        self.heard[1].append(&mut right);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate")]
        let tenth = self.receiver_rate as usize / 10;
        if before / tenth != self.heard_frames() / tenth {
            self.receiver.control.poll();
            self.sender.control.poll();
            self.history.extend(self.receiver.control.remotes().next());
        }
    }

    fn heard_frames(&self) -> usize {
        self.forgotten + self.heard[0].len()
    }

    /// Gives back the memory of what was heard first.
    pub(crate) fn forget(&mut self, frames: usize) {
        self.forgotten += frames;
        self.heard.iter_mut().for_each(|side| drop(side.drain(..frames)));
    }

    /// Both know the room's time, which is everybody's here.
    pub(crate) fn share_the_time(&mut self) {
        let mapping = RoomMapping::new(Instant::ZERO, ROOM_START, 0.0);
        self.sender.outgoing.set_room_clock(mapping);
        self.receiver.control.set_room_clock(mapping);
    }

    pub(crate) fn stats(&self) -> RemoteStats {
        self.receiver.control.remotes().next().expect("one remote")
    }

    pub(crate) fn into_heard(self) -> Heard {
        let end = self.stats();
        let [left, right] = self.heard;
        Heard { left, right, history: self.history, end, sent: self.sent, lost: self.weather.lost }
    }
}

/// Plays a whole plan.
pub(crate) fn run(plan: Plan, signal: impl FnMut(usize) -> [f32; 2] + 'static) -> Heard {
    let seconds = plan.seconds;
    let mut rig = Rig::new(plan, signal);
    rig.run_until(seconds);
    rig.into_heard()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes")]
pub(crate) fn to_ns(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}
