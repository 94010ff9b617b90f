//! What `vjam serve` can be told, and where it was told so.
//!
//! Later wins: defaults, then the file of `--config`, then the environment (`VJAM_HTTP`, ...), then
//! the command line. An unknown key in the file is an error that names it: a setting with a typing
//! mistake must not be silently the default.
//!
//! Long because its help names every setting.

use std::ffi::OsString;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, ensure};
use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use serde::{Deserialize, Deserializer, Serialize};
use sfu_server::LINKS_MAX;

use crate::settings_social::{self, SocialSettings};
use crate::size::{Size, Switch};
use crate::trusted_proxies;

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

    /// Threads that forward media, each at a UDP port of its own: --media, the one after it, and so
    /// on [default: one per core]
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workers: Option<NonZeroU16>,

    /// Where participants reach --media, behind NAT or a relay (and the other workers at the ports
    /// after it); may be given several times
    #[arg(long, value_name = "ADDR:PORT")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) advertise: Vec<SocketAddr>,

    /// A page that may join, where a proxy changes Host: `https://jam.example`; may be given several
    /// times
    #[arg(long = "origin", value_name = "URL")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) origins: Vec<String>,

    /// A proxy whose X-Forwarded-For says whom a request comes from: `10.0.0.7`, `10.0.0.0/8`; may be
    /// given several times, in place of the default [default: this machine]
    #[arg(long = "trusted-proxy", value_name = "ADDR")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) trusted_proxies: Vec<String>,

    /// Where keys and takes are kept [default: the user's data folder, or ./vjam-data]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<PathBuf>,

    /// Whether rooms can record takes, which come to rest on this machine [default: on]
    #[arg(long, value_name = "on|off")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) takes: Option<Switch>,

    /// How much of the disk takes may fill [default: 20GiB]
    #[arg(long, value_name = "SIZE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) takes_quota: Option<Size>,

    /// Days after which a take is deleted [default: 30]
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) takes_days: Option<u32>,

    /// Reads settings from a TOML file
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
    /// Threads that forward media, if it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workers: Option<NonZeroU16>,
    /// Where participants reach media, if not there.
    #[serde(deserialize_with = "list")]
    pub(crate) advertise: Vec<SocketAddr>,
    /// Pages that may join beside those that are this server's by their name.
    #[serde(deserialize_with = "list")]
    pub(crate) origins: Vec<String>,
    /// Proxies that are believed when they say whom a request comes from.
    #[serde(deserialize_with = "list")]
    pub(crate) trusted_proxies: Vec<String>,
    /// Where keys and takes are kept.
    pub(crate) data: PathBuf,
    /// Whether rooms can record takes.
    pub(crate) takes: Switch,
    /// How much of the disk takes may fill.
    pub(crate) takes_quota: Size,
    /// Days after which a take is deleted.
    pub(crate) takes_days: u32,
    /// WebSockets at once.
    pub(crate) connections_max: usize,
    /// Participants at once.
    pub(crate) participants_max: usize,
    /// Rooms at once.
    pub(crate) rooms_max: usize,
    /// Connections, and participants, from one address.
    pub(crate) per_address_max: usize,
    /// Packets per second, in and out, up to which a worker is given more to do.
    pub(crate) worker_packets_max: u32,
    /// Accounts, and where they are kept.
    pub(crate) social: SocialSettings,
}

impl Settings {
    /// Asks everybody who may say something.
    pub(crate) fn read(flags: &Flags) -> anyhow::Result<Self> {
        let from_environment = || environment("config").map(PathBuf::from);
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

    /// How many threads forward media.
    pub(crate) fn workers(&self) -> NonZeroU16 {
        self.workers.unwrap_or_else(sfu_server::workers_by_cores)
    }

    /// Bounds of takes.
    pub(crate) fn takes_limits(&self) -> takes_server::limits::Limits {
        takes_server::limits::Limits {
            quota_bytes: self.takes_quota.0,
            days_kept: self.takes_days,
            ..Default::default()
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        for address in &self.advertise {
            let is_usable = !address.ip().is_unspecified() && address.port() != 0;
            ensure!(is_usable, "advertise: participants cannot send to {address}");
        }
        for origin in &self.origins {
            let host = origin.split_once("://").map(|(_, host)| host);
            let is_origin = host.is_some_and(|host| !host.is_empty() && !host.contains('/'));
            ensure!(is_origin, "origins: {origin:?} is not of the form https://jam.example");
        }
        trusted_proxies::read(&self.trusted_proxies)?;
        let limits =
            [self.connections_max, self.participants_max, self.rooms_max, self.per_address_max];
        let nobody = limits.contains(&0) || self.worker_packets_max == 0;
        ensure!(!nobody, "a limit of 0 lets nobody in");
        self.social.check()?;
        ensure!(self.takes_days != 0, "takes_days: 0 keeps none; say `takes = \"off\"` instead");
        let participants_max = self.participants_max;
        ensure!(
            participants_max <= LINKS_MAX,
            "participants_max: {participants_max} are more than the {LINKS_MAX} that media takes"
        );
        Ok(())
    }
}

impl Default for Settings {
    fn default() -> Self {
        let limits = signalling::limits::Limits::default();
        let takes = takes_server::limits::Limits::default();
        Self {
            http: SocketAddr::from(([127, 0, 0, 1], HTTP_PORT)),
            media: None,
            workers: None,
            advertise: Vec::new(),
            origins: Vec::new(),
            trusted_proxies: trusted_proxies::on_this_machine(),
            data: data_folder(),
            takes: Switch::On,
            takes_quota: Size(takes.quota_bytes),
            takes_days: takes.days_kept,
            connections_max: limits.connections_max,
            participants_max: limits.participants_max,
            rooms_max: limits.rooms_max,
            per_address_max: limits.per_address_max,
            worker_packets_max: sfu_server::limits::PACKETS_PER_SECOND_MAX,
            social: SocialSettings::default(),
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
    let said: Vec<_> = KEYS.into_iter().filter(|key| environment(key).is_some()).collect();
    let environment = Env::prefixed("VJAM_").only(&said);
    let figment = figment.merge(environment).merge(settings_social::from_environment());
    figment.merge(Serialized::defaults(flags))
}

/// The variable of a key. An empty one says nothing: a service's file may have `VJAM_ADVERTISE=`.
pub(crate) fn environment(key: &str) -> Option<OsString> {
    let name = format!("VJAM_{}", key.to_ascii_uppercase());
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// What may stand in the file and in the environment.
const KEYS: [&str; 15] = [
    "http",
    "media",
    "workers",
    "advertise",
    "origins",
    "trusted_proxies",
    "data",
    "takes",
    "takes_quota",
    "takes_days",
    "connections_max",
    "participants_max",
    "rooms_max",
    "per_address_max",
    "worker_packets_max",
];

/// What `vjam help serve` says below the flags.
pub(crate) const HELP: &str = "\
Settings, where they may stand, and their defaults:
  flag         variable                 key in the file     default
  --http       VJAM_HTTP                http                127.0.0.1:7880
  --media      VJAM_MEDIA               media               see above
  --workers    VJAM_WORKERS             workers             one per core
  --advertise  VJAM_ADVERTISE           advertise           the machine's addresses
  --origin     VJAM_ORIGINS             origins             none
  --trusted-proxy  VJAM_TRUSTED_PROXIES  trusted_proxies    127.0.0.0/8,::1/128
  --data       VJAM_DATA                data                see above
  --takes      VJAM_TAKES               takes               on
  --takes-quota  VJAM_TAKES_QUOTA       takes_quota         20GiB
  --takes-days   VJAM_TAKES_DAYS        takes_days          30
  --config     VJAM_CONFIG                                  none
               VJAM_CONNECTIONS_MAX     connections_max     1000
               VJAM_PARTICIPANTS_MAX    participants_max    800, at most 1024
               VJAM_ROOMS_MAX           rooms_max           400
               VJAM_PER_ADDRESS_MAX     per_address_max     64
               VJAM_WORKER_PACKETS_MAX  worker_packets_max  300000

And of accounts, below [social] in the file:
  variable                 key in the file  default
  VJAM_SOCIAL_ACCOUNTS     accounts         on
  VJAM_SOCIAL_DATABASE     database         sqlite:DATA/social.sqlite; or postgres://...
  VJAM_SOCIAL_REGION       region           eu; or us
  VJAM_SOCIAL_SMTP         smtp             none: smtps://USER:PASSWORD@HOST
  VJAM_SOCIAL_MAIL_FROM    mail_from        none: vjam <noreply@jam.example>
  VJAM_SOCIAL_BCRYPT_COST  bcrypt_cost      12
  VJAM_SOCIAL_CONTACT      contact          none: whom to write to about privacy
  VJAM_SOCIAL_CRASH_KEY    crash_key        none: 32 digits, for SDKs of Sentry that report crashes
  VJAM_SOCIAL_QUOTA        quota            1GiB of files for each account
  VJAM_SOCIAL_OBJECTS      objects          the folder DATA/objects; or s3://BUCKET, and with it:
  VJAM_SOCIAL_OBJECTS_ENDPOINT    objects_endpoint    Amazon's; or https://HOST
  VJAM_SOCIAL_OBJECTS_REGION      objects_region      us-east-1
  VJAM_SOCIAL_OBJECTS_ACCESS_KEY  objects_access_key  none
  VJAM_SOCIAL_OBJECTS_SECRET_KEY  objects_secret_key  none
  VJAM_SOCIAL_OBJECTS_ENCRYPTION  objects_encryption  AES256; or aws:kms:KEY
  VJAM_SOCIAL_ERASURE_DAYS  erasure_days    30, until an account is erased whose owner asked
  VJAM_SOCIAL_GIPHY_KEY     giphy_key       none: of GIPHY, for GIFs in chats
  VJAM_SOCIAL_GIPHY_RATING  giphy_rating    g; or y, pg, pg-13, r: nothing beyond is shown
  VJAM_SOCIAL_GIPHY_API     giphy_api       https://api.giphy.com; another one for tests
  VJAM_SOCIAL_PUSH          push            on; or off: browsers are told nothing while no page is open
  VJAM_SOCIAL_PUSH_HOSTS    push_hosts      none: push services beside Mozilla's, Google's, Apple's, Microsoft's
  VJAM_SOCIAL_IDENTITY     identity         none; [{id=\"google\",kind=\"google\",client_id=..}]

A flag wins over the variable, that over the file. Lists are [\"a\", \"b\"] in the file and a,b in a
variable; an empty variable says nothing. per_address_max bounds connections and participants
from one address (64 bits of an IPv6 one); a proxy on another machine is named in trusted_proxies, or
everybody has its address. worker_packets_max is how many packets a second, in and out, a worker may be given to
forward (`vjam bench sfu` measures what this machine can). RUST_LOG chooses what is logged.";

/// A list, or one text with commas as an environment variable has it.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        List(Vec<String>),
        One(String),
    }
    let parse = |text: &str| {
        let wrong = |error: T::Err| format!("{text:?}: {error}");
        text.trim().parse::<T>().map_err(wrong).map_err(serde::de::Error::custom)
    };
    match Texts::deserialize(deserializer)? {
        Texts::List(texts) => texts.iter().map(|text| parse(text)).collect(),
        Texts::One(text) => text.split(',').map(parse).collect(),
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

    /// Every key, a value as the file has it, and the same as a variable has it.
    const SAID: [(&str, &str, &str); 15] = [
        ("http", "\"127.0.0.1:1\"", "127.0.0.1:1"),
        ("media", "\"[::1]:5000\"", "[::1]:5000"),
        ("workers", "3", "3"),
        ("advertise", "[\"203.0.113.5:1\", \"203.0.113.6:2\"]", "203.0.113.5:1, 203.0.113.6:2"),
        ("origins", "[\"https://a.example\"]", "https://a.example"),
        ("trusted_proxies", "[\"10.0.0.7\", \"10.1.0.0/16\"]", "10.0.0.7,10.1.0.0/16"),
        ("data", "\"/somewhere\"", "/somewhere"),
        ("takes", "\"off\"", "off"),
        ("takes_quota", "\"3GiB\"", "3221225472"),
        ("takes_days", "10", "10"),
        ("connections_max", "11", "11"),
        ("participants_max", "12", "12"),
        ("rooms_max", "13", "13"),
        ("per_address_max", "14", "14"),
        ("worker_packets_max", "15", "15"),
    ];

    #[test]
    fn every_setting_can_stand_in_the_file_and_in_the_environment() {
        let variable = |key: &str| format!("VJAM_{}", key.to_uppercase());
        assert_eq!(SAID.map(|(key, ..)| key), KEYS, "all of them");
        for (key, in_file, in_environment) in SAID {
            Jail::expect_with(|jail| {
                let none = Flags::default();
                let defaults = read(&none, None)?;
                jail.create_file("vjam.toml", &format!("{key} = {in_file}\n"))?;
                let from_file = read(&none, Some("vjam.toml"))?;
                assert_ne!(from_file, defaults, "{key} in the file changes something");
                // Nothing, and somebody else's.
                jail.set_env(variable(key), "");
                jail.set_env("VJAM_SEED", "1");
                assert_eq!(read(&none, None)?, defaults, "an empty {key} is none");
                jail.set_env(variable(key), in_environment);
                assert_eq!(read(&none, None)?, from_file, "{key} means the same there");
                Ok(())
            });
            assert!(HELP.contains(&variable(key)), "{key} is not in the help");
        }
        assert!(HELP.contains("VJAM_CONFIG"));
    }

    #[test]
    fn the_file_can_be_named_in_the_environment() {
        Jail::expect_with(|jail| {
            jail.create_file("vjam.toml", "rooms_max = 7\n")?;
            jail.set_env("VJAM_CONFIG", "vjam.toml");
            let settings = Settings::read(&Flags::default()).expect("good settings");
            assert_eq!(settings.rooms_max, 7);
            jail.set_env("VJAM_CONFIG", "");
            let settings = Settings::read(&Flags::default()).expect("no file");
            assert_eq!(settings.rooms_max, 400);
            Ok(())
        });
    }

    #[test]
    fn the_help_tells_the_defaults() {
        let Settings {
            connections_max,
            participants_max,
            rooms_max,
            per_address_max,
            worker_packets_max,
            takes,
            takes_quota,
            takes_days,
            ..
        } = Settings::default();
        for (flag, default) in [
            ("--takes", takes.to_string()),
            ("--takes-quota", takes_quota.to_string()),
            ("--takes-days", takes_days.to_string()),
        ] {
            let said = HELP.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            let line = said.into_iter().find(|words| words.first() == Some(&flag));
            assert_eq!(line.expect("a line")[3], default, "{flag}");
        }
        for (key, default) in [
            ("connections_max", connections_max),
            ("participants_max", participants_max),
            ("rooms_max", rooms_max),
            ("per_address_max", per_address_max),
            ("worker_packets_max", usize::try_from(worker_packets_max).expect("64 bits")),
        ] {
            let line = HELP.lines().find(|line| line.contains(&format!(" {key} ")));
            let words: Vec<_> = line.expect("a line").split_whitespace().collect();
            assert_eq!(words[2].trim_end_matches(','), default.to_string(), "{key}");
        }
        assert!(HELP.contains(&format!("at most {LINKS_MAX}")));
    }

    #[test]
    fn what_cannot_be_served_is_refused() {
        let refused = |settings: Settings| settings.check().expect_err("refused").to_string();
        let many = Settings { participants_max: LINKS_MAX + 1, ..Settings::default() };
        assert!(refused(many).contains("1025"));
        let most = Settings { participants_max: LINKS_MAX, ..Settings::default() };
        assert!(most.check().is_ok());
        let none = Settings { per_address_max: 0, ..Settings::default() };
        assert!(refused(none).contains('0'));
        for wrong in ["jam.example", "https://", "https://jam.example/", "*"] {
            let origins = vec![wrong.to_owned()];
            assert!(refused(Settings { origins, ..Settings::default() }).contains(wrong));
        }
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
