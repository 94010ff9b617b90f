//! The command line of `vjam join`, and what it means.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use engine::{Channels, PlayoutMode};
use engine_device::audio::{AudioBackend, InputGate};
use engine_device::session::{CodecChoice, RoomKey, SessionOptions};
use engine_device::takes::TakesOptions;
use etcetera::BaseStrategy as _;
use protocol::codec::Codec;
use protocol::room_state::PlayingMode;
use protocol::units::{Bitrate, Decibels};
use signalling_client::RoomLink;

use crate::device::DeviceFlags;

/// Flags of `vjam join`.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// The room's link, as the web page shows it: `http://HOST:PORT/r/ROOM`, with the invite
    /// behind it where you have one. The room is made if it is not there.
    #[arg(value_parser = parse_link)]
    link: Link,

    /// The password of a private room, where you have no invite.
    #[arg(long)]
    password: Option<String>,

    /// How the others see you; your user name unless given.
    #[arg(long)]
    name: Option<String>,

    #[command(flatten)]
    device: DeviceFlags,

    /// How your sound is coded. `auto` is opus-64 where every engine in the room decodes it and
    /// your uplink carries it, else opus.
    #[arg(long, value_enum, default_value = "auto")]
    codec: CodecName,

    /// Bits per second of encoded sound, `96000` or `96k`; 96k for each channel unless given.
    #[arg(long, value_parser = parse_bitrate)]
    bitrate: Option<Bitrate>,

    /// 1 for mono, 2 for stereo.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    channels: u8,

    /// What your track is called.
    #[arg(long, default_value = "instrument")]
    label: String,

    /// How long what the others play waits before you hear it. `automatic` is as long as their
    /// packets need; `lower` has less delay and more dropouts, `safer` the opposite; `12ms` is
    /// always 12 ms. In the terminal view `d`, `[` and `]` change it, also for one of them alone.
    #[arg(long, value_name = "MODE", default_value = "automatic")]
    playout: PlayoutMode,

    /// How late you hear the others, whatever the room plays by: `tight` is as early as holds,
    /// `aligned` everybody equally late, `beat` by so many beats of the click that theirs fall on
    /// yours. As the room does unless given. `w` in the terminal view changes it for the room.
    #[arg(long, value_enum)]
    mode: Option<ModeName>,

    /// How loud you hear the room's click, in dB; `off` for not at all.
    #[arg(long, value_name = "DB", default_value = "0", allow_hyphen_values = true, value_parser = parse_gain)]
    pub(crate) click: GainOrOff,

    /// Where your part of a take is recorded to, and waits until it is at the server; a folder of
    /// your own unless given.
    #[arg(long, value_name = "FOLDER")]
    takes: Option<PathBuf>,

    /// Do not record me when somebody records the room.
    #[arg(long)]
    no_record: bool,

    /// Hear yourself, at this gain in dB; without it you do not.
    #[arg(long, value_name = "DB", allow_hyphen_values = true, value_parser = parse_gain)]
    pub(crate) monitor: Option<GainOrOff>,

    /// With `--monitor`: in the mode `aligned`, hear yourself as late as everybody else.
    #[arg(long, requires = "monitor")]
    pub(crate) monitor_aligned: bool,

    /// Send media to this address instead of the one the server names (a relay, a tunnel).
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_address)]
    media_via: Option<SocketAddr>,

    /// Believe what the driver says of the device's delay, even where `vjam calibrate` has measured it.
    #[arg(long)]
    pub(crate) no_calibration: bool,

    /// Log lines instead of the terminal view.
    #[arg(long)]
    pub(crate) headless: bool,

    /// Leave after so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) duration: Option<Duration>,

    /// Write a line of JSON to this file each second.
    #[arg(long, value_name = "FILE")]
    pub(crate) stats: Option<PathBuf>,
}

/// A room's link, and what stands behind it.
#[derive(Debug, Clone)]
struct Link {
    room: RoomLink,
    key: Option<RoomKey>,
}

/// What `--mode` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ModeName {
    /// As early as holds.
    Tight,
    /// Everybody equally late.
    Aligned,
    /// Late by whole beats.
    Beat,
}

/// What `--click` and `--monitor` take: a gain, or nothing for silence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GainOrOff(pub(crate) Option<Decibels>);

/// What `--codec` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CodecName {
    /// Choose, and choose again when things change.
    Auto,
    /// Opus in 2.5 ms frames.
    Opus,
    /// Opus in 64-sample (1.33 ms) frames.
    #[value(name = "opus-64")]
    Opus64,
    /// 16-bit PCM in 64-frame packets.
    Pcm,
}

impl Flags {
    /// What the session is started with; flags that contradict each other are refused.
    pub(crate) fn session_options(&self) -> anyhow::Result<SessionOptions> {
        self.device.check()?;
        let channels = if self.channels == 2 { Channels::Stereo } else { Channels::Mono };
        Ok(SessionOptions {
            link: self.link.room.clone(),
            key: self.password.clone().map(RoomKey::Password).or_else(|| self.link.key.clone()),
            name: self.name.clone().or_else(user_name).unwrap_or_else(|| "musician".to_owned()),
            label: self.label.clone(),
            channels,
            codec: match self.codec {
                CodecName::Auto => CodecChoice::Auto,
                CodecName::Opus => CodecChoice::Only(Codec::Opus),
                CodecName::Opus64 => CodecChoice::Only(Codec::Opus64),
                CodecName::Pcm => CodecChoice::Only(Codec::Pcm),
            },
            bitrate: self.bitrate.unwrap_or(Bitrate(96_000 * u32::from(self.channels))),
            playout: self.playout,
            mode: self.mode.map(|mode| match mode {
                ModeName::Tight => PlayingMode::Tight,
                ModeName::Aligned => PlayingMode::Aligned,
                ModeName::Beat => PlayingMode::Beat,
            }),
            takes: self
                .takes_folder()
                .map(|folder| TakesOptions { folder, record: !self.no_record }),
            media_via: self.media_via,
        })
    }

    /// The audio backend, nothing opened yet.
    pub(crate) fn audio_backend(&self, gate: InputGate) -> Box<dyn AudioBackend> {
        self.device.backend(gate)
    }

    /// `None` where the system knows no folder for such things, and none is given.
    fn takes_folder(&self) -> Option<PathBuf> {
        let default = || Some(etcetera::choose_base_strategy().ok()?.data_dir().join("vjam/takes"));
        self.takes.clone().or_else(default)
    }
}

fn user_name() -> Option<String> {
    std::env::var("USER").ok().filter(|name| !name.is_empty())
}

fn parse_link(text: &str) -> Result<Link, String> {
    let room = RoomLink::parse(text).map_err(|error| error.to_string())?;
    let key = RoomLink::invite(text).map(|invite| RoomKey::Invite(invite.to_owned()));
    Ok(Link { room, key })
}

fn parse_address(text: &str) -> anyhow::Result<SocketAddr> {
    let mut addresses = text.to_socket_addrs().context("not ADDR:PORT")?;
    addresses.next().context("the name has no address")
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn parse_gain(text: &str) -> Result<GainOrOff, String> {
    if text == "off" {
        return Ok(GainOrOff(None));
    }
    let gain: f32 = text.parse().map_err(|_| "not `off` or a number of dB")?;
    if (-60.0..=20.0).contains(&gain) {
        Ok(GainOrOff(Some(Decibels(gain))))
    } else {
        Err("-60 to 20 dB are possible".to_owned())
    }
}

fn parse_bitrate(text: &str) -> Result<Bitrate, String> {
    let (digits, factor) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1000),
        None => (text, 1),
    };
    let bits = digits.parse::<u32>().ok().and_then(|number| number.checked_mul(factor));
    let bits = bits.ok_or("not a number of bits per second")?;
    if engine::limits::BITRATE_RANGE.contains(&bits) {
        Ok(Bitrate(bits))
    } else {
        let (min, max) =
            (engine::limits::BITRATE_RANGE.start(), engine::limits::BITRATE_RANGE.end());
        Err(format!("{min} to {max} bits per second are possible"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        flags: Flags,
    }

    fn options(line: &str) -> Result<SessionOptions, String> {
        let words =
            ["join", "http://localhost:7880/r/x"].into_iter().chain(line.split_whitespace());
        let command = Command::try_parse_from(words).map_err(|error| error.to_string())?;
        command.flags.session_options().map_err(|error| error.to_string())
    }

    fn refused(line: &str, part: &str) {
        let error = options(line).expect_err(line);
        assert!(error.contains(part), "{line}: {error}");
    }

    #[test]
    fn what_is_not_said_has_a_sensible_value() {
        let options = options("--name Ana").expect("enough");
        assert_eq!(options.name, "Ana");
        assert_eq!((options.channels, options.bitrate), (Channels::Mono, Bitrate(96_000)));
        assert_eq!(options.codec, CodecChoice::Auto);
        assert_eq!(options.playout, PlayoutMode::Automatic);
    }

    #[test]
    fn a_private_room_is_opened_by_its_password_or_by_the_invite_of_its_link() {
        assert_eq!(options("").expect("enough").key, None);
        let by_password = options("--password xyz").expect("enough").key;
        assert_eq!(by_password, Some(RoomKey::Password("xyz".into())));
        let words = ["join", "http://localhost:7880/r/x#invite=0f"];
        let command = Command::try_parse_from(words).expect("a link");
        let options = command.flags.session_options().expect("enough");
        assert_eq!(options.key, Some(RoomKey::Invite("0f".into())));
        assert_eq!(options.link.room.as_str(), "x");
    }

    #[test]
    fn values_have_their_units() {
        let options =
            options("--bitrate 128k --channels 2 --codec opus-64 --media-via 127.0.0.1:9")
                .expect("fine");
        assert_eq!((options.channels, options.bitrate), (Channels::Stereo, Bitrate(128_000)));
        assert_eq!(options.codec, CodecChoice::Only(Codec::Opus64));
        assert_eq!(options.media_via, Some(([127, 0, 0, 1], 9).into()));
    }

    #[test]
    fn playout_is_a_word_or_milliseconds() {
        let playout = |text| options(&format!("--playout {text}")).map(|options| options.playout);
        assert_eq!(playout("lower"), Ok(PlayoutMode::Lower));
        assert_eq!(playout("safer"), Ok(PlayoutMode::Safer));
        assert_eq!(playout("12ms"), Ok(PlayoutMode::Fixed(576)));
        refused("--playout 12", "milliseconds such as `12ms`");
        refused("--playout faster", "not `automatic`, `lower`, `safer`");
        refused("--playout 501ms", "at most 500 ms");
    }

    #[test]
    fn mode_and_click_are_as_the_room_has_them_unless_given() {
        let mode = |line| options(line).map(|options| options.mode);
        assert_eq!(mode(""), Ok(None));
        assert_eq!(mode("--mode beat"), Ok(Some(PlayingMode::Beat)));
        let click = |line: &str| {
            let words =
                ["join", "http://localhost:7880/r/x"].into_iter().chain(line.split_whitespace());
            Command::try_parse_from(words).map(|command| command.flags.click.0).map_err(|_| ())
        };
        assert_eq!(click(""), Ok(Some(Decibels(0.0))));
        assert_eq!(click("--click -12"), Ok(Some(Decibels(-12.0))));
        assert_eq!(click("--click off"), Ok(None));
        refused("--click loud", "not `off` or a number of dB");
        refused("--click 21", "-60 to 20 dB");
    }

    #[test]
    fn contradictions_are_refused_with_a_reason() {
        refused("--jack-name A", "needs `--audio jack`");
        refused("--audio jack --period 64", "the period is the server's");
        refused("--audio file", "needs `--input WAV`");
        refused("--input a.wav", "needs `--audio file`");
        refused("--bitrate 96", "bits per second are possible");
        refused("--bitrate 9999999999k", "not a number of bits");
        refused("--channels 3", "3 is not in 1..=2");
        refused("--duration=-1", "--duration");
    }
}
