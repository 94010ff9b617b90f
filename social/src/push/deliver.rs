//! Delivery: one push to one browser, if it is still wanted by then.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::encrypt::encrypt;
use super::routes::Target;
use super::sender::{Answer, Post, Sender};
use super::what::{What, Word};
use crate::clock::{Clock, UnixMs};
use crate::id::PushId;
use crate::jobs::{Handler, Outcome};
use crate::limits::{PUSH_HOLD, PUSH_HOLD_MAX, PUSH_HOLDS_MAX, PUSH_RATE};
use crate::rate::{Limiter, RateKey};
use crate::secret::{Purpose, ServerKey};
use crate::store::{Conn, Db, Job, PushSubscription, StoreError};

/// The kind of the jobs that push.
pub(crate) const KIND: &str = "push";

/// Pushes.
#[derive(Debug)]
pub(crate) struct Deliver {
    db: Db,
    clock: Arc<dyn Clock>,
    key: ServerKey,
    sender: Option<Arc<Sender>>,
    rate: Limiter,
    /// Until when a push service is not asked.
    holds: Mutex<BTreeMap<String, UnixMs>>,
}

/// A job, read.
struct Wanted {
    browser: PushId,
    what: What,
    until: UnixMs,
}

impl Wanted {
    fn of(job: &Job) -> Option<Self> {
        let text = |name: &str| job.payload[name].as_str();
        let chat = text("chat").map(str::parse).transpose().ok()?;
        let what = What { word: Word::parse(text("kind")?)?, chat };
        let until = UnixMs(job.payload["until"].as_i64()?);
        Some(Self { browser: text("browser")?.parse().ok()?, what, until })
    }

    /// Whether there is something to tell: who looked into the app meanwhile knows.
    async fn is_news(&self, conn: &mut Conn, to: &PushSubscription) -> Result<bool, StoreError> {
        match (self.what.word, self.what.chat) {
            (_, Some(chat)) => conn.has_unread_message(to.account_id, chat).await,
            (word, None) if word.is_alert() => Ok(true),
            (Word::Notice(kind), None) => conn.has_unread_notice(to.account_id, kind).await,
            (Word::Message | Word::Security, None) => Ok(false),
        }
    }
}

impl Deliver {
    pub(crate) fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        key: ServerKey,
        sender: Option<Arc<Sender>>,
    ) -> Self {
        let rate = Limiter::new(PUSH_RATE, Arc::clone(&clock));
        Self { db, clock, key, sender, rate, holds: Mutex::default() }
    }

    async fn deliver(&self, job: &Job) -> Result<Outcome, StoreError> {
        let now = self.clock.now();
        let (Some(wanted), Some(sender)) = (Wanted::of(job), &self.sender) else {
            return Ok(Outcome::Done);
        };
        if wanted.until <= now {
            tracing::warn!("a push was not delivered in time");
            return Ok(Outcome::Done);
        }
        let (browser, language) = {
            let mut conn = self.db.read().await?;
            let found = conn.push_subscription(wanted.browser, now).await?;
            // Signed out meanwhile, or switched off.
            let Some((browser, language)) = found else { return Ok(Outcome::Done) };
            if !wanted.is_news(&mut conn, &browser).await? {
                return Ok(Outcome::Done);
            }
            (browser, language)
        };
        if let Some(until) = self.held(&browser.host, now) {
            return Ok(Outcome::Again(until));
        }
        // However much somebody writes, an alert does not wait behind it.
        if !wanted.what.word.is_alert() && self.rate.count(self.rate_key(browser.id)).is_err() {
            return Ok(Outcome::Done);
        }
        self.send(sender, &wanted, &browser, &language).await
    }

    async fn send(
        &self,
        sender: &Sender,
        wanted: &Wanted,
        browser: &PushSubscription,
        language: &str,
    ) -> Result<Outcome, StoreError> {
        let (host, what) = (&browser.host, wanted.what);
        let target = Target::open(&self.key, &browser.sealed);
        // Whoever runs this server may have taken the service off the list.
        let endpoint = target.as_ref().and_then(|to| sender.allowed().endpoint(&to.endpoint));
        let body = target.and_then(|to| encrypt(&to.keys, &what.payload(language)));
        let (Some(endpoint), Some(body)) = (endpoint, body) else {
            return self.forget(browser).await;
        };
        let now = self.clock.now();
        let post = Post {
            endpoint: &endpoint,
            body,
            topic: &self.topic(browser.id, what),
            keep: wanted.until.since(now),
            urgency: if what.word.is_alert() { "high" } else { "normal" },
        };
        match sender.send(post, now).await {
            Answer::Taken => Ok(Outcome::Done),
            Answer::Gone => self.forget(browser).await,
            Answer::NotNow(after) => {
                Ok(Outcome::Again(self.hold(host, after.unwrap_or(PUSH_HOLD))))
            }
            Answer::Failed => Ok(Outcome::Failed("push_not_now")),
            Answer::Silent => {
                self.hold(host, PUSH_HOLD);
                Ok(Outcome::Failed("push_unreachable"))
            }
            Answer::Refused(status) => {
                tracing::error!(host, status, "a push service refused a push, which is given up");
                Ok(Outcome::Done)
            }
        }
    }

    async fn forget(&self, browser: &PushSubscription) -> Result<Outcome, StoreError> {
        let mut tx = self.db.begin().await?;
        tx.remove_push_subscription(browser.account_id, browser.id).await?;
        tx.commit().await?;
        Ok(Outcome::Done)
    }

    /// What a push replaces at its service, which learns nothing from it.
    fn topic(&self, browser: PushId, what: What) -> String {
        let data = format!("topic {browser} {}", what.topic());
        let hash = self.key.keyed_hash(Purpose::Push, data.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(&hash[..TOPIC_BYTES])
    }

    fn rate_key(&self, browser: PushId) -> RateKey {
        RateKey::of(&self.key, "push", browser.uuid().as_bytes())
    }

    /// Until when a push service is not asked.
    fn held(&self, host: &str, now: UnixMs) -> Option<UnixMs> {
        let holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        holds.get(host).copied().filter(|until| now < *until)
    }

    /// Asks a push service nothing for that long; until when.
    fn hold(&self, host: &str, wait: Duration) -> UnixMs {
        let until = self.clock.now().after(wait.clamp(Duration::from_secs(1), PUSH_HOLD_MAX));
        let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        holds.insert(host.to_owned(), until);
        if PUSH_HOLDS_MAX < holds.len() {
            let soonest = holds.iter().min_by_key(|(_, until)| until.0);
            if let Some(soonest) = soonest.map(|(host, _)| host.clone()) {
                holds.remove(&soonest);
            }
        }
        until
    }
}

impl Handler for Deliver {
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(async move {
            self.deliver(&job).await.unwrap_or_else(|error| {
                tracing::error!(%error, "a push cannot be read");
                Outcome::Failed("database")
            })
        })
    }
}

/// Bytes of a topic: 32 characters, the most that there may be (RFC 8030 5.4).
const TOPIC_BYTES: usize = 24;
