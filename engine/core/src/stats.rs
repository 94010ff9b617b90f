//! What a listener would complain about: levels, loss, concealment, delay, drift.
//!
//! The audio callbacks write single words with relaxed atomic stores; [`crate::Control`] reads
//! them. Figures of one [`RemoteStats`] may therefore be a period apart from each other.

use core::sync::atomic::{
    AtomicBool, AtomicI32, AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering,
};
use core::time::Duration;

use protocol::codec::Codec;
use protocol::rtp::Ssrc;
use protocol::time::{Instant, MediaTime, ShortTime};
use protocol::units::Decibels;

use crate::minute::Counts;
use crate::playing::Measured;
use crate::playout_mode::PlayoutMode;
use crate::room_clock::RoomMapping;
use crate::rt::codec::lookahead_frames;

/// How loud something is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Highest sample of late, falling 20 dB in a second.
    pub peak: Decibels,
    /// Mean power over about 300 ms.
    pub rms: Decibels,
}

/// Where a remote's stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamState {
    /// Nothing comes: never did, or not for a while. Neither concealed nor counted as loss.
    Idle,
    /// The first packets are being watched, for some 40 ms, before anything is heard.
    Starting,
    /// It is heard.
    Playing,
    /// This machine has no time for it: see [`Relief`].
    LeftOut,
}

/// What is saved on a machine that is too slow for everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Relief {
    /// Nothing.
    #[default]
    Nothing,
    /// What nobody hears: encoders spend less, and remotes that are mixed out are not decoded.
    Unheard,
    /// So many remotes as well, the quietest ones.
    Remotes(u32),
}

/// How one remote stream fares; counters since it was added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RemoteStats {
    /// The stream.
    pub ssrc: Ssrc,
    /// Where it stands.
    pub state: StreamState,
    /// Before gain, mute and solo.
    pub level: Level,
    /// The codec of the latest packet played.
    pub codec: Option<Codec>,
    /// Packets that arrived, duplicates not counted.
    pub received_packets: u64,
    /// Sequence numbers that never came. A packet that comes after all is taken off again.
    pub lost_packets: u64,
    /// How often packets were missing, one or several in a row; those that only came later
    /// included.
    pub gaps: u64,
    /// Packets that came after their moment had been concealed.
    pub late_packets: u64,
    /// Packets that came after one with a higher sequence number.
    pub reordered_packets: u64,
    /// Packets that came twice.
    pub duplicate_packets: u64,
    /// Codec frames played from a later packet's redundancy.
    pub recovered_packets: u64,
    /// Packets whose payload no decoder understood.
    pub undecodable_packets: u64,
    /// Packets dropped because a queue on this machine was full.
    pub overrun_packets: u64,
    /// Packets of some other time than the stream's: too far from the one before, or too far ahead to be
    /// kept until their moment. Of a stream that jumps or starts anew, the first two.
    pub refused_packets: u64,
    /// Frames invented for missing ones; of a longer gap the first 60 ms, since the silence after them may
    /// be the publisher's.
    pub concealed_frames: u64,
    /// The same in milliseconds for the latest minute that was played, counted from samples that
    /// [`crate::Control::poll`] takes once a second; of all there was while that is less.
    pub concealed_ms_per_minute: f32,
    /// Frames played, concealed ones included.
    pub played_frames: u64,
    /// Cross-faded changes of the playout delay.
    pub splices: u64,
    /// How often the stream jumped or started anew.
    pub resynchronizations: u64,
    /// Audio waiting now, in frames: from what is played next to the end of the latest packet.
    pub buffer_frames: u32,
    /// From a packet's arrival until its first frame is handed to the device, in frames; the mean
    /// of late.
    pub playout_delay_frames: u32,
    /// What the same delay would be if the buffer were as deep as it is wanted.
    pub playout_delay_target_frames: u32,
    /// What the listener steers that by.
    pub playout: PlayoutMode,
    /// What the target is made of.
    pub why: DelayShares,
    /// What this stream adds to the mouth-to-ear delay beside devices and network, in frames:
    /// filling the packet, the codec's look-ahead, and the playout delay.
    pub added_delay_frames: u32,
    /// How much faster the publisher's sample clock runs than this device's, in parts per million;
    /// `None` until 6 to 25 s have been seen, depending on the network's jitter.
    pub drift_ppm: Option<f32>,
    /// How much faster than this device the stream is consumed at the moment, in parts per million:
    /// what follows the drift, and what moves the playout delay without a splice.
    pub rate_ppm: i32,
    /// Packets that arrived in the latest full second.
    pub received_packets_per_second: u32,
    /// From the publisher's microphone to this device, on the room's clock: what was captured, the network,
    /// the buffer and the codec together; `None` while either end does not know the room's time. What the device
    /// takes from there to the loudspeaker is the shell's to add.
    pub mouth_to_device: Option<Duration>,
    /// What of that is not needed, but wanted by the playing mode.
    pub padding: Duration,
    /// How late it is to be heard by the playing mode, from microphone to ear; `None` for as early as it can be.
    pub wanted_delay: Option<Duration>,
}

/// Why a playout delay is what it is: what each cause asks for, in frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DelayShares {
    /// Packets come unevenly: the network, and the publisher's machine.
    pub network_frames: u32,
    /// This device's callbacks come unevenly, and ask for a whole period at a time.
    pub callback_frames: u32,
    /// The two sample clocks run apart between two corrections.
    pub drift_frames: u32,
    /// Waiting for what a later packet repeats, where packets are lost.
    pub redundancy_frames: u32,
}

/// Everything a session measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// The input after input gain, before mute.
    pub input: Level,
    /// What is handed to the device.
    pub output: Level,
    /// Codec frames dropped because [`crate::Outgoing`] did not take them in time.
    pub outgoing_overrun_frames: u64,
    /// What is saved because this machine is too slow.
    pub relief: Relief,
    /// Every remote in the order of their SSRCs.
    pub remotes: Vec<RemoteStats>,
}

/// A meter's reading on its way from a callback.
#[derive(Debug, Default)]
pub(crate) struct SharedLevel {
    peak_bits: AtomicU32,
    mean_square_bits: AtomicU32,
}

impl SharedLevel {
    pub(crate) fn store(&self, peak: f32, mean_square: f32) {
        // Relaxed here and below: each word stands for itself and publishes nothing else.
        self.peak_bits.store(peak.to_bits(), Ordering::Relaxed);
        self.mean_square_bits.store(mean_square.to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn load(&self) -> Level {
        let peak = f32::from_bits(self.peak_bits.load(Ordering::Relaxed));
        let mean_square = f32::from_bits(self.mean_square_bits.load(Ordering::Relaxed));
        Level { peak: Decibels::from_factor(peak), rms: Decibels::from_factor(mean_square.sqrt()) }
    }
}

/// What a clock shows where media times pass, in one word: what it would have shown at media time zero, at
/// 48 kHz. Between two packets it changes by nanoseconds.
#[derive(Debug)]
pub(crate) struct SharedOffset(AtomicI64);

impl SharedOffset {
    pub(crate) fn store(&self, media_time: MediaTime, ns: i64) {
        self.0.store(ns.wrapping_sub(media_ns(media_time.as_frames())), Ordering::Relaxed);
    }

    pub(crate) fn forget(&self) {
        self.0.store(i64::MIN, Ordering::Relaxed);
    }

    pub(crate) fn load(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|ns| *ns != i64::MIN)
    }
}

impl Default for SharedOffset {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

/// How long so many frames last; wraps, so that no publisher's timestamps matter.
const fn media_ns(frames: i64) -> i64 {
    frames.wrapping_mul(62_500) / 3
}

/// By so much clocks may be wrong.
const WRONG_MAX_NS: i64 = 1_000_000_000;

/// A counter that callbacks and threads add to.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, count: u64) {
        self.0.store(count, Ordering::Relaxed);
    }

    pub(crate) fn load(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the callbacks measure about the session as a whole.
#[derive(Debug, Default)]
pub(crate) struct SharedSession {
    pub(crate) input: SharedLevel,
    pub(crate) output: SharedLevel,
    pub(crate) outgoing_overrun: Counter,
    /// When the latest period was handed over, in ns.
    pub(crate) rendered_at: Counter,
    saves: AtomicBool,
    left_out: AtomicU32,
}

impl SharedSession {
    /// The output callback saves something, and leaves out so many remotes.
    pub(crate) fn relieve(&self, saves: bool, left_out: usize) {
        self.left_out.store(u32::try_from(left_out).unwrap_or(u32::MAX), Ordering::Relaxed);
        self.saves.store(saves, Ordering::Relaxed);
    }

    pub(crate) fn saves(&self) -> bool {
        self.saves.load(Ordering::Relaxed)
    }

    pub(crate) fn relief(&self) -> Relief {
        match (self.saves(), self.left_out.load(Ordering::Relaxed)) {
            (false, _) => Relief::Nothing,
            (true, 0) => Relief::Unheard,
            (true, remotes) => Relief::Remotes(remotes),
        }
    }
}

/// What [`crate::Incoming`] and the render callback measure about one remote.
#[derive(Debug, Default)]
pub(crate) struct SharedRemote {
    pub(crate) received: Counter,
    pub(crate) lost: Counter,
    pub(crate) gaps: Counter,
    pub(crate) reordered: Counter,
    pub(crate) duplicate: Counter,
    pub(crate) overrun: Counter,
    pub(crate) refused: Counter,
    pub(crate) undecodable: Counter,
    pub(crate) late: Counter,
    pub(crate) recovered: Counter,
    pub(crate) concealed: Counter,
    pub(crate) played: Counter,
    pub(crate) splices: Counter,
    pub(crate) resynchronizations: Counter,
    pub(crate) level: SharedLevel,
    /// What the room's clock shows where its frames were captured, but for whole minutes and more
    /// ([`ShortTime`])...
    pub(crate) captured: SharedOffset,
    /// ...and the local one where they are handed to the device.
    pub(crate) heard: SharedOffset,
    /// See [`Self::store_state`].
    pub(crate) state: AtomicU8,
    /// See [`Self::store_state`].
    pub(crate) codec: AtomicU8,
    pub(crate) buffer: AtomicU32,
    pub(crate) playout_delay: AtomicU32,
    pub(crate) playout_delay_target: AtomicU32,
    pub(crate) added_delay: AtomicU32,
    pub(crate) packets_per_second: AtomicU32,
    /// The playhead's lag in frames, by how much that is more than packets need (the bits of an `f64` each), and frames
    /// of the line behind it.
    pub(crate) lag: AtomicU64,
    pub(crate) beyond_need: AtomicU64,
    pub(crate) line: AtomicI64,
    /// In thousandths of a ppm; `i32::MIN` while unknown.
    pub(crate) drift_ppb: AtomicI32,
    /// In ppm.
    pub(crate) rate_ppm: AtomicI32,
    /// In frames, as in [`DelayShares`].
    pub(crate) jitter_network: AtomicU32,
    pub(crate) jitter_callback: AtomicU32,
    pub(crate) share_drift: AtomicU32,
    pub(crate) share_redundancy: AtomicU32,
}

impl SharedRemote {
    /// What the callbacks say; what [`crate::Control`] knows itself is as at the start.
    pub(crate) fn load(&self, ssrc: Ssrc) -> RemoteStats {
        let state = match self.state.load(Ordering::Relaxed) {
            0 => StreamState::Idle,
            1 => StreamState::Starting,
            2 => StreamState::Playing,
            _ => StreamState::LeftOut,
        };
        let codec = match self.codec.load(Ordering::Relaxed) {
            1 => Some(Codec::Opus64),
            2 => Some(Codec::Opus),
            3 => Some(Codec::Pcm),
            _ => None,
        };
        let drift_ppb = self.drift_ppb.load(Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "six digits of a ppb are plenty")]
        let drift_ppm = (drift_ppb != i32::MIN).then(|| drift_ppb as f32 / 1000.0);
        RemoteStats {
            ssrc,
            state,
            level: self.level.load(),
            codec,
            received_packets: self.received.load(),
            lost_packets: self.lost.load(),
            gaps: self.gaps.load(),
            late_packets: self.late.load(),
            reordered_packets: self.reordered.load(),
            duplicate_packets: self.duplicate.load(),
            recovered_packets: self.recovered.load(),
            undecodable_packets: self.undecodable.load(),
            overrun_packets: self.overrun.load(),
            refused_packets: self.refused.load(),
            concealed_frames: self.concealed.load(),
            concealed_ms_per_minute: 0.0,
            played_frames: self.played.load(),
            splices: self.splices.load(),
            resynchronizations: self.resynchronizations.load(),
            buffer_frames: self.buffer.load(Ordering::Relaxed),
            playout_delay_frames: self.playout_delay.load(Ordering::Relaxed),
            playout_delay_target_frames: self.playout_delay_target.load(Ordering::Relaxed),
            playout: PlayoutMode::Automatic,
            why: DelayShares {
                network_frames: self.jitter_network.load(Ordering::Relaxed),
                callback_frames: self.jitter_callback.load(Ordering::Relaxed),
                drift_frames: self.share_drift.load(Ordering::Relaxed),
                redundancy_frames: self.share_redundancy.load(Ordering::Relaxed),
            },
            added_delay_frames: self.added_delay.load(Ordering::Relaxed),
            drift_ppm,
            rate_ppm: self.rate_ppm.load(Ordering::Relaxed),
            received_packets_per_second: self.packets_per_second.load(Ordering::Relaxed),
            mouth_to_device: None,
            padding: if state == StreamState::Playing { self.padding() } else { Duration::ZERO },
            wanted_delay: None,
        }
    }

    /// See [`RemoteStats::padding`].
    fn padding(&self) -> Duration {
        let beyond_need = f64::from_bits(self.beyond_need.load(Ordering::Relaxed));
        let line = self.line.load(Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "half a minute")]
        let frames = beyond_need.max(0.0) + line as f64;
        Duration::try_from_secs_f64(frames / 48_000.0).unwrap_or_default()
    }

    /// What playing modes steer by, where the delay to the ear is that.
    pub(crate) fn measured(&self, mouth_to_ear: Duration) -> Measured {
        let bits = |bits: &AtomicU64| f64::from_bits(bits.load(Ordering::Relaxed));
        Measured {
            mouth_to_ear_ns: i64::try_from(mouth_to_ear.as_nanos()).unwrap_or(i64::MAX),
            lag: bits(&self.lag),
            beyond_need: bits(&self.beyond_need),
            line_frames: self.line.load(Ordering::Relaxed),
        }
    }

    /// See [`RemoteStats::mouth_to_device`]; `rendered_at` is when the latest period was handed over.
    pub(crate) fn mouth_to_device(
        &self,
        codec: Option<Codec>,
        room_clock: &RoomMapping,
        rendered_at: Instant,
    ) -> Option<Duration> {
        let (captured, heard) = (self.captured.load()?, self.heard.load()?);
        let local = i64::try_from(rendered_at.as_ns()).ok()?;
        let ahead = room_clock.room(rendered_at).as_ns() - local;
        let lookahead = i64::try_from(lookahead_frames(codec?)).ok()?;
        let ns = heard.wrapping_add(ahead).wrapping_sub(captured);
        let ns = ns.wrapping_add(media_ns(lookahead));
        let ns = ns.rem_euclid(ShortTime::WRAP_NS);
        // What two clocks are wrong by may make it less than nothing.
        let ns = if ns < ShortTime::WRAP_NS - WRONG_MAX_NS { ns } else { 0 };
        Some(Duration::from_nanos(ns.cast_unsigned()))
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { played: self.played.load(), concealed: self.concealed.load() }
    }

    pub(crate) fn store_state(&self, state: StreamState, codec: Option<Codec>) {
        let state = match state {
            StreamState::Idle => 0,
            StreamState::Starting => 1,
            StreamState::Playing => 2,
            StreamState::LeftOut => 3,
        };
        self.state.store(state, Ordering::Relaxed);
        let codec = match codec {
            None => 0,
            Some(Codec::Opus64) => 1,
            Some(Codec::Opus) => 2,
            Some(Codec::Pcm) => 3,
        };
        self.codec.store(codec, Ordering::Relaxed);
    }

    pub(crate) fn new() -> Self {
        let shared = Self::default();
        shared.drift_ppb.store(i32::MIN, Ordering::Relaxed);
        shared
    }
}
