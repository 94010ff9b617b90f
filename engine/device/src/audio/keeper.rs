//! Keeps a backend going: a JACK server that was restarted, a device that was plugged in again.
//!
//! Decides when to try; the backend does the work. Nothing here runs on an audio thread.

use core::time::Duration;

use protocol::time::Instant;

use super::{AudioBackend, AudioError, AudioFormat, AudioStatus, Callbacks};

/// A backend that is started again when it ends.
pub struct Keeper {
    backend: Box<dyn AudioBackend>,
    callbacks: Callbacks,
    state: State,
    period_frames: u32,
}

enum State {
    Running,
    Ended { retry_at: Instant },
}

/// What a musician should be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AudioChange {
    /// No sound any more, and why; it is tried again from time to time.
    Ended(String),
    /// Sound again.
    Started(AudioFormat),
    /// Another period, in frames.
    Period(u32),
}

impl Keeper {
    /// Starts the backend; what fails here is the musician's to mend, so it is not tried again.
    pub fn start(
        mut backend: Box<dyn AudioBackend>,
        callbacks: Callbacks,
    ) -> Result<(Self, AudioFormat), AudioError> {
        let format = backend.start(&callbacks)?;
        let period_frames = format.period_frames;
        Ok((Self { backend, callbacks, state: State::Running, period_frames }, format))
    }

    /// Looks after the backend; call some times a second.
    pub fn poll(&mut self, now: Instant) -> Option<AudioChange> {
        match self.state {
            State::Running => {
                let status = self.backend.status();
                if let Some(reason) = status.ended {
                    // At once: libjack crashes when a dead server's client is closed after
                    // another server was met.
                    if let Err(error) = self.backend.stop() {
                        tracing::debug!(%error, "audio that had ended");
                    }
                    self.state = State::Ended { retry_at: now + RETRY };
                    return Some(AudioChange::Ended(reason));
                }
                if status.period_frames != self.period_frames {
                    self.period_frames = status.period_frames;
                    return Some(AudioChange::Period(status.period_frames));
                }
                None
            }
            State::Ended { retry_at } if retry_at <= now => {
                match self.backend.start(&self.callbacks) {
                    Ok(format) => {
                        self.state = State::Running;
                        self.period_frames = format.period_frames;
                        Some(AudioChange::Started(format))
                    }
                    Err(error) => {
                        tracing::debug!(%error, "audio not back yet");
                        self.state = State::Ended { retry_at: now + RETRY };
                        None
                    }
                }
            }
            State::Ended { .. } => None,
        }
    }

    /// How the backend is doing.
    #[must_use]
    pub fn status(&self) -> AudioStatus {
        self.backend.status()
    }

    /// Ends the callbacks. Files are complete when it returns.
    pub fn stop(mut self) -> Result<(), AudioError> {
        self.backend.stop()
    }
}

/// Long enough that a server on its way up is not asked all the time.
const RETRY: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// A backend that does what the test says.
    #[derive(Clone, Default)]
    struct Fake(Arc<Mutex<(AudioStatus, u32)>>);

    impl AudioBackend for Fake {
        fn start(&mut self, _: &Callbacks) -> Result<AudioFormat, AudioError> {
            let mut fake = self.0.lock().expect("one thread");
            fake.1 += 1;
            if fake.1 == 2 {
                return Err(AudioError::JackServerMissing(String::new()));
            }
            fake.0 = AudioStatus { period_frames: 64, xruns: 0, ended: None };
            Ok(AudioFormat { description: "fake".into(), period_frames: 64 })
        }

        fn status(&self) -> AudioStatus {
            self.0.lock().expect("one thread").0.clone()
        }

        fn stop(&mut self) -> Result<(), AudioError> {
            Ok(())
        }
    }

    #[test]
    fn an_ended_backend_is_tried_again_until_it_is_back() {
        let fake = Fake::default();
        let callbacks = Callbacks::new(1, Box::new(|_| ()), Box::new(|_| ()));
        let (mut keeper, format) =
            Keeper::start(Box::new(fake.clone()), callbacks).expect("it starts");
        let mut at = |ms: u64| keeper.poll(Instant::from_ns(ms * 1_000_000));
        assert_eq!(at(0), None);
        fake.0.lock().expect("one thread").0.period_frames = 128;
        assert_eq!(at(10), Some(AudioChange::Period(128)));
        fake.0.lock().expect("one thread").0.ended = Some("unplugged".into());
        assert_eq!(at(20), Some(AudioChange::Ended("unplugged".into())));
        assert_eq!(at(2000), None);
        assert_eq!(at(2020), None, "the second start is refused");
        assert_eq!(at(4020), Some(AudioChange::Started(format)));
        assert_eq!(at(4030), None);
    }
}
