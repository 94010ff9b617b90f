//! What somebody who runs a server says, and who else gets something by that.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::account::Region;
use crate::account::identity::{self, ProviderConfig};
use crate::gifs::Giphy;
use crate::limits::{ANSWER_FLOOR, BCRYPT_COST_MIN, ERASURE_DELAY_MAX, QUOTA_BYTES};
use crate::mail::MailConfig;
use crate::objects::ObjectsConfig;
use crate::policy::Processor;
use crate::push::PushConfig;
use crate::secret::ServerKey;
use crate::store::DatabaseUrl;

/// What somebody who runs a server says.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything is kept.
    pub database: DatabaseUrl,
    /// Whose accounts are kept here.
    pub region: Region,
    /// What makes hashes and codes useless without it. It lies elsewhere than the database, and is the
    /// same for all servers of one.
    pub key: ServerKey,
    /// What a password costs.
    pub bcrypt_cost: u32,
    /// How mail is sent.
    pub mail: MailConfig,
    /// A folder with mails in more languages.
    pub templates: Option<PathBuf>,
    /// How long an account waits to be erased, from when its owner asked for it.
    pub erasure_delay: Duration,
    /// Where this server keeps what lies beside the database.
    pub folder: PathBuf,
    /// How fast an answer comes at the earliest that must not tell whether an address has an account.
    pub answer_floor: Duration,
    /// Whom to write to about what is kept of somebody.
    pub contact: Option<String>,
    /// What a program shows that reports a crash; none where nobody may.
    pub crash_key: Option<String>,
    /// Where files are kept.
    pub objects: ObjectsConfig,
    /// Bytes that the files of one account may have.
    pub quota_bytes: i64,
    /// How the pages of whoever agreed ask for GIFs; none where there are none.
    pub giphy: Option<Giphy>,
    /// With whom people can sign in beside a password.
    pub identity: Vec<ProviderConfig>,
    /// How browsers are told what happens while no page is open.
    pub push: PushConfig,
}

impl Config {
    /// The embedded default: a file, and no mail.
    #[must_use]
    pub fn embedded(file: PathBuf, key: ServerKey) -> Self {
        let folder = file.with_file_name("objects");
        Self {
            folder: file.parent().map(Path::to_path_buf).unwrap_or_default(),
            erasure_delay: ERASURE_DELAY_MAX,
            database: DatabaseUrl::Sqlite(file),
            region: Region::Eu,
            key,
            bcrypt_cost: BCRYPT_COST_MIN,
            mail: MailConfig::default(),
            templates: None,
            answer_floor: ANSWER_FLOOR,
            contact: None,
            crash_key: None,
            objects: ObjectsConfig::Disk(folder),
            quota_bytes: QUOTA_BYTES,
            giphy: None,
            identity: Vec::new(),
            push: PushConfig::default(),
        }
    }

    /// Whom push services may write to, if anything is pushed.
    pub(crate) fn push_subject(&self) -> Option<String> {
        self.push.subject(self.contact.as_deref(), &self.mail)
    }

    /// Who else gets something of what is kept.
    pub(crate) fn processors(&self) -> Vec<Processor> {
        let mail = self.mail.host().map(|name| Processor {
            name,
            purpose: "Delivers mails".into(),
            gets: "E-mail addresses, and what the mails say".into(),
        });
        let files = match &self.objects {
            ObjectsConfig::Disk(_) => None,
            ObjectsConfig::S3(config) => Some(Processor {
                name: config.endpoint.clone().unwrap_or_else(|| "Amazon S3".into()),
                purpose: "Keeps files".into(),
                gets: "Recordings and pictures, encrypted where they lie".into(),
            }),
        };
        let gifs = self.giphy.as_ref().map(|_| Processor {
            name: "GIPHY".into(),
            purpose: "Shows GIFs, to those who agreed to that".into(),
            gets: "The address of their device and what they look for, from their own browser"
                .into(),
        });
        let identity = identity::processors(&self.identity);
        let push = self.push_subject().map(|_| self.push.processor());
        mail.into_iter().chain(files).chain(gifs).chain(push).chain(identity).collect()
    }
}
