//! Ties capture, codecs, network and render together for one participant.

use std::sync::Arc;

use protocol::control::PayloadTypes;
use thiserror::Error;

use crate::control::Control;
use crate::encoding::Channels;
use crate::incoming::Incoming;
use crate::limits::{
    COMMANDS_MAX, INCOMING_QUEUE_BYTES, INCOMING_QUEUE_FRAMES, OUTGOING_QUEUE_FRAMES,
    PERIOD_FRAMES_MAX, REMOTES_MAX,
};
use crate::outgoing::{Outgoing, mix};
use crate::rt::{Capture, Render, capture, render, ring};
use crate::stats::SharedSession;

/// What a session is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionConfig {
    /// The longest period the callbacks will be given; 1 to [`PERIOD_FRAMES_MAX`]. Any shorter
    /// one is fine too, and it may change from call to call.
    pub period_frames_max: usize,
    /// Channels of the published track.
    pub channels: Channels,
    /// How hard the encoders try, 0 to 10. Above 4 libopus adds a pitch filter, which costs as much
    /// time as all the rest and makes losses sound worse.
    pub complexity: u8,
    /// The payload types that packets arrive with; see also [`Control::set_payload_types`].
    pub payload_types: PayloadTypes,
    /// Where sequence numbers and media time start. Take it from a good source of randomness, so
    /// that nobody can guess them; the same seed repeats a session exactly.
    pub seed: u64,
}

impl Default for SessionConfig {
    /// Any device, a mono track, a native link, and a seed of zero.
    fn default() -> Self {
        Self {
            period_frames_max: PERIOD_FRAMES_MAX,
            channels: Channels::Mono,
            complexity: 4,
            payload_types: PayloadTypes::NATIVE,
            seed: 0,
        }
    }
}

/// Why there is no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SessionError {
    /// No frames, or more than [`PERIOD_FRAMES_MAX`].
    #[error("a period of {0} frames; 1 to {PERIOD_FRAMES_MAX} are possible")]
    MisusePeriod(usize),
    /// Beyond 10.
    #[error("complexity {0}; 0 to 10 are possible")]
    MisuseComplexity(u8),
}

/// The halves of a session. Each is `Send` and may live on its own thread.
#[derive(Debug)]
pub struct Session {
    /// For the app.
    pub control: Control,
    /// For the input callback.
    pub capture: Capture,
    /// For the output callback.
    pub render: Render,
    /// For the thread that sends.
    pub outgoing: Outgoing,
    /// For the thread that receives.
    pub incoming: Incoming,
}

/// Makes a session at 48 kHz. Nothing is sent until [`Control::set_encodings`], nothing heard
/// until [`Control::add_remote`].
pub fn session(config: &SessionConfig) -> Result<Session, SessionError> {
    if !(1..=PERIOD_FRAMES_MAX).contains(&config.period_frames_max) {
        return Err(SessionError::MisusePeriod(config.period_frames_max));
    }
    if 10 < config.complexity {
        return Err(SessionError::MisuseComplexity(config.complexity));
    }
    let shared = Arc::new(SharedSession::default());
    let (to_outgoing, outgoing_frames) = rtrb::RingBuffer::new(OUTGOING_QUEUE_FRAMES);
    let (to_render_frames, incoming_frames) =
        ring::frame_ring(INCOMING_QUEUE_FRAMES, INCOMING_QUEUE_BYTES);
    let (to_capture, capture_commands) = rtrb::RingBuffer::new(COMMANDS_RING);
    let (from_capture, freed_encoders) = rtrb::RingBuffer::new(2 * COMMANDS_RING);
    let (to_render, render_commands) = rtrb::RingBuffer::new(COMMANDS_RING);
    let (from_render, freed_remotes) = rtrb::RingBuffer::new(2 * REMOTES_MAX + COMMANDS_RING);
    let (to_incoming, incoming_commands) = rtrb::RingBuffer::new(COMMANDS_RING);
    let (to_monitor, monitor) = ring::monitor_ring(config.period_frames_max);
    let capture = Capture::new(
        config,
        capture::CapturePorts {
            frames: to_outgoing,
            monitor: to_monitor,
            commands: capture_commands,
            freed: from_capture,
            shared: Arc::clone(&shared),
        },
        mix(config.seed),
    );
    let ports = render::RenderPorts {
        frames: incoming_frames,
        commands: render_commands,
        freed: from_render,
        shared: Arc::clone(&shared),
    };
    let render = Render::new(ports, monitor);
    Ok(Session {
        control: Control::new(
            config,
            crate::control::ControlPorts {
                to_capture,
                freed_encoders,
                to_render,
                freed_remotes,
                to_incoming,
                shared,
            },
        ),
        capture,
        render,
        outgoing: Outgoing::new(outgoing_frames, config.seed),
        incoming: Incoming::new(to_render_frames, incoming_commands, config.payload_types),
    })
}

/// Commands between two turns of a callback; more wait in [`Control`], up to
/// [`COMMANDS_MAX`].
const COMMANDS_RING: usize = 256;

const _: () = assert!(COMMANDS_RING < COMMANDS_MAX);
