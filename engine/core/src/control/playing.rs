//! The playing mode in the hands of the app: which delay each remote is told to have.
//!
//! What surprises: this is decided wherever [`Control::poll`] is called, some times a second, and never in a
//! callback: delays of modes are wanted to a fraction of a millisecond, but nothing about them is urgent.

use core::time::Duration;

use protocol::room_state::{ClickSegment, PlayingMode};
use protocol::time::Instant;
use protocol::units::{Decibels, SampleRate};

use super::{Control, ControlError, RemoteHandle, gain_factor};
use crate::click::Click;
use crate::encoding::Channels;
use crate::playing::{ALIGNED_MAX, Alignment, DELAY_MAX, LINE_FRAMES_MAX, Measured};
use crate::room_clock::RoomMapping;
use crate::rt::delay_line::DelayLine;
use crate::rt::render::RenderCommand;
use crate::stats::StreamState;

/// What the app has said of playing modes.
#[derive(Debug, Default)]
pub(super) struct Playing {
    mode: PlayingMode,
    /// The longest delay that others in the room need between any two of them.
    room_least: Duration,
    alignment: Alignment,
    pub(super) click: Option<Click>,
    /// When delays were decided last.
    decided: Option<Instant>,
    /// Whether one hears oneself as late as everybody, and how late without that.
    monitor_aligned: bool,
    own_latency: Duration,
    /// Frames of the line behind the own input; `None` where there is none.
    monitor_frames: Option<usize>,
}

impl Control {
    /// Sets how late everybody is heard. Delays move there by themselves, without a glitch; a remote whose capture times
    /// or whose room's clock is not known is heard as early as it can be.
    pub fn set_playing_mode(&mut self, mode: PlayingMode) {
        if self.playing.mode == mode {
            return;
        }
        self.playing.mode = mode;
        self.playing.alignment.clear();
        for remote in &mut self.remotes {
            remote.beat.clear();
        }
        self.playing.decided = None;
        self.poll();
    }

    /// Sets the click; no segment is none. Heard once the room's clock is known.
    pub fn set_click(&mut self, segments: &[ClickSegment]) -> Result<(), ControlError> {
        let click = Click::new(segments)?;
        self.tell_render(RenderCommand::SetClick(click))?;
        self.playing.click = Some(click);
        Ok(())
    }

    /// Sets the click's gain, at most +40 dB; `None` silences it. Unity at the start.
    pub fn set_click_gain(&mut self, gain: Option<Decibels>) -> Result<(), ControlError> {
        let factor = gain.map_or(Ok(0.0), gain_factor)?;
        self.tell_render(RenderCommand::SetClickGain(factor))
    }

    /// What [`Self::set_playing_mode`] was told last.
    #[must_use]
    pub const fn playing_mode(&self) -> PlayingMode {
        self.playing.mode
    }

    /// Says how late somebody else in the room hears somebody at least: the longest of what all others tell of
    /// themselves ([`crate::RemoteStats::mouth_to_device`] less [`crate::RemoteStats::padding`]). *Aligned* mode needs it.
    pub fn set_room_least(&mut self, least: Duration) {
        self.playing.room_least = least;
    }

    /// Has one hear oneself, where [`Self::set_monitor_gain`] says that one does, as late as everybody in *aligned* mode, or
    /// at once.
    pub fn set_monitor_aligned(&mut self, aligned: bool) {
        self.playing.monitor_aligned = aligned;
    }

    /// Says how late one hears oneself at once: what the device takes in and out.
    pub fn set_own_latency(&mut self, latency: Duration) {
        self.playing.own_latency = latency;
    }

    /// Delays the own input, where that is wished.
    fn steer_monitor(&mut self, aligned: Option<Duration>) {
        let wished = aligned.filter(|_| self.playing.monitor_aligned);
        let delay = wished.map_or(Duration::ZERO, |d| d.saturating_sub(self.playing.own_latency));
        let frames = usize::try_from(SampleRate::WIRE.frames_floor(delay)).unwrap_or(0);
        match self.playing.monitor_frames {
            None if frames == 0 => return,
            Some(told) if told.abs_diff(frames) < MONITOR_SLACK && (frames == 0) == (told == 0) => {
                return;
            }
            None => {
                let most = usize::try_from(SampleRate::WIRE.frames_floor(ALIGNED_MAX)).unwrap_or(0);
                let line = DelayLine::new(Channels::Stereo.count(), most, frames);
                let _ = self.to_render.push(RenderCommand::SetMonitorLine(Box::new(line)));
            }
            Some(_) => {
                let _ = self.to_render.push(RenderCommand::SetMonitorDelay(frames));
            }
        }
        self.playing.monitor_frames = Some(frames);
    }

    /// Decides what each remote is told, ten times a second.
    pub(super) fn steer_delays(&mut self) {
        let now = Instant::from_ns(self.shared.rendered_at.load());
        if self.playing.decided.is_some_and(|last| now.saturating_since(last) < DECIDE_EVERY) {
            return;
        }
        self.playing.decided = Some(now);
        let clock = self.room_clock;
        let measured: Vec<_> = self
            .remotes
            .iter()
            .map(|remote| measured(remote, clock.as_ref(), now, self.to_ear))
            .collect();
        let aligned = self.aligned(now, &measured);
        self.steer_monitor(aligned);
        let at = clock.map(|clock| clock.room(now));
        let (mode, click) = (self.playing.mode, self.playing.click);
        for (remote, measured) in self.remotes.iter_mut().zip(measured) {
            let delay = match mode {
                PlayingMode::Tight => None,
                PlayingMode::Aligned => aligned,
                PlayingMode::Beat => match (measured, at) {
                    (Some(measured), Some(at)) => {
                        remote.beat.delay(now, click.as_ref(), at, least(&measured))
                    }
                    // A remote that is silent for a while comes back to where it was.
                    _ => remote.wanted_delay,
                },
            };
            remote.wanted_delay = delay.filter(|delay| *delay <= DELAY_MAX);
            let target_ns =
                remote.wanted_delay.and_then(|delay| i64::try_from(delay.as_nanos()).ok());
            let orders = remote.padding.steer(measured, target_ns);
            let key = remote.key;
            // Where the queue is full the callback does not run; the next turn decides again.
            if let Some(floor) = orders.floor {
                self.to_render.offer(RenderCommand::SetFloor(key, floor));
            }
            let Some(frames) = orders.line_frames.and_then(|frames| usize::try_from(frames).ok())
            else {
                // A line that has not delayed anything for a while is of no use.
                let idle = remote.line_frames_max != 0 && !remote.padding.has_line();
                remote.line_idle = if idle { remote.line_idle + 1 } else { 0 };
                let gone = RenderCommand::SetLine(key, None);
                if LINE_KEPT < remote.line_idle && self.to_render.offer(gone) {
                    (remote.line_frames_max, remote.line_idle) = (0, 0);
                }
                continue;
            };
            if remote.line_frames_max < frames {
                // Twice as long, so that a slower tempo needs no other one.
                let most = usize::try_from(LINE_FRAMES_MAX).unwrap_or(frames);
                remote.line_frames_max = (2 * frames).min(most).max(frames);
                let line = DelayLine::new(remote.channels.count(), remote.line_frames_max, frames);
                let _ = self.to_render.push(RenderCommand::SetLine(key, Some(Box::new(line))));
            } else {
                let _ = self.to_render.push(RenderCommand::SetLineDelay(key, frames));
            }
        }
    }

    /// The delay of everybody in *aligned* mode; `None` while nobody knows what is needed.
    fn aligned(&mut self, now: Instant, measured: &[Option<Measured>]) -> Option<Duration> {
        if self.playing.mode != PlayingMode::Aligned {
            return None;
        }
        // Whoever is further away than that is not waited for.
        let near = |least: &Duration| *least <= ALIGNED_MAX;
        let longest = measured.iter().flatten().map(least).filter(near).max()?;
        let others = Some(self.playing.room_least).filter(near).unwrap_or_default();
        Some(self.playing.alignment.delay(now, longest.max(others)))
    }
}

fn least(measured: &Measured) -> Duration {
    Duration::from_nanos(u64::try_from(measured.least_ns()).unwrap_or(0))
}

fn measured(
    remote: &RemoteHandle,
    clock: Option<&RoomMapping>,
    now: Instant,
    to_ear: Duration,
) -> Option<Measured> {
    let stats = remote.shared.load(remote.ssrc);
    let to_device = remote.shared.mouth_to_device(stats.codec, clock?, now)?;
    (stats.state == StreamState::Playing).then(|| remote.shared.measured(to_device + to_ear))
}

/// Decisions for which a line is kept that delays nothing: 2 s, long after it has faded.
const LINE_KEPT: u32 = 20;

/// A millisecond of one's own delay: what the device says of itself changes by less.
const MONITOR_SLACK: usize = 48;

/// Often enough for a clock that glides by a thousandth: 0.1 ms.
const DECIDE_EVERY: Duration = Duration::from_millis(100);
