//! The input callback: periods of any length into codec frames, encoded on the spot.
//!
//! No frame waits for more input than it needs. What surprises: all encodings read one short
//! history of the input, each from its own place, so that a codec that replaces another starts at
//! the very frame where the other ended, whatever their frame sizes.

use std::sync::Arc;

use protocol::codec::Codec;
use protocol::rtp::PayloadType;
use protocol::time::{Instant, MediaTime};

use crate::control::Mute;
use crate::encoding::{Channels, Encoding, EncodingError};
use crate::limits::{ENCODINGS_MAX, FRAME_BYTES_MAX};
use crate::outgoing::EncodedFrame;
use crate::recording::TapBlock;
use crate::rt::clock_line::ClockLine;
use crate::rt::codec::{Encoder, lookahead_frames};
use crate::rt::meter::Meter;
use crate::rt::ramp::{Ramp, clean};
use crate::rt::ring::MonitorSender;
use crate::rt::tap::Tap;
use crate::session::SessionConfig;
use crate::stats::SharedSession;

/// The input half of the audio callback. [`Self::capture`] keeps the real-time contract of
/// [`crate::rt`].
#[derive(Debug)]
pub struct Capture {
    ports: CapturePorts,
    channels: Channels,
    gain: Ramp,
    mute: Ramp,
    meter: Meter,
    encoders: Option<Box<EncoderSet>>,
    /// Interleaved input that an encoder may still need; the last frame is the newest.
    history: Box<[f32]>,
    history_frames: usize,
    /// Media time just after the newest frame.
    now: MediaTime,
    /// When frames were captured, by what the shell says.
    line: ClockLine,
    /// When the first frame of the next period was.
    captured_at: Option<Instant>,
    /// Where the dry input goes.
    tap: Option<Box<Tap>>,
    /// Set while muted: frames before this are still sent, so that what the codecs hold back of
    /// the fade is heard.
    silent_from: Option<MediaTime>,
}

/// What connects the callback with the other halves.
#[derive(Debug)]
pub(crate) struct CapturePorts {
    pub(crate) frames: rtrb::Producer<EncodedFrame>,
    pub(crate) monitor: MonitorSender,
    pub(crate) commands: rtrb::Consumer<CaptureCommand>,
    pub(crate) freed: rtrb::Producer<Used>,
    pub(crate) shared: Arc<SharedSession>,
}

/// What the input callback gives back, to be freed elsewhere.
#[derive(Debug)]
pub(crate) enum Used {
    Encoders(#[expect(dead_code, reason = "it is only freed")] Box<EncoderSet>),
    Tap(#[expect(dead_code, reason = "it is only freed")] Box<Tap>),
}

/// What [`crate::Control`] tells the input callback.
#[derive(Debug)]
pub(crate) enum CaptureCommand {
    Encoders(Box<EncoderSet>),
    Mute(Mute),
    Gain(f32),
    /// Hands the dry input to this from here on, or to nobody.
    Record(Option<Box<Tap>>),
}

/// The encoders that run at the same time.
#[derive(Debug)]
pub(crate) struct EncoderSet {
    encoders: [Option<ActiveEncoder>; ENCODINGS_MAX],
    /// As configured, and as it is set.
    complexity: [u8; 2],
}

#[derive(Debug)]
struct ActiveEncoder {
    encoding: Encoding,
    encoder: Encoder,
    /// The first frame not encoded yet; `None` until the first callback.
    position: Option<MediaTime>,
    /// The next packet is the first after silence.
    marker: bool,
}

impl EncoderSet {
    pub(crate) fn new(
        encodings: &[Encoding],
        channels: Channels,
        complexity: u8,
    ) -> Result<Self, EncodingError> {
        let mut encoders = [const { None }; ENCODINGS_MAX];
        for (place, encoding) in encoders.iter_mut().zip(encodings) {
            let encoder = Encoder::new(encoding.codec, channels, encoding.bitrate, complexity)
                .ok_or(EncodingError::RefusedCodec(encoding.codec))?;
            let encoding = *encoding;
            *place = Some(ActiveEncoder { encoding, encoder, position: None, marker: true });
        }
        Ok(Self { encoders, complexity: [complexity; 2] })
    }
}

impl Capture {
    pub(crate) fn new(config: &SessionConfig, ports: CapturePorts, random: u64) -> Self {
        let frames = HISTORY_FRAMES + config.period_frames_max;
        Self {
            ports,
            channels: config.channels,
            gain: Ramp::at(1.0),
            mute: Ramp::at(1.0),
            meter: Meter::default(),
            encoders: None,
            history: vec![0.0; frames * config.channels.count()].into_boxed_slice(),
            history_frames: 0,
            // Somewhere in 32 bits, as RFC 3550 §5.1 wants it.
            now: MediaTime::from_frames((random >> 32).cast_signed()),
            line: ClockLine::default(),
            captured_at: None,
            tap: None,
            silent_from: None,
        }
    }

    /// Says when the first frame of the period that follows was captured: when the sound was at the
    /// microphone, as the device says it, on the clock that [`crate::Incoming::handle_packet`] is given too. Where
    /// that is said before each period, packets carry it.
    #[cfg_attr(realtime_sanitizer, inline(never), sanitize(realtime = "nonblocking"))]
    pub fn note_time(&mut self, captured_at: Instant) {
        self.captured_at = Some(captured_at);
    }

    /// Takes one period: one or two channels of the same length, at most the configured maximum
    /// (more is ignored). Gives how many codec frames are ready for [`crate::Outgoing`].
    ///
    /// A mono track takes the mean of two channels, a stereo track the only one twice.
    #[cfg_attr(realtime_sanitizer, inline(never), sanitize(realtime = "nonblocking"))]
    pub fn capture(&mut self, input: &[&[f32]]) -> usize {
        self.handle_commands();
        let (left, right): (&[f32], &[f32]) = match input {
            [] => return 0,
            [only] => (only, only),
            [left, right, ..] => (left, right),
        };
        let count = self.channels.count();
        let room = self.history.len() / count - HISTORY_FRAMES;
        let frames = left.len().min(right.len()).min(room);
        self.make_room(frames);
        self.start_encoders();
        if let Some(set) = &mut self.encoders {
            set.save(self.ports.shared.saves());
        }
        if let Some(at) = self.captured_at.take() {
            self.line.note(self.now.as_frames(), at);
        }
        self.take(&left[..frames], &right[..frames]);
        self.now = self.now.plus_frames(i64::try_from(frames).unwrap_or(0));
        if self.mute.is_silent() {
            self.silent_from.get_or_insert(self.now.plus_frames(FLUSH_FRAMES));
        }
        self.encode()
    }

    /// Passes over frames that the device lost: media time goes on without them, as if they had been
    /// captured and lost on the way. Call it before the callback that follows the gap.
    #[cfg_attr(realtime_sanitizer, inline(never), sanitize(realtime = "nonblocking"))]
    pub fn skip(&mut self, frames: usize) {
        self.now = self.now.plus_frames(i64::try_from(frames).unwrap_or(0));
        self.history_frames = 0;
        for active in self.encoders.iter_mut().flat_map(|set| set.encoders.iter_mut().flatten()) {
            // The frames before the gap that fill no codec frame are lost with it.
            active.position = None;
            active.marker = true;
        }
    }

    /// An encoder that continues none before starts with this period.
    fn start_encoders(&mut self) {
        for active in self.encoders.iter_mut().flat_map(|set| set.encoders.iter_mut().flatten()) {
            active.position.get_or_insert(self.now);
        }
    }

    /// Drops the oldest history so that `frames` more fit.
    fn make_room(&mut self, frames: usize) {
        let count = self.channels.count();
        let room = self.history.len() / count - self.history_frames;
        if frames <= room {
            return;
        }
        let kept = self.history_frames.min(HISTORY_FRAMES);
        let from = (self.history_frames - kept) * count;
        self.history.copy_within(from..from + kept * count, 0);
        self.history_frames = kept;
    }

    /// Puts a period through gain, meter, monitor and mute into the history.
    fn take(&mut self, left: &[f32], right: &[f32]) {
        let count = self.channels.count();
        if let Some(tap) = &mut self.tap {
            let first_frame = self.now.as_frames();
            let block = TapBlock { first_frame, frames: 0, captured: self.line.at(first_frame) };
            tap.push(block, count, [left, right], self.mute);
        }
        let from = self.history_frames * count;
        let place = &mut self.history[from..from + left.len() * count];
        for ((frame, left), right) in place.chunks_exact_mut(count).zip(left).zip(right) {
            let gain = self.gain.next();
            match frame {
                [mono] => *mono = clean(0.5 * (left + right) * gain),
                [l, r] => (*l, *r) = (clean(left * gain), clean(right * gain)),
                _ => {}
            }
        }
        self.meter.add(left.len(), place.iter().copied());
        self.meter.publish(&self.ports.shared.input);
        self.ports.monitor.push(place.chunks_exact(count).map(|frame| match frame {
            [left, right] => [*left, *right],
            [mono] => [*mono; 2],
            _ => [0.0; 2],
        }));
        if self.mute.steady() != Some(1.0) {
            for frame in place.chunks_exact_mut(count) {
                let factor = self.mute.next();
                frame.iter_mut().for_each(|sample| *sample *= factor);
            }
        }
        self.history_frames += left.len();
    }

    /// Encodes every codec frame that is full.
    fn encode(&mut self) -> usize {
        let Some(set) = &mut self.encoders else { return 0 };
        let count = self.channels.count();
        let mut sent = 0;
        for active in set.encoders.iter_mut().flatten() {
            let frames = active.encoding.codec.codec_frame_frames();
            while let Some(position) = active.position {
                let waiting = usize::try_from(self.now.frames_since(position)).unwrap_or(0);
                if waiting < frames {
                    break;
                }
                let next = position.plus_frames(i64::try_from(frames).unwrap_or(0));
                active.position = Some(next);
                if self.silent_from.is_some_and(|from| 0 <= position.frames_since(from)) {
                    active.marker = true;
                    continue;
                }
                if active.marker {
                    active.encoder.reset();
                }
                // The history holds whatever an encoder can still want, see HISTORY_FRAMES.
                let Some(from) = self.history_frames.checked_sub(waiting) else { continue };
                let interleaved = &self.history[from * count..(from + frames) * count];
                let captured = self.line.at(position.as_frames());
                let Some(frame) = active.encode(position, captured, interleaved) else { continue };
                match self.ports.frames.push(frame) {
                    Ok(()) => sent += 1,
                    Err(_) => self.ports.shared.outgoing_overrun.add(1),
                }
            }
        }
        sent
    }

    fn handle_commands(&mut self) {
        while let Ok(command) = self.ports.commands.pop() {
            match command {
                CaptureCommand::Encoders(mut set) => {
                    set.continue_from(self.encoders.as_deref_mut());
                    if let Some(old) = self.encoders.replace(set) {
                        self.free(Used::Encoders(old));
                    }
                }
                CaptureCommand::Record(tap) => {
                    if let Some(old) = core::mem::replace(&mut self.tap, tap) {
                        self.free(Used::Tap(old));
                    }
                }
                CaptureCommand::Gain(factor) => self.gain.glide_to(factor),
                CaptureCommand::Mute(Mute::Muted) => self.mute.glide_to(0.0),
                CaptureCommand::Mute(Mute::Open) => {
                    self.mute.glide_to(1.0);
                    self.silent_from = None;
                }
            }
        }
    }

    fn free(&mut self, used: Used) {
        if let Err(rtrb::PushError::Full(used)) = self.ports.freed.push(used) {
            // The queue holds as many as can be on their way, so this does not happen. If it did,
            // losing memory is better than freeing it here.
            core::mem::forget(used);
        }
    }
}

impl EncoderSet {
    /// Spends as little as possible on a machine that is too slow, and what is configured on others.
    fn save(&mut self, saves: bool) {
        let [configured, set] = self.complexity;
        let wanted = if saves { 0 } else { configured };
        if wanted != set {
            self.complexity = [configured, wanted];
            for active in self.encoders.iter_mut().flatten() {
                active.encoder.set_complexity(wanted);
            }
        }
    }

    /// Takes over from the set before: an encoding that is in both goes on as if nothing had
    /// happened, and any other first one starts where the first one before it ended.
    fn continue_from(&mut self, old: Option<&mut Self>) {
        let Some(old) = old else { return };
        self.complexity[1] = old.complexity[1];
        let first = old.encoders.iter().flatten().next();
        let position = first.and_then(|active| active.position);
        for new in self.encoders.iter_mut().flatten() {
            // How often a codec frame is sent is nothing to its encoder.
            let redundant_frames = new.encoding.redundant_frames;
            let same = |active: &&mut ActiveEncoder| {
                Encoding { redundant_frames, ..active.encoding } == new.encoding
            };
            match old.encoders.iter_mut().flatten().find(same) {
                Some(running) => {
                    core::mem::swap(new, running);
                    new.encoding.redundant_frames = redundant_frames;
                }
                None => {
                    new.position = position;
                    new.encoder.set_complexity(self.complexity[1]);
                }
            }
        }
    }
}

impl ActiveEncoder {
    fn encode(
        &mut self,
        position: MediaTime,
        captured: Option<Instant>,
        interleaved: &[f32],
    ) -> Option<EncodedFrame> {
        let codec = self.encoding.codec;
        let payload_types = self.encoding.payload_types;
        let mut frame = EncodedFrame {
            ssrc: self.encoding.ssrc,
            codec,
            payload_type: match codec {
                Codec::Opus => payload_types.opus,
                Codec::Opus64 | Codec::Pcm => payload_types.red.unwrap_or(PayloadType::RED),
            },
            redundant_frames: self.encoding.redundant_frames,
            marker: self.marker,
            media_time: position,
            captured,
            len: 0,
            bytes: [0; FRAME_BYTES_MAX],
        };
        frame.len = self.encoder.encode(interleaved, &mut frame.bytes)?;
        self.marker = false;
        Some(frame)
    }
}

/// An encoder that replaces another wants at most one codec frame of it, less one.
const HISTORY_FRAMES: usize = 128;

/// How long silence is sent after a fade-out (20 ms): until the slowest codec has let go of the
/// fade, and what its filters ring on is inaudible.
const FLUSH_FRAMES: i64 = 960;

const _: () = assert!(lookahead_frames(Codec::Opus) == 120 && 120 <= HISTORY_FRAMES);
