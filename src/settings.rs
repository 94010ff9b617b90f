//! What `vjam serve` can be told, and where it was told so.
//!
//! Later wins: defaults, then the file of `--config`, then the environment (`VJAM_HTTP`, ...), then
//! the command line. An unknown key in the file is an error that names it: a setting with a typing
//! mistake must not be silently the default.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use serde::{Deserialize, Deserializer, Serialize};

/// The command line of `vjam serve`.
#[derive(Debug, Default, Clone, clap::Args, Serialize)]
pub(crate) struct Flags {
    /// Where HTTP and WebSocket are served [default: 127.0.0.1:7880]
    #[arg(long, value_name = "ADDR:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http: Option<SocketAddr>,

    /// Where media is taken, UDP [default: every interface, or that of --http; port 7882]
    #[arg(long, value_name = "ADDR:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) media: Option<SocketAddr>,

    /// Where participants reach --media, behind NAT or a relay; may be given several times
    #[arg(long, value_name = "ADDR:PORT")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) advertise: Vec<SocketAddr>,

    /// Where keys are kept [default: the user's data folder, or ./vjam-data]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<PathBuf>,

    /// Reads settings from a TOML file: http, media, advertise, data, rooms_max, ...
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub(crate) config: Option<PathBuf>,

    /// Prints a link that is ready to play, and logs more
    #[arg(long)]
    #[serde(skip)]
    pub(crate) dev: bool,
}

/// What holds after all were asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where HTTP and WebSocket are served.
    pub(crate) http: SocketAddr,
    /// Where media is taken, if it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media: Option<SocketAddr>,
    /// Where participants reach media, if not there.
    #[serde(deserialize_with = "addresses")]
    pub(crate) advertise: Vec<SocketAddr>,
    /// Where keys are kept.
    pub(crate) data: PathBuf,
    /// WebSockets at once.
    pub(crate) connections_max: usize,
    /// Participants at once.
    pub(crate) participants_max: usize,
    /// Rooms at once.
    pub(crate) rooms_max: usize,
}

impl Settings {
    /// Asks everybody who may say something.
    pub(crate) fn read(flags: &Flags) -> anyhow::Result<Self> {
        let from_environment = || std::env::var_os("VJAM_CONFIG").map(PathBuf::from);
        let file = flags.config.clone().or_else(from_environment);
        let settings = figment(flags, file.as_deref()).extract::<Self>();
        let settings = settings.map_err(anyhow::Error::from).context("the settings are wrong")?;
        settings.check()?;
        Ok(settings)
    }

    /// Where media is taken: where it is said; else on the interface of `http`; else, with `http`
    /// on loopback, on every interface. Loopback would be reached by Chromium only (Firefox never
    /// pairs a loopback candidate with an address of its own), and not through the proxy that
    /// most likely stands before such a server.
    pub(crate) fn media(&self) -> SocketAddr {
        let ip = match self.http.ip() {
            IpAddr::V4(ip) if ip.is_loopback() => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(ip) if ip.is_loopback() => Ipv6Addr::UNSPECIFIED.into(),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
        };
        self.media.unwrap_or(SocketAddr::new(ip, MEDIA_PORT))
    }

    fn check(&self) -> anyhow::Result<()> {
        for address in &self.advertise {
            let is_usable = !address.ip().is_unspecified() && address.port() != 0;
            ensure!(is_usable, "advertise: participants cannot send to {address}");
        }
        let limits = [self.connections_max, self.participants_max, self.rooms_max];
        ensure!(!limits.contains(&0), "a limit of 0 lets nobody in");
        Ok(())
    }
}

impl Default for Settings {
    fn default() -> Self {
        let limits = signalling::limits::Limits::default();
        Self {
            http: SocketAddr::from(([127, 0, 0, 1], HTTP_PORT)),
            media: None,
            advertise: Vec::new(),
            data: data_folder(),
            connections_max: limits.connections_max,
            participants_max: limits.participants_max,
            rooms_max: limits.rooms_max,
        }
    }
}

fn figment(flags: &Flags, file: Option<&Path>) -> Figment {
    let figment = Figment::from(Serialized::defaults(Settings::default()));
    let figment = match file {
        Some(file) => figment.merge(Toml::file_exact(file)),
        None => figment,
    };
    // Only these: other programs have variables that begin the same way.
    let environment = Env::prefixed("VJAM_").only(&[
        "http",
        "media",
        "advertise",
        "data",
        "connections_max",
        "participants_max",
        "rooms_max",
    ]);
    figment.merge(environment).merge(Serialized::defaults(flags))
}

/// A list, or one text with commas as an environment variable has it.
fn addresses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Addresses {
        List(Vec<SocketAddr>),
        Text(String),
    }
    match Addresses::deserialize(deserializer)? {
        Addresses::List(addresses) => Ok(addresses),
        Addresses::Text(text) => text
            .split(',')
            .map(|address| {
                let wrong = |_| format!("{address:?} is not of the form ADDR:PORT");
                address.trim().parse().map_err(wrong).map_err(serde::de::Error::custom)
            })
            .collect(),
    }
}

/// `$XDG_DATA_HOME/vjam`, `~/.local/share/vjam`, or beside the program's user.
fn data_folder() -> PathBuf {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    absolute("XDG_DATA_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".local/share")))
        .map_or_else(|| PathBuf::from("vjam-data"), |folder| folder.join("vjam"))
}

const HTTP_PORT: u16 = 7880;
const MEDIA_PORT: u16 = 7882;

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "figment's Jail gives figment's error")]
mod tests {
    use figment::Jail;

    use super::*;

    fn read(flags: &Flags, file: Option<&str>) -> Result<Settings, figment::Error> {
        figment(flags, file.map(Path::new)).extract()
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn flags_win_over_environment_over_file_over_defaults() {
        Jail::expect_with(|jail| {
            jail.create_file("vjam.toml", "http = \"127.0.0.1:1\"\nrooms_max = 7\n")?;
            let none = Flags::default();
            assert_eq!(read(&none, None)?.http, address("127.0.0.1:7880"));
            assert_eq!(read(&none, Some("vjam.toml"))?.http, address("127.0.0.1:1"));
            jail.set_env("VJAM_HTTP", "127.0.0.1:2");
            assert_eq!(read(&none, Some("vjam.toml"))?.http, address("127.0.0.1:2"));
            let flags = Flags { http: Some(address("127.0.0.1:3")), ..Flags::default() };
            let settings = read(&flags, Some("vjam.toml"))?;
            assert_eq!(settings.http, address("127.0.0.1:3"));
            assert_eq!(settings.rooms_max, 7);
            Ok(())
        });
    }

    #[test]
    fn every_setting_can_stand_in_the_environment() {
        Jail::expect_with(|jail| {
            jail.set_env("VJAM_MEDIA", "[::1]:5000");
            jail.set_env("VJAM_ADVERTISE", "203.0.113.5:1, 203.0.113.6:2");
            jail.set_env("VJAM_DATA", "/somewhere");
            jail.set_env("VJAM_ROOMS_MAX", "3");
            // Somebody else's.
            jail.set_env("VJAM_SEED", "1");
            let settings = read(&Flags::default(), None)?;
            assert_eq!(settings.media(), address("[::1]:5000"));
            let advertised = [address("203.0.113.5:1"), address("203.0.113.6:2")];
            assert_eq!(settings.advertise, advertised);
            assert_eq!(settings.data, Path::new("/somewhere"));
            assert_eq!(settings.rooms_max, 3);
            Ok(())
        });
    }

    #[test]
    fn an_unknown_key_is_named() {
        Jail::expect_with(|jail| {
            jail.create_file("vjam.toml", "htpt = \"127.0.0.1:1\"\n")?;
            let error = read(&Flags::default(), Some("vjam.toml")).expect_err("unknown key");
            assert!(error.to_string().contains("htpt"), "{error}");
            assert!(read(&Flags::default(), Some("missing.toml")).is_err());
            Ok(())
        });
    }

    #[test]
    fn media_stands_beside_http_but_not_on_loopback() {
        let media = |http: &str| Settings { http: address(http), ..Settings::default() }.media();
        assert_eq!(media("203.0.113.5:80"), address("203.0.113.5:7882"));
        assert_eq!(media("0.0.0.0:80"), address("0.0.0.0:7882"));
        assert_eq!(media("127.0.0.1:80"), address("0.0.0.0:7882"));
        assert_eq!(media("[::1]:80"), address("[::]:7882"));
    }

    #[test]
    fn an_address_that_nobody_reaches_is_refused() {
        for unusable in ["0.0.0.0:7882", "203.0.113.5:0"] {
            let settings = Settings { advertise: vec![address(unusable)], ..Settings::default() };
            assert!(settings.check().is_err(), "{unusable}");
        }
    }
}
