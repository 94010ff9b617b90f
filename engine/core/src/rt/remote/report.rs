//! Statistics out: what a listener is told about the stream, once a callback.

use std::sync::atomic::Ordering::Relaxed;

use protocol::time::MediaTime;

use crate::limits::PLAYOUT_DELAY_FRAMES_MAX;
use crate::room_clock::round as round_to_i64;
use crate::rt::clock_line::FRAME_NS;
use crate::rt::codec::lookahead_frames;
use crate::rt::remote::{Period, Remote, Second, State, narrow, to_f32, to_f64, to_i64};
use crate::stats::StreamState;

impl Remote {
    pub(super) fn publish(&mut self, period: &Period) {
        if self.second.end == 0 {
            self.second.end = period.start + SECOND_FRAMES;
        } else if self.second.end <= period.start {
            self.shared.packets_per_second.store(self.second.packets, Relaxed);
            self.second = Second { end: period.start + SECOND_FRAMES, packets: 0 };
        }
        let lag = self.lag(period);
        self.publish_heard(period, lag);
        let waiting = self.packets.end().map_or(0, |end| end.frames_since(self.next).max(0));
        let buffer = to_i64(self.timeline.waiting()) + waiting;
        let delay = self.playout_delay.max(0.0);
        let wanted = self.wanted_lag().map_or(delay, |wanted| delay + narrow(wanted - lag));
        let wanted = wanted.min(to_f32(PLAYOUT_DELAY_FRAMES_MAX + to_i64(period.frames)));
        let fixed = self.packet_frames + self.codec.map_or(0, lookahead_frames);
        let (state, idle) = match self.state {
            State::Idle(_) if self.is_left_out() => (StreamState::LeftOut, true),
            State::Idle(_) => (StreamState::Idle, true),
            State::Starting { .. } => (StreamState::Starting, false),
            State::Playing => (StreamState::Playing, false),
        };
        let shown = |frames: u32| if idle { 0 } else { frames };
        let delay = round(delay);
        self.shared.store_state(state, self.codec);
        self.shared.buffer.store(shown(u32::try_from(buffer).unwrap_or(0)), Relaxed);
        self.shared.playout_delay.store(shown(delay), Relaxed);
        self.shared.playout_delay_target.store(shown(round(wanted)), Relaxed);
        let added = delay + u32::try_from(fixed).unwrap_or(0);
        self.shared.added_delay.store(shown(added), Relaxed);
        self.publish_why();
        if let Some(drift) = self.drift.drift() {
            #[expect(clippy::cast_possible_truncation, reason = "below a million ppb")]
            let ppb = (drift * 1e9).round() as i32;
            self.shared.drift_ppb.store(ppb, Relaxed);
        }
    }

    /// Says which media time is heard when.
    fn publish_heard(&self, period: &Period, lag: f64) {
        let Some(at) = period.at.filter(|_| self.state == State::Playing) else {
            return self.shared.heard.forget();
        };
        let whole = lag.floor();
        let media =
            MediaTime::from_frames(period.start).plus_frames(round_to_i64(whole).wrapping_neg());
        // A media time between two frames is what plays at `at`: the next whole one comes after it.
        let line = self.line.as_ref().map_or(0, |line| to_i64(line.delay()));
        let later_ns = round_to_i64((lag - whole + to_f64(line)) * FRAME_NS);
        self.shared.lag.store(lag.to_bits(), Relaxed);
        self.shared.line.store(line, Relaxed);
        let beyond_need = self.need().map_or(0.0, |need| lag - to_f64(need + self.ahead()));
        self.shared.beyond_need.store(beyond_need.to_bits(), Relaxed);
        let ns = i64::try_from(at.as_ns()).unwrap_or(i64::MAX);
        self.shared.heard.store(media, ns.saturating_add(later_ns));
    }

    /// Takes the playout delay apart: each share is what it would be less without its cause.
    fn publish_why(&self) {
        #[expect(clippy::cast_possible_truncation, reason = "half a percent")]
        let rate_ppm = (self.playhead.slew() * 1e6).round() as i32;
        self.shared.rate_ppm.store(rate_ppm, Relaxed);
        let (Some(delay), Some(plain), Some(arrivals)) =
            (self.delay.target(), self.plain.target(), self.arrivals.found())
        else {
            return;
        };
        let shares = [
            (&self.shared.jitter_network, arrivals.target - arrivals.quickest),
            (&self.shared.jitter_callback, plain - arrivals.target),
            (&self.shared.share_drift, self.ahead()),
            (&self.shared.share_redundancy, delay - plain),
        ];
        for (place, frames) in shares {
            place.store(u32::try_from(frames).unwrap_or(0), Relaxed);
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn round(frames: f32) -> u32 {
    frames.clamp(0.0, 1e9).round() as u32
}

const SECOND_FRAMES: i64 = 48_000;
