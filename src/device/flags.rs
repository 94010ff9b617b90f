//! Which sound card, on the command lines that need one.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use engine_device::audio::{
    AudioBackend, Autoconnect, DefaultDevice, DefaultDeviceOptions, File, FileOptions, InputGate,
    Jack, JackName, JackOptions,
};

/// Flags that choose a device.
#[derive(Debug, Args)]
pub(crate) struct DeviceFlags {
    /// Where sound comes from and goes to. A device or server that does not run at 48 kHz but
    /// somewhere from 32 to 192 kHz is converted, which takes about a quarter of a millisecond.
    #[arg(long, value_enum, default_value = "default")]
    audio: Audio,

    /// With `--audio jack`: the client's name, taken exactly; `vjam` with a number if need be
    /// unless given.
    #[arg(long, value_name = "NAME")]
    jack_name: Option<String>,

    /// With `--audio jack`: connect no ports.
    #[arg(long)]
    no_autoconnect: bool,

    /// With `--audio default`: part of the input device's name.
    #[arg(long, value_name = "NAME")]
    input_device: Option<String>,

    /// With `--audio default`: part of the output device's name.
    #[arg(long, value_name = "NAME")]
    output_device: Option<String>,

    /// With `--audio default` or `file`: frames in one period. JACK has its server's.
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(u32).range(16..=8192))]
    period: Option<u32>,

    /// With `--audio file`: a WAV file (48 kHz, mono or stereo) to play into the room once the
    /// media link is up.
    #[arg(long, value_name = "WAV")]
    input: Option<PathBuf>,

    /// With `--audio file`: a WAV file to write what the room plays to, from the start.
    #[arg(long, value_name = "WAV")]
    output: Option<PathBuf>,
}

/// Kinds of audio backends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Audio {
    /// The system's default devices.
    Default,
    /// A JACK server (PipeWire has one too).
    Jack,
    /// WAV files instead of a sound card.
    File,
}

impl DeviceFlags {
    /// The audio backend, nothing opened yet.
    pub(crate) fn backend(&self, gate: InputGate) -> Box<dyn AudioBackend> {
        match self.audio {
            Audio::Default => Box::new(DefaultDevice::new(DefaultDeviceOptions {
                input_device: self.input_device.clone(),
                output_device: self.output_device.clone(),
                period_frames: self.period,
            })),
            Audio::Jack => Box::new(Jack::new(JackOptions {
                name: match &self.jack_name {
                    Some(name) => JackName::Exactly(name.clone()),
                    None => JackName::Like("vjam".to_owned()),
                },
                autoconnect: if self.no_autoconnect {
                    Autoconnect::Nothing
                } else {
                    Autoconnect::Hardware
                },
            })),
            Audio::File => Box::new(File::new(FileOptions {
                input: self.input.clone(),
                output: self.output.clone(),
                period_frames: self.period.unwrap_or(FILE_PERIOD_FRAMES),
                gate,
            })),
        }
    }

    /// Refuses flags that contradict each other.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let jack = self.jack_name.is_some() || self.no_autoconnect;
        let device = self.input_device.is_some() || self.output_device.is_some();
        let file = self.input.is_some() || self.output.is_some();
        let refuse = |given: bool, kind: Audio, flags: &str| {
            anyhow::ensure!(
                !given || self.audio == kind,
                "{flags} needs `--audio {}`",
                kind.to_possible_value().expect("none is hidden").get_name()
            );
            Ok(())
        };
        refuse(jack, Audio::Jack, "`--jack-name` or `--no-autoconnect`")?;
        refuse(device, Audio::Default, "`--input-device` or `--output-device`")?;
        refuse(file, Audio::File, "`--input` or `--output`")?;
        anyhow::ensure!(
            self.period.is_none() || self.audio != Audio::Jack,
            "with JACK the period is the server's; leave out `--period`"
        );
        anyhow::ensure!(
            self.audio != Audio::File || file,
            "`--audio file` needs `--input WAV`, `--output WAV` or both"
        );
        Ok(())
    }
}

/// Two codec frames of 64, so that a busy machine wakes half as often.
const FILE_PERIOD_FRAMES: u32 = 128;
