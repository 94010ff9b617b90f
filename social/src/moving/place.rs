//! A server that an account moves from or to: what is kept there, opened beside it.
//!
//! What surprises: this is less than what a server opens. It says nothing of a page about privacy, since
//! whoever moves an account may be told less than the server is, and everybody would be mailed.

use std::sync::Arc;

use crate::account::Region;
use crate::account::identity::Providers;
use crate::clock::Clock;
use crate::id::AccountId;
use crate::limits::FILES_PAGE_MAX;
use crate::mail::{Mailer, Templates, Transport};
use crate::objects::Objects;
use crate::secret::{Purpose, ServerKey, equal};
use crate::store::{Conn, DatabaseUrl, Db, StoreError, StoredFile};
use crate::{Config, StartError};

/// What a server keeps.
#[derive(Debug)]
pub struct Place {
    /// Its database.
    pub db: Db,
    pub(super) database: DatabaseUrl,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) key: ServerKey,
    pub(super) region: Region,
    pub(super) objects: Objects,
    pub(super) quota_bytes: i64,
    pub(super) mailer: Mailer,
    pub(super) providers: Providers,
}

impl Place {
    /// Opens what the server of this configuration keeps.
    ///
    /// # Errors
    /// When something of it does not open.
    pub async fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let templates = Arc::new(Templates::read(config.templates.as_deref())?);
        let can_send = Transport::new(&config.mail)?.can_send();
        let providers = Providers::new(&config.identity, &clock)?;
        let db = Db::open(&config.database, clock.now()).await?;
        let mut tx = db.begin().await?;
        if !tx.is_server_key(&config.key.keyed_hash(Purpose::Key, b"server key")).await? {
            return Err(StartError::OtherKey { database: config.database.clone() });
        }
        tx.commit().await?;
        Ok(Self {
            db,
            database: config.database.clone(),
            objects: Objects::open(&config.objects, clock.now()).await?,
            clock,
            key: config.key.clone(),
            region: config.region,
            quota_bytes: config.quota_bytes,
            mailer: Mailer::new(templates, can_send),
            providers,
        })
    }

    /// Whether it is the other one, or says so: each server has a key of its own.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let hash = |place: &Self| place.key.keyed_hash(Purpose::Key, b"server key");
        self.database == other.database || equal(&hash(self), &hash(other))
    }

    /// All files of somebody.
    pub(super) async fn files_of(&self, account: AccountId) -> Result<Vec<StoredFile>, StoreError> {
        files(&mut self.db.read().await?, account).await
    }
}

/// All files of somebody, the newest first: as many as their quota lets them have.
pub(super) async fn files(
    conn: &mut Conn,
    account: AccountId,
) -> Result<Vec<StoredFile>, StoreError> {
    let mut files: Vec<StoredFile> = Vec::new();
    loop {
        let before = files.last().map(|file| file.id);
        let page = conn.files_of(account, before, FILES_PAGE_MAX).await?;
        if page.is_empty() {
            return Ok(files);
        }
        files.extend(page);
    }
}
