//! How a remote is brought to a wanted delay: what of it is waited for in the jitter buffer, and what in a line
//! behind it.
//!
//! The jitter buffer has the first 60 ms: packets that come late are still in time there, and it is moved
//! smoothly. What is beyond waits as sound. What surprises: nothing is added up. Each time the whole
//! delay is measured, and the floor under the playhead's lag is where it would be right, so that clocks that
//! drift and a room's time that glides are followed by themselves.

use crate::room_clock::to_f64;

/// What the callbacks told last of a remote that plays.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// From the publisher's microphone to the ear, nanoseconds.
    pub(crate) mouth_to_ear_ns: i64,
    /// The playhead's lag in frames, and by how much it is more than packets need.
    pub(crate) lag: f64,
    pub(crate) beyond_need: f64,
    /// Frames of the line behind it.
    pub(crate) line_frames: i64,
}

impl Measured {
    /// What the delay would be if it was as short as packets allow.
    pub(crate) fn least_ns(&self) -> i64 {
        let beyond = to_f64(self.line_frames) + self.beyond_need;
        self.mouth_to_ear_ns - crate::room_clock::round(beyond * NS_PER_FRAME)
    }
}

/// What the callback is to be told; `None` where nothing changes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Orders {
    /// The least lag, or none.
    pub(crate) floor: Option<Option<f64>>,
    /// Frames of the line.
    pub(crate) line_frames: Option<i64>,
}

/// What a remote's callback was told.
#[derive(Debug, Default)]
pub(crate) struct Padding {
    floor: Option<f64>,
    line_frames: i64,
    target_ns: Option<i64>,
}

impl Padding {
    /// Whether something is to wait behind the playhead.
    pub(crate) const fn has_line(&self) -> bool {
        self.line_frames != 0
    }

    /// What to tell so that the delay becomes `target_ns`, or as short as it can be; called some times a second.
    pub(crate) fn steer(&mut self, measured: Option<Measured>, target_ns: Option<i64>) -> Orders {
        let mut orders = Orders::default();
        let changed = self.target_ns != target_ns;
        let Some(target_ns) = target_ns else {
            self.target_ns = None;
            if self.floor.take().is_some() {
                orders.floor = Some(None);
            }
            if core::mem::take(&mut self.line_frames) != 0 {
                orders.line_frames = Some(0);
            }
            return orders;
        };
        // A remote that says nothing keeps what holds.
        let Some(measured) = measured else { return orders };
        self.target_ns = Some(target_ns);
        let padding = to_f64(target_ns - measured.least_ns()) / NS_PER_FRAME;
        let in_buffer = padding - to_f64(self.line_frames);
        let fits = if self.line_frames == 0 {
            padding <= BUFFER_FRAMES_MAX
        } else {
            (BUFFER_FRAMES - BUFFER_SLACK..=BUFFER_FRAMES_MAX).contains(&in_buffer)
        };
        if !fits || changed && self.line_frames != 0 {
            let line = if padding <= BUFFER_FRAMES_MAX { 0.0 } else { padding - BUFFER_FRAMES };
            self.line_frames = crate::room_clock::round(line).clamp(0, LINE_FRAMES_MAX);
            orders.line_frames = Some(self.line_frames);
        }
        let off = to_f64(target_ns - measured.mouth_to_ear_ns) / NS_PER_FRAME
            - to_f64(self.line_frames - measured.line_frames);
        let floor = measured.lag + off;
        self.floor = Some(floor);
        orders.floor = Some(Some(floor));
        orders
    }
}

/// 1 / 48 kHz.
const NS_PER_FRAME: f64 = 1e9 / 48_000.0;

/// Frames that a remote waits in its jitter buffer where it has to wait for long: 40 ms, and 20 more or less before
/// the line behind it is changed. Up to 60 ms there is no line.
const BUFFER_FRAMES: f64 = 1920.0;
const BUFFER_SLACK: f64 = 960.0;
const BUFFER_FRAMES_MAX: f64 = 2880.0;

/// The longest line: [`super::DELAY_MAX`], 7.7 MB in stereo.
pub(crate) const LINE_FRAMES_MAX: i64 = 960_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// A remote whose packets need a lag of `need` frames, and which is heard `way` frames later than its lag.
    struct Remote {
        need: f64,
        way: f64,
        lag: f64,
        line: i64,
        padding: Padding,
        lines: Vec<i64>,
    }

    impl Remote {
        fn new() -> Self {
            let (need, way) = (300.0, 700.0);
            Self { need, way, lag: need, line: 0, padding: Padding::default(), lines: vec![] }
        }

        fn delay_ms(&self) -> f64 {
            (self.lag + self.way + to_f64(self.line)) / 48.0
        }

        /// Tenths of a second in which the lag goes where it is wanted, by half a percent.
        fn play(&mut self, target_ms: Option<i64>, tenths: usize) {
            for _ in 0..tenths {
                let measured = Measured {
                    mouth_to_ear_ns: crate::room_clock::round(self.delay_ms() * 1e6),
                    lag: self.lag,
                    beyond_need: self.lag - self.need,
                    line_frames: self.line,
                };
                let target_ns = target_ms.map(|ms| ms * 1_000_000);
                let orders = self.padding.steer(Some(measured), target_ns);
                if let Some(line) = orders.line_frames {
                    self.line = line;
                    self.lines.push(line);
                }
                let wanted = self.padding.floor.map_or(self.need, |floor| floor.max(self.need));
                self.lag += (wanted - self.lag).clamp(-24.0, 24.0);
            }
        }
    }

    #[test]
    fn a_little_waits_in_the_jitter_buffer_and_much_in_the_line() {
        let mut remote = Remote::new();
        remote.play(Some(60), 100);
        assert!((remote.delay_ms() - 60.0).abs() < 0.02, "{}", remote.delay_ms());
        assert_eq!(remote.lines, []);
        remote.play(Some(500), 200);
        assert!((remote.delay_ms() - 500.0).abs() < 0.02, "{}", remote.delay_ms());
        assert_eq!(remote.lines.len(), 1, "one change: {:?}", remote.lines);
        assert!((remote.lag - remote.need - BUFFER_FRAMES).abs() < 1.0);
        remote.play(Some(8_000), 200);
        assert!((remote.delay_ms() - 8_000.0).abs() < 0.02, "{}", remote.delay_ms());
        remote.play(None, 200);
        assert!((remote.delay_ms() - 1000.0 / 48.0).abs() < 0.02, "{}", remote.delay_ms());
        assert_eq!(remote.lines.len(), 3, "{:?}", remote.lines);
        assert_eq!(remote.padding.steer(None, None), Orders::default(), "nothing is told twice");
    }

    #[test]
    fn a_network_that_needs_more_takes_it_from_what_is_waited_anyway() {
        let mut remote = Remote::new();
        remote.play(Some(250), 200);
        let lines = remote.lines.len();
        remote.need += 900.0;
        remote.play(Some(250), 100);
        assert!((remote.delay_ms() - 250.0).abs() < 0.02, "{}", remote.delay_ms());
        assert_eq!(remote.lines.len(), lines, "it was within what the buffer has");
        remote.need += 2_000.0;
        remote.play(Some(250), 400);
        assert!((remote.delay_ms() - 250.0).abs() < 0.02, "{}", remote.delay_ms());
        assert_eq!(remote.lines.len(), lines + 1, "{:?}", remote.lines);
        // More than there is: as early as it can be.
        remote.need += 12_000.0;
        remote.play(Some(250), 600);
        assert!((remote.delay_ms() - (remote.need + remote.way) / 48.0).abs() < 0.02);
    }

    #[test]
    fn a_clock_that_drifts_is_followed() {
        let mut remote = Remote::new();
        for _ in 0..600 {
            remote.play(Some(60), 1);
            remote.way += 0.5;
        }
        assert!((remote.delay_ms() - 60.0).abs() < 0.05, "{}", remote.delay_ms());
    }
}
