//! What the routes share, and how it comes to be.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use crate::account::identity::{self, End, Providers, WrongProvider};
use crate::account::{CostNotAllowed, Passwords, Rates, Region};
use crate::chat;
use crate::clean::{self, Clean};
use crate::clock::{Clock, UnixMs};
use crate::config::Config;
use crate::erasure::{self, Erase, Eraser, Ledger};
use crate::export::{self, Archives, Folder, Make};
use crate::files::{self, Audio, Orphans, Places, Remove};
use crate::gifs::Giphy;
use crate::id::AccountId;
use crate::jobs::Jobs;
use crate::limits::{ERASURE_DELAY_MAX, EXPORTS_AT_ONCE_MAX};
use crate::live::{Live, Note};
use crate::mail::{self, Deliver, Mailer, Templates, Transport, WrongMailConfig, WrongTemplates};
use crate::objects::{Objects, ObjectsError};
use crate::people::{PeopleRates, Photos};
use crate::policy::{self, Announce, Policy};
use crate::problem::{Problem, ProblemCode};
use crate::purge::{self, Purge};
use crate::push::{self, Push};
use crate::rooms::{RoomRates, StageSlot};
use crate::secret::{self, Hash, Purpose, ServerKey, Token, hex};
use crate::store::{DatabaseUrl, Db, OpenError, StoreError, Tx};

/// It does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key is not the one that the database was first opened with.
    #[error(
        "{database} was made with another key than the one of this server, and without that nobody's \
         device is known and no code is right: put the key back, from where the database came from or \
         from a backup, or choose another database"
    )]
    OtherKey {
        /// Which database.
        database: DatabaseUrl,
    },
    /// The cost of a password is wrong.
    #[error(transparent)]
    Cost(#[from] CostNotAllowed),
    /// An account would wait longer to be erased than is promised.
    #[error("erasure_days: an account is erased after 30 days at most, and this says later")]
    ErasureDelay,
    /// It is not known whose account was erased, or an account that was is there again.
    #[error("what was erased before cannot be told from what is there: {0}")]
    Replay(#[from] erasure::Failed),
    /// How mail is sent is wrong.
    #[error(transparent)]
    Mail(#[from] WrongMailConfig),
    /// What mails say is wrong.
    #[error(transparent)]
    Templates(#[from] WrongTemplates),
    /// Files cannot be kept.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    /// What is said of a provider that people sign in with is wrong.
    #[error(transparent)]
    Provider(#[from] WrongProvider),
    /// Browsers cannot be told anything.
    #[error(transparent)]
    Push(#[from] push::NotStarted),
}

/// What the routes share. Cloning it is cheap.
#[derive(Clone)]
pub struct Social(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Arc<dyn Clock>,
    key: ServerKey,
    region: Region,
    passwords: Passwords,
    rates: Rates,
    people: PeopleRates,
    photos: Photos,
    mailer: Mailer,
    answer_floor: Duration,
    crash_key: Option<String>,
    policy: Policy,
    erasure_delay: Duration,
    archives: Arc<dyn Archives>,
    wake: Arc<Notify>,
    chat_rates: chat::Rates,
    live: Live,
    objects: Objects,
    quota_bytes: i64,
    giphy: Option<Giphy>,
    places: Places,
    providers: Providers,
    room_rates: RoomRates,
    push: Push,
}

impl Social {
    /// Opens the database, and says what is to be done later by whom.
    ///
    /// # Errors
    /// When something that was configured is not as it must be.
    pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<(Self, Jobs), StartError> {
        let passwords = Passwords::new(config.bcrypt_cost)?;
        Self::start_with(config, clock, passwords).await
    }

    /// The same with passwords at a cost that a server may not have, for tests.
    ///
    /// # Errors
    /// When something that was configured is not as it must be.
    pub async fn start_with(
        config: Config,
        clock: Arc<dyn Clock>,
        passwords: Passwords,
    ) -> Result<(Self, Jobs), StartError> {
        let templates = Arc::new(Templates::read(config.templates.as_deref())?);
        let transport = Transport::new(&config.mail)?;
        if ERASURE_DELAY_MAX < config.erasure_delay {
            return Err(StartError::ErasureDelay);
        }
        let providers = Providers::new(&config.identity, &clock)?;
        let db = Db::open(&config.database, clock.now()).await?;
        let mut tx = db.begin().await?;
        if !tx.is_server_key(&config.key.keyed_hash(Purpose::Key, b"server key")).await? {
            return Err(StartError::OtherKey { database: config.database });
        }
        tx.commit().await?;
        let objects = Objects::open(&config.objects, clock.now()).await?;
        let push =
            Push::start(&config.push, config.push_subject(), &db, &config.key, &clock).await?;
        let page = Policy::new(config.region, config.contact.clone(), config.processors());
        let archives: Arc<dyn Archives> = Arc::new(Folder::below(&config.folder));
        let eraser = Eraser {
            db: db.clone(),
            clock: Arc::clone(&clock),
            key: config.key.clone(),
            ledger: Ledger::of(config.folder),
            archives: Arc::clone(&archives),
        };
        // Before anybody can ask for anything: the database may come from a backup.
        eraser.replay().await?;
        Erase::schedule_at_start(&db, clock.now()).await?;
        Purge::schedule(&db, clock.now()).await?;
        let cost = db.read().await?.password_cost_max().await?;
        let passwords = passwords.with_hashes_up_to(cost.unwrap_or(0));
        let mailer = Mailer::new(Arc::clone(&templates), transport.can_send());
        let deliver = Deliver {
            db: db.clone(),
            clock: Arc::clone(&clock),
            key: config.key.clone(),
            templates,
            transport,
            providers: providers.clone(),
        };
        let end = End {
            db: db.clone(),
            clock: Arc::clone(&clock),
            key: config.key.clone(),
            providers: providers.clone(),
            mailer: mailer.clone(),
        };
        let announce = Announce {
            db: db.clone(),
            clock: Arc::clone(&clock),
            mailer: mailer.clone(),
            hash: page.hash(),
        };
        announce.schedule().await?;
        let purge = Purge { db: db.clone(), clock: Arc::clone(&clock), eraser: eraser.clone() };
        let make = Make {
            eraser: eraser.clone(),
            mailer: mailer.clone(),
            objects: objects.clone(),
            places: Semaphore::new(EXPORTS_AT_ONCE_MAX),
        };
        let live = Live::start(&db, Arc::clone(&clock), StageSlot::default()).await?;
        let jobs = Jobs::new(db.clone(), Arc::clone(&clock))
            .with(mail::KIND, Arc::new(deliver))
            .with(purge::KIND, Arc::new(purge))
            .with(erasure::KIND, Arc::new(Erase { eraser, end: end.clone(), live: live.clone() }))
            .with(identity::KIND, Arc::new(end))
            .with(export::KIND, Arc::new(make))
            .with(policy::KIND, Arc::new(announce))
            .with(
                push::KIND,
                Arc::new(push::Deliver::new(
                    db.clone(),
                    Arc::clone(&clock),
                    config.key.clone(),
                    push.sender().cloned(),
                )),
            )
            .with(clean::KIND, Arc::new(Clean { db: db.clone() }));
        let chat_rates = chat::Rates::new(ServerKey::new(secret::random()), &clock);
        let orphans =
            Orphans { db: db.clone(), clock: Arc::clone(&clock), objects: objects.clone() };
        let jobs = jobs
            .with(files::REMOVE_KIND, Arc::new(Remove { objects: objects.clone() }))
            .with(files::ORPHANS_KIND, Arc::new(orphans))
            .with(
                files::AUDIO_KIND,
                Arc::new(Audio::new(db.clone(), objects.clone(), live.clone())),
            );
        let inner = Inner {
            chat_rates,
            live,
            db,
            key: config.key,
            region: config.region,
            passwords,
            rates: Rates::new(ServerKey::new(secret::random()), &clock),
            people: PeopleRates::new(ServerKey::new(secret::random()), &clock),
            photos: Photos::default(),
            mailer,
            answer_floor: config.answer_floor,
            crash_key: config.crash_key,
            policy: page,
            erasure_delay: config.erasure_delay,
            archives,
            wake: jobs.waker(),
            objects,
            quota_bytes: config.quota_bytes,
            giphy: config.giphy,
            places: Places::new(),
            providers,
            room_rates: RoomRates::new(ServerKey::new(secret::random()), &clock),
            push,
            clock,
        };
        Ok((Self(Arc::new(inner)), jobs))
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> UnixMs {
        self.0.clock.now()
    }

    /// The key of this server.
    #[must_use]
    pub fn key(&self) -> &ServerKey {
        &self.0.key
    }

    /// What hashes passwords.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// What counts how often somebody asks.
    #[must_use]
    pub fn rates(&self) -> &Rates {
        &self.0.rates
    }

    /// What counts how often somebody does something about people.
    #[must_use]
    pub(crate) fn people_rates(&self) -> &PeopleRates {
        &self.0.people
    }

    /// What makes photos small and clean.
    #[must_use]
    pub(crate) fn photos(&self) -> &Photos {
        &self.0.photos
    }

    /// What counts how often somebody says something in a chat.
    #[must_use]
    pub fn chat_rates(&self) -> &chat::Rates {
        &self.0.chat_rates
    }

    /// Whoever is connected, and what is told to them.
    #[must_use]
    pub fn live(&self) -> &Live {
        &self.0.live
    }

    /// Commits that sessions ended, and ends their live connections on every server.
    pub(crate) async fn commit_and_sign_out(
        &self,
        tx: Tx,
        account: AccountId,
    ) -> Result<(), Problem> {
        self.commit_and_tell(tx, vec![Note::SignedOut { account }]).await
    }

    /// What writes mails.
    #[must_use]
    pub fn mailer(&self) -> &Mailer {
        &self.0.mailer
    }

    /// What a program shows that reports a crash, if any may.
    pub(crate) fn crash_key(&self) -> Option<&str> {
        self.0.crash_key.as_deref()
    }

    /// What the page about privacy says.
    pub(crate) fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// What is too large for the database.
    #[must_use]
    pub fn objects(&self) -> &Objects {
        &self.0.objects
    }

    /// Bytes that the files of one account may have.
    #[must_use]
    pub fn quota_bytes(&self) -> i64 {
        self.0.quota_bytes
    }

    /// How the pages of whoever agreed ask for GIFs.
    pub(crate) fn giphy(&self) -> Option<&Giphy> {
        self.0.giphy.as_ref()
    }

    /// How much is done with files at once.
    pub(crate) fn places(&self) -> &Places {
        &self.0.places
    }

    /// With whom people can sign in beside a password.
    pub(crate) fn providers(&self) -> &Providers {
        &self.0.providers
    }

    /// What counts how often somebody does something about rooms.
    pub(crate) fn room_rates(&self) -> &RoomRates {
        &self.0.room_rates
    }

    /// What tells browsers what happens.
    pub(crate) fn push(&self) -> &Push {
        &self.0.push
    }

    /// How long an account waits to be erased.
    #[must_use]
    pub fn erasure_delay(&self) -> Duration {
        self.0.erasure_delay
    }

    /// Where archives are of what is kept of people.
    #[must_use]
    pub fn archives(&self) -> &dyn Archives {
        self.0.archives.as_ref()
    }

    /// Has jobs looked at that were just committed.
    pub fn wake_jobs(&self) {
        self.0.wake.notify_one();
    }

    /// What stands for a device in the database.
    #[must_use]
    pub fn device_hash(&self, device: &Token) -> Hash {
        self.key().keyed_hash(Purpose::Device, device.bytes())
    }

    /// What stands for an account in a log: the same each time, and nothing to whoever has no key.
    #[must_use]
    pub fn log_id(&self, account: AccountId) -> String {
        let hash = self.key().keyed_hash(Purpose::Log, account.uuid().as_bytes());
        hex(&hash[..LOG_ID_BYTES])
    }

    /// Whose accounts are kept here.
    pub(crate) fn region(&self) -> Region {
        self.0.region
    }

    /// That accounts of a region are kept here.
    ///
    /// # Errors
    /// When they are not.
    pub fn check_region(&self, region: Region) -> Result<(), Problem> {
        let here = self.region();
        if region == here {
            return Ok(());
        }
        let text = format!(
            "this server keeps accounts of the region {:?} only; sign up there, or at a server of \
             {:?}",
            here.word(),
            region.word()
        );
        Err(Problem::new(ProblemCode::WrongRegion, text))
    }

    /// Does something that takes longer for an address that has an account, and answers no earlier
    /// than it would for either.
    pub(crate) async fn at_least_floor<T>(&self, work: impl Future<Output = T>) -> T {
        let at = tokio::time::Instant::now() + self.0.answer_floor;
        let done = work.await;
        tokio::time::sleep_until(at).await;
        done
    }
}

/// Bytes of what stands for an account in a log.
const LOG_ID_BYTES: usize = 6;
