//! Where sound comes from and goes to: three backends behind one trait.
//!
//! A backend calls [`Callbacks`] once for each period and knows nothing of packets. What
//! surprises: a backend that ends (server gone, device unplugged) does not take the callbacks
//! with it, so that another one can be started in its place while the session plays on.

mod callbacks;
mod default_device;
mod devices;
mod disk;
mod file;
mod interleave;
mod jack;
mod keeper;
mod load;
mod pacer;
mod rates;
#[cfg(test)]
mod scratch;
mod timing;
mod wav;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use engine::RateError;
use thiserror::Error;

pub use self::callbacks::{
    CallCounts, Callbacks, CaptureFn, LoadWatch, LostFrames, OUTPUT_CHANNELS, PERIOD_FRAMES_MAX,
    RenderFn,
};
pub use self::default_device::{DefaultDevice, DefaultDeviceOptions};
pub use self::devices::{DeviceReport, describe_devices};
pub use self::file::{File, FileOptions, InputGate};
pub use self::jack::{
    Autoconnect, Jack, JackClient, JackName, JackNotice, JackNoticeFn, JackOptions, JackProcessFn,
    JackServer, find_server,
};
pub use self::keeper::{AudioChange, Keeper};
pub use self::load::Load;
pub use self::rates::Rates;
pub use self::timing::Timing;

/// Something that calls back with audio, period after period. Lives on one thread, which need
/// not be a special one; the callbacks come on threads of the backend's own.
pub trait AudioBackend {
    /// Opens the device and starts to call back. A backend that has ended may be started again,
    /// unless [`Self::stop`] failed.
    fn start(&mut self, callbacks: &Callbacks) -> Result<AudioFormat, AudioError>;

    /// How it goes; cheap enough to ask ten times a second.
    fn status(&self) -> AudioStatus;

    /// Ends the callbacks and gives the device back. Files are complete when it returns; an error
    /// says that one is not, and that starting again would only make it worse.
    fn stop(&mut self) -> Result<(), AudioError>;

    /// How long callbacks may stay away before the device counts as dead; `None` where
    /// [`Self::status`] knows better.
    fn silence_max(&self) -> Option<Duration> {
        Some(SILENCE_MAX)
    }
}

/// What a backend runs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioFormat {
    /// The device or server, for people.
    pub description: String,
    /// Frames in one callback at the moment, at the device's rate.
    pub period_frames: u32,
    /// What it runs at.
    pub rates: Rates,
    /// Which devices these are.
    pub names: DeviceNames,
}

/// What devices are called by their backend: a name that is the same the next time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceNames {
    /// As `--audio` names it.
    pub backend: &'static str,
    /// Where sound comes from; empty where there is no input.
    pub input: String,
    /// Where it goes to; empty where there is no output.
    pub output: String,
}

impl fmt::Display for AudioFormat {
    /// All of it, in one line.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { description, period_frames, rates, names: _ } = self;
        write!(out, "{description}, {rates}, {period_frames} frames in a period")
    }
}

/// How a backend is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AudioStatus {
    /// Frames in one callback at the moment, at the device's rate.
    pub period_frames: u32,
    /// What the device runs at.
    pub rates: Rates,
    /// From the callback to the loudspeaker, as the driver says it or as it was calibrated.
    pub output_latency: Option<Duration>,
    /// Whether the device's latencies are calibrated, not only what its driver says. Set by [`Keeper`].
    pub calibrated: bool,
    /// Times that the device ran out of audio or of room since the start.
    pub xruns: u64,
    /// Why no callback comes any more.
    pub ended: Option<String>,
    /// What is wrong although it goes on.
    pub trouble: Option<String>,
}

/// Why audio could not be started or brought to an end.
#[derive(Debug, Error)]
pub enum AudioError {
    /// The JACK library is not on this machine.
    #[error(
        "JACK is not installed ({0}). Install it (`apt install jackd2`, or `pipewire-jack`), or \
             leave out `--audio jack`"
    )]
    JackLibraryMissing(String),
    /// No JACK server answers.
    #[error(
        "no JACK server answers{0}. Start one (`jackd -R -d alsa -r 48000 -p 64`, or qjackctl), \
             or leave out `--audio jack`"
    )]
    JackServerMissing(String),
    /// The server did not take the client in.
    #[error(
        "the JACK server does not take a client in, because it or this machine stalls: try again"
    )]
    JackStalled,
    /// Another client has the name.
    #[error("a JACK client named {0:?} is there already; choose another `--jack-name`")]
    JackNameTaken(String),
    /// The JACK server refused something.
    #[error("JACK: {0}")]
    Jack(String),
    /// A file's rate is not what tracks travel at.
    #[error("{what} runs at {rate_hz} Hz, vjam needs 48000 Hz. {cure}")]
    Rate {
        /// The file.
        what: String,
        /// Its rate.
        rate_hz: u32,
        /// What to do about it.
        cure: String,
    },
    /// A device's rate cannot be converted to what tracks travel at.
    #[error("{what}: {reason}. {cure}")]
    DeviceRate {
        /// The device or server.
        what: String,
        /// Why not.
        reason: RateError,
        /// What to do about it.
        cure: String,
    },
    /// There is no such device, or none at all.
    #[error("{0}. `vjam devices` lists what is there")]
    NoDevice(String),
    /// The device refused.
    #[error("{device}: {reason}")]
    Device {
        /// Which.
        device: String,
        /// What it said.
        reason: String,
    },
    /// A WAV file could not be read or written.
    #[error("{}: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The operating system refused a thread.
    #[error("no thread for audio: {0}")]
    Thread(#[from] std::io::Error),
}

/// The longest period of any device is 171 ms ([`PERIOD_FRAMES_MAX`]), and drivers that start an
/// xrun over take a few of them.
const SILENCE_MAX: Duration = Duration::from_secs(1);
