//! What `vjam serve` can be told of accounts: the section `[social]` of the file, and the variables
//! `VJAM_SOCIAL_...`.
//!
//! Nothing here has a flag: several of the values hold secrets, which everybody on the machine could
//! read in the list of processes.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use figment::providers::Env;
use serde::{Deserialize, Serialize};
use social::account::Region;
use social::account::identity::{self, ProviderConfig};
use social::gifs::{GIPHY_API, GifRating, Giphy};
use social::limits::{BCRYPT_COST_MAX, BCRYPT_COST_MIN, QUOTA_BYTES};
use social::mail::MailConfig;
use social::objects::{Encryption, ObjectsConfig, S3Config};
use social::push::{PushConfig, PushSwitch};
use social::secret::ServerKey;
use social::store::DatabaseUrl;

use crate::settings::{environment, list};
use crate::settings_identity::{IdentitySettings, Secret};
use crate::size::{Size, Switch};

/// Accounts, and where they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SocialSettings {
    /// Whether there are any.
    pub(crate) accounts: Switch,
    /// Where they are, if not in a file of the data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<Secret>,
    /// Whose accounts they are.
    region: Region,
    /// The mail server, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    smtp: Option<Secret>,
    /// Whom mails come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    mail_from: Option<String>,
    /// What a password costs.
    bcrypt_cost: u32,
    /// Whom to write to about what is kept, as the page about privacy says.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<String>,
    /// What a program shows that reports a crash, if any may: it stands in the programs' DSN, so it is no
    /// secret, and keeps away only whoever does not look.
    #[serde(skip_serializing_if = "Option::is_none")]
    crash_key: Option<String>,
    /// Where files are, if not in a folder of the data folder: `s3://BUCKET`.
    #[serde(skip_serializing_if = "Option::is_none")]
    objects: Option<String>,
    /// The server of the bucket, if it is not Amazon's.
    #[serde(skip_serializing_if = "Option::is_none")]
    objects_endpoint: Option<String>,
    /// Where the bucket is.
    objects_region: String,
    /// Who asks for the bucket's objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    objects_access_key: Option<Secret>,
    /// What they sign with.
    #[serde(skip_serializing_if = "Option::is_none")]
    objects_secret_key: Option<Secret>,
    /// How the bucket encrypts.
    objects_encryption: Secret,
    /// How much the files of one account may be.
    quota: Size,
    /// How many days an account waits to be erased.
    erasure_days: u32,
    /// What GIPHY gave to whoever runs the server. Whoever agreed is told it, so it is no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    giphy_key: Option<String>,
    /// Nothing beyond this is shown.
    giphy_rating: GifRating,
    /// Where GIPHY is asked; another one for tests only.
    giphy_api: String,
    /// With whom people can sign in beside a password.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identity: Vec<IdentitySettings>,
    /// Whether browsers are told what happens while no page is open.
    push: Switch,
    /// Push services beside those that browsers are known to use.
    #[serde(deserialize_with = "list", skip_serializing_if = "Vec::is_empty")]
    push_hosts: Vec<String>,
}

impl Default for SocialSettings {
    fn default() -> Self {
        Self {
            accounts: Switch::On,
            database: None,
            region: Region::Eu,
            smtp: None,
            mail_from: None,
            bcrypt_cost: BCRYPT_COST_MIN,
            contact: None,
            crash_key: None,
            objects: None,
            objects_endpoint: None,
            objects_region: "us-east-1".into(),
            objects_access_key: None,
            objects_secret_key: None,
            objects_encryption: Secret("AES256".into()),
            quota: Size(QUOTA_BYTES.cast_unsigned()),
            erasure_days: ERASURE_DAYS_MAX,
            giphy_key: None,
            giphy_rating: GifRating::G,
            giphy_api: GIPHY_API.into(),
            identity: Vec::new(),
            push: Switch::On,
            push_hosts: Vec::new(),
        }
    }
}

impl SocialSettings {
    /// Whether all of it is in the data folder, because nobody said anything else.
    pub(crate) const fn is_embedded(&self) -> bool {
        self.database.is_none() && self.objects.is_none()
    }

    /// Where they are.
    pub(crate) fn database(&self, data: &Path) -> anyhow::Result<DatabaseUrl> {
        match &self.database {
            Some(Secret(url)) => url.parse().context("social.database"),
            None => Ok(DatabaseUrl::Sqlite(data.join("social.sqlite"))),
        }
    }

    /// Where files are.
    fn objects(&self, data: &Path) -> anyhow::Result<ObjectsConfig> {
        let Some(url) = &self.objects else {
            return Ok(ObjectsConfig::Disk(data.join("objects")));
        };
        let bucket = url.strip_prefix("s3://").filter(|name| is_bucket(name));
        let bucket = bucket.context("social.objects: this is not of the form s3://BUCKET")?;
        let Secret(encryption) = &self.objects_encryption;
        let key = |name: &str, key: &Option<Secret>| {
            let Some(Secret(key)) = key else {
                anyhow::bail!("social.{name} is needed where files are in a bucket")
            };
            Ok(key.clone())
        };
        let config = S3Config {
            endpoint: self.objects_endpoint.clone(),
            bucket: bucket.to_owned(),
            region: self.objects_region.clone(),
            access_key: key("objects_access_key", &self.objects_access_key)?,
            secret_key: key("objects_secret_key", &self.objects_secret_key)?,
            encryption: encryption.parse::<Encryption>().context("social.objects_encryption")?,
        };
        config.check().context("social.objects_endpoint")?;
        Ok(ObjectsConfig::S3(config))
    }

    /// How GIPHY is asked, if it is.
    fn giphy(&self) -> Option<Giphy> {
        let (rating, api) = (self.giphy_rating, self.giphy_api.clone());
        self.giphy_key.clone().map(|key| Giphy { key, rating, api })
    }

    /// Origins of others that pages may ask, and show pictures from.
    pub(crate) fn asked_elsewhere(&self) -> Vec<String> {
        match self.giphy() {
            None => Vec::new(),
            Some(giphy) if giphy.api == GIPHY_API => vec![giphy.api, GIPHY_MEDIA.into()],
            Some(giphy) => vec![giphy.api],
        }
    }

    /// All of it, as the accounts want it. `dev` has mails written to the log where there is no server
    /// for them.
    pub(crate) fn config(
        &self,
        data: &Path,
        key: ServerKey,
        dev: bool,
    ) -> anyhow::Result<social::Config> {
        let mut config = social::Config::embedded(data.join("social.sqlite"), key);
        config.database = self.database(data)?;
        config.region = self.region;
        config.bcrypt_cost = self.bcrypt_cost;
        config.mail = MailConfig {
            smtp: self.smtp.as_ref().map(|Secret(url)| url.clone()),
            from: self.mail_from.clone(),
            to_log: dev,
        };
        config.contact.clone_from(&self.contact);
        config.crash_key.clone_from(&self.crash_key);
        config.erasure_delay = Duration::from_secs(u64::from(self.erasure_days) * DAY);
        config.folder = data.to_path_buf();
        config.templates = Some(data.join("mail"));
        config.objects = self.objects(data)?;
        config.quota_bytes = i64::try_from(self.quota.0).unwrap_or(i64::MAX);
        config.giphy = self.giphy();
        config.identity = self.identity();
        config.push = self.push();
        Ok(config)
    }

    fn push(&self) -> PushConfig {
        let switch = match self.push {
            Switch::On => PushSwitch::On,
            Switch::Off => PushSwitch::Off,
        };
        PushConfig { switch, hosts: self.push_hosts.clone(), ..PushConfig::default() }
    }

    fn identity(&self) -> Vec<ProviderConfig> {
        self.identity.iter().map(IdentitySettings::config).collect()
    }

    /// What can be said without opening anything.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let cost = self.bcrypt_cost;
        ensure!(
            (BCRYPT_COST_MIN..=BCRYPT_COST_MAX).contains(&cost),
            "social.bcrypt_cost: {cost} is not between {BCRYPT_COST_MIN} and {BCRYPT_COST_MAX}"
        );
        let is_key = |key: &String| key.len() == 32 && key.bytes().all(|b| b.is_ascii_hexdigit());
        ensure!(
            self.crash_key.as_ref().is_none_or(is_key),
            "social.crash_key: it has 32 hexadecimal digits, as `openssl rand -hex 16` gives them"
        );
        self.objects(Path::new(""))?;
        identity::check(&self.identity())?;
        self.push().check().context("social.push_hosts")?;
        let days = self.erasure_days;
        ensure!(
            days <= ERASURE_DAYS_MAX,
            "social.erasure_days: {days} is more than {ERASURE_DAYS_MAX}, which people are promised"
        );
        let is_word =
            |key: &String| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric());
        ensure!(
            self.giphy_key.as_ref().is_none_or(is_word),
            "social.giphy_key: it has letters and digits only, as GIPHY gives it"
        );
        ensure!(
            is_origin(&self.giphy_api),
            "social.giphy_api: this is not of the form https://HOST (http:// for a test)"
        );
        self.database(Path::new("")).map(drop)
    }
}

/// Whether a bucket can be called so.
fn is_bucket(name: &str) -> bool {
    let is_good =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    !name.is_empty() && name.bytes().all(is_good)
}

/// Whether something can be asked, and nothing stands behind the host.
fn is_origin(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(is_good))
}

/// `VJAM_SOCIAL_DATABASE` is `social.database`. Those that are not there, or empty, say nothing.
pub(crate) fn from_environment() -> Env {
    let said = |key: &&str| environment(&format!("social_{key}")).is_some();
    let said: Vec<_> = KEYS.into_iter().filter(said).collect();
    Env::prefixed("VJAM_SOCIAL_").only(&said).map(|key| format!("social.{key}").into()).split(".")
}

/// What may stand in the section, and in the environment.
const KEYS: [&str; 22] = [
    "accounts",
    "database",
    "region",
    "smtp",
    "mail_from",
    "bcrypt_cost",
    "contact",
    "crash_key",
    "objects",
    "objects_endpoint",
    "objects_region",
    "objects_access_key",
    "objects_secret_key",
    "objects_encryption",
    "quota",
    "erasure_days",
    "giphy_key",
    "giphy_rating",
    "giphy_api",
    "identity",
    "push",
    "push_hosts",
];

/// Where GIPHY's pictures are.
const GIPHY_MEDIA: &str = "https://*.giphy.com";

/// The longest that an account may wait to be erased.
const ERASURE_DAYS_MAX: u32 = 30;

/// A day, in seconds.
const DAY: u64 = 24 * 60 * 60;

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "figment's Jail gives figment's error")]
mod tests {
    use figment::Jail;

    use super::*;
    use crate::settings::{Flags, HELP, Settings};

    const SAID: [(&str, &str, &str); 22] = [
        ("accounts", "\"off\"", "off"),
        ("database", "\"postgres://u:s3cret@db.example/x\"", "postgres://u:s3cret@db.example/x"),
        ("region", "\"us\"", "us"),
        ("smtp", "\"smtps://u:s3cret@mail.example\"", "smtps://u:s3cret@mail.example"),
        ("mail_from", "\"vjam <noreply@jam.example>\"", "vjam <noreply@jam.example>"),
        ("bcrypt_cost", "13", "13"),
        ("contact", "\"privacy@jam.example\"", "privacy@jam.example"),
        ("crash_key", "\"0123456789abcdef0123456789abcdef\"", "0123456789abcdef0123456789abcdef"),
        ("objects", "\"s3://jam\"", "s3://jam"),
        ("objects_endpoint", "\"https://s3.example\"", "https://s3.example"),
        ("objects_region", "\"eu-central-1\"", "eu-central-1"),
        ("objects_access_key", "\"AKs3cret\"", "AKs3cret"),
        ("objects_secret_key", "\"SKs3cret\"", "SKs3cret"),
        ("objects_encryption", "\"aws:kms:s3cret\"", "aws:kms:s3cret"),
        ("quota", "\"2GiB\"", "2GiB"),
        ("erasure_days", "7", "7"),
        ("giphy_key", "\"abc123\"", "abc123"),
        ("giphy_rating", "\"pg-13\"", "pg-13"),
        ("giphy_api", "\"http://127.0.0.1:8077\"", "http://127.0.0.1:8077"),
        ("identity", GOOGLE, GOOGLE),
        ("push", "\"off\"", "off"),
        ("push_hosts", "[\"push.example.org\", \"*.up.example\"]", "push.example.org,*.up.example"),
    ];

    const GOOGLE: &str = r#"[{id="google",kind="google",client_id="x",client_secret="s3cret"}]"#;

    /// What has to stand beside a key.
    fn beside(key: &str) -> &'static str {
        match key {
            "objects" => "objects_access_key = \"a\"\nobjects_secret_key = \"b\"\n",
            _ => "",
        }
    }

    fn read(file: Option<&str>) -> anyhow::Result<SocialSettings> {
        let flags = Flags { config: file.map(Into::into), ..Flags::default() };
        Ok(Settings::read(&flags)?.social)
    }

    #[test]
    fn every_setting_can_stand_in_the_file_and_in_the_environment() {
        assert_eq!(SAID.map(|(key, ..)| key), KEYS, "all of them");
        for (key, in_file, in_environment) in SAID {
            Jail::expect_with(|jail| {
                jail.create_file("beside.toml", &format!("[social]\n{}", beside(key)))?;
                let defaults = read(Some("beside.toml")).expect("good");
                let file = format!("[social]\n{}{key} = {in_file}\n", beside(key));
                jail.create_file("vjam.toml", &file)?;
                let from_file = read(Some("vjam.toml")).expect("good");
                assert_ne!(from_file, defaults, "{key} in the file changes something");
                let variable = format!("VJAM_SOCIAL_{}", key.to_uppercase());
                jail.set_env(&variable, "");
                let there = read(Some("beside.toml")).expect("good");
                assert_eq!(there, defaults, "an empty {key} is none");
                jail.set_env(&variable, in_environment);
                let there = read(Some("beside.toml")).expect("good");
                assert_eq!(there, from_file, "{key} means the same there");
                assert!(HELP.contains(&variable), "{variable} is not in the help");
                assert!(!format!("{from_file:?}").contains("s3cret"), "{from_file:?}");
                Ok(())
            });
        }
        let cost = format!("bcrypt_cost      {}", SocialSettings::default().bcrypt_cost);
        assert!(HELP.contains(&cost), "the help tells the default");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, word) in [
            ("bcrypt_cost = 11", "social.bcrypt_cost"),
            ("erasure_days = 31", "social.erasure_days"),
            ("database = \"mysql://x\"", "social.database"),
            ("region = \"mars\"", "mars"),
            ("smpt = \"x\"", "smpt"),
            ("crash_key = \"x\"", "social.crash_key"),
            ("objects = \"http://x\"", "social.objects:"),
            ("objects = \"s3://\"", "social.objects:"),
            ("objects = \"s3://jam\"", "social.objects_access_key"),
            (
                "objects = \"s3://jam\"\nobjects_access_key = \"a\"\nobjects_secret_key = \"b\"\n\
                 objects_encryption = \"none\"",
                "social.objects_encryption",
            ),
            (
                "objects = \"s3://jam\"\nobjects_access_key = \"a\"\nobjects_secret_key = \"b\"\n\
                 objects_endpoint = \"http://s3.example\"",
                "social.objects_endpoint",
            ),
            ("quota = \"lots\"", "lots"),
            ("push = \"perhaps\"", "perhaps"),
            ("push_hosts = [\"https://push.example.org\"]", "social.push_hosts"),
            ("push_hosts = [\"*.com\"]", "social.push_hosts"),
            ("giphy_key = \"a&b\"", "social.giphy_key"),
            ("giphy_rating = \"x\"", "giphy_rating"),
            ("giphy_api = \"https://x.example/v1\"", "social.giphy_api"),
            ("giphy_api = \"https://x.example; script-src *\"", "social.giphy_api"),
            ("[[social.identity]]\nid = \"x\"\nkind = \"oidc\"\nclient_id = \"y\"", "`issuer`"),
            ("[[social.identity]]\nid = \"x\"\nkind = \"oidc\"\nclientid = \"y\"", "clientid"),
            (
                "[[social.identity]]\nid = \"x\"\nkind = \"apple\"\nclient_id = \"y\"",
                "`private_key`",
            ),
            ("[[social.identity]]\nid = \"x\"\nkind = \"myspace\"\nclient_id = \"y\"", "myspace"),
        ] {
            Jail::expect_with(|jail| {
                jail.create_file("vjam.toml", &format!("[social]\n{line}\n"))?;
                let error = format!("{:#}", read(Some("vjam.toml")).expect_err("wrong"));
                assert!(error.contains(word), "{error}");
                Ok(())
            });
        }
    }

    #[test]
    fn pages_ask_giphy_where_it_is_set_up_only() {
        let mut settings = SocialSettings::default();
        assert_eq!(settings.asked_elsewhere(), Vec::<String>::new());
        settings.giphy_key = Some("abc".into());
        assert_eq!(settings.asked_elsewhere(), ["https://api.giphy.com", "https://*.giphy.com"]);
        settings.giphy_api = "http://127.0.0.1:8077".into();
        assert_eq!(settings.asked_elsewhere(), ["http://127.0.0.1:8077"]);
    }

    #[test]
    fn nothing_said_is_a_file_of_the_data_folder() {
        let settings = SocialSettings::default();
        let database = settings.database(Path::new("/data")).expect("good");
        assert_eq!(database, DatabaseUrl::Sqlite("/data/social.sqlite".into()));
        assert!(settings.is_embedded());
        let objects = settings.objects(Path::new("/data")).expect("good");
        assert_eq!(objects.to_string(), "the folder /data/objects");
    }
}
