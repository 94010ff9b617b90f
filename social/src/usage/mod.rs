//! How the app is used: how long people play, how often, and with which of its features.
//!
//! What may be said is a fixed list; a field that is not in it is refused, and neither an address nor a
//! browser's name is kept. Who said it is kept under a name for one day: it is made with a key that is
//! deleted when the day (of UTC) is over, so that nobody can tell from then on whose it was, nor join
//! two days. What surprises: who objects is deleted from the present day only, because of the
//! earlier ones nobody can say any more which were theirs.

mod routes;
#[cfg(test)]
mod tests;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sqlx::{query, query_as, query_scalar};
use uuid::Builder;

use crate::clock::UnixMs;
use crate::id::AccountId;
use crate::secret::{self, Hash, Purpose, ServerKey};
use crate::store::{Conn, StoreError, Tx, on};

pub(crate) use routes::routes;

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// `session` or `feature`.
    pub kind: &'static str,
    /// Which feature, or with what somebody played.
    pub word: &'static str,
    /// How long, where it takes time.
    pub minutes: Option<u16>,
}

/// What was counted on one day, of everybody together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Days since 1 January 1970.
    pub day: i64,
    /// How many people.
    pub people: i64,
    /// How often each word was counted, with the minutes of all together.
    pub words: Vec<(String, String, i64, i64)>,
    /// How many sessions took that long: at least the minutes of [`LENGTHS_FROM`], and less than the next.
    pub lengths: [i64; LENGTHS_FROM.len()],
}

/// With how many minutes each kind of session begins, from short to long.
pub const LENGTHS_FROM: [u16; 6] = [0, 5, 15, 30, 60, 120];

/// The day of a moment, in UTC, as days since 1 January 1970.
#[must_use]
pub const fn day_of(at: UnixMs) -> i64 {
    at.0.div_euclid(DAY_MS)
}

/// Under which name somebody is counted, with a day's key. Without the server's key, which lies
/// elsewhere, the day's key of a backup makes no name.
#[must_use]
pub fn pseudonym(day_key: &[u8], server: &ServerKey, account: AccountId) -> Hash {
    let inner = server.keyed_hash(Purpose::Usage, account.uuid().as_bytes());
    let mac = Hmac::<Sha256>::new_from_slice(day_key);
    let mut mac = mac.expect("HMAC takes a key of any length");
    mac.update(&inner);
    mac.finalize().into_bytes().into()
}

impl Conn {
    /// When somebody objected to being counted, if they did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn usage_objection(
        &mut self,
        account: AccountId,
    ) -> Result<Option<UnixMs>, StoreError> {
        let sql = "SELECT objected_at FROM usage_objections WHERE account_id = $1";
        Ok(on!(self, c => query_scalar(sql).bind(account).fetch_optional(&mut *c).await)?)
    }

    /// What was counted from a day on, the latest day first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn usage_since(&mut self, day: i64, days_max: i64) -> Result<Vec<Day>, StoreError> {
        let sql = "SELECT day, count(DISTINCT pseudonym) FROM usage_events WHERE day >= $1
                   GROUP BY day ORDER BY day DESC LIMIT $2";
        let days: Vec<(i64, i64)> = on!(self, c => query_as(sql).bind(day).bind(days_max)
            .fetch_all(&mut *c).await)?;
        let fresh = |(day, people)| {
            let lengths = Default::default();
            Day { day, people, words: Vec::new(), lengths }
        };
        let mut all: Vec<_> = days.into_iter().map(fresh).collect();
        let first = all.last().map_or(day, |last| last.day);
        let sql = "SELECT day, kind, word, count(*), CAST(coalesce(sum(minutes), 0) AS BIGINT)
                   FROM usage_events WHERE day >= $1 GROUP BY day, kind, word
                   ORDER BY day, kind, word";
        let words: Vec<(i64, String, String, i64, i64)> =
            on!(self, c => query_as(sql).bind(first).fetch_all(&mut *c).await)?;
        for (day, kind, word, count, minutes) in words {
            let of = all.iter_mut().find(|each| each.day == day);
            if let Some(of) = of {
                of.words.push((kind, word, count, minutes));
            }
        }
        for (day, minutes, count) in self.session_minutes(first).await? {
            let length = LENGTHS_FROM.iter().rposition(|from| i64::from(*from) <= minutes);
            let of = all.iter_mut().find(|each| each.day == day);
            if let (Some(of), Some(length)) = (of, length) {
                of.lengths[length] += count;
            }
        }
        Ok(all)
    }

    /// How often a session took so many minutes, on each day from one on.
    async fn session_minutes(&mut self, since: i64) -> Result<Vec<(i64, i64, i64)>, StoreError> {
        let sql = "SELECT day, minutes, count(*) FROM usage_events
                   WHERE day >= $1 AND kind = 'session' AND minutes IS NOT NULL
                   GROUP BY day, minutes";
        Ok(on!(self, c => query_as(sql).bind(since).fetch_all(&mut *c).await)?)
    }
}

impl Tx {
    /// Counts something of somebody under their name of the day. Whether it did: whoever objected is
    /// not counted, also by a server that has not heard of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_usage(
        &mut self,
        account: AccountId,
        server: &ServerKey,
        events: &[Counted],
        now: UnixMs,
    ) -> Result<bool, StoreError> {
        // Until the end of this transaction nobody objects.
        self.lock_account(account).await?;
        if self.usage_objection(account).await?.is_some() {
            return Ok(false);
        }
        let day = day_of(now);
        let sql = "INSERT INTO usage_keys (day, key) VALUES ($1, $2) ON CONFLICT (day) DO NOTHING";
        let fresh = secret::random();
        on!(self, c => query(sql).bind(day).bind(&fresh[..]).execute(&mut *c).await.map(drop))?;
        let key = self.usage_key(day).await?.unwrap_or_default();
        let name = pseudonym(&key, server, account);
        let sql = "INSERT INTO usage_events (id, day, pseudonym, kind, word, minutes)
                   VALUES ($1, $2, $3, $4, $5, $6)";
        for event in events {
            let random = secret::random();
            let (random, _) = random.split_at(16);
            let id = Builder::from_random_bytes(random.try_into().unwrap_or_default()).into_uuid();
            on!(self, c => query(sql).bind(id).bind(day).bind(&name[..]).bind(event.kind)
                .bind(event.word).bind(event.minutes.map(i64::from))
                .execute(&mut *c).await.map(drop))?;
        }
        Ok(true)
    }

    /// Has somebody counted no more, and deletes what can still be told to be theirs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn object_to_usage(
        &mut self,
        account: AccountId,
        server: &ServerKey,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        self.lock_account(account).await?;
        let sql = "INSERT INTO usage_objections (account_id, objected_at) VALUES ($1, $2)
                   ON CONFLICT (account_id) DO NOTHING";
        on!(self, c => query(sql).bind(account).bind(now).execute(&mut *c).await.map(drop))?;
        self.forget_usage(account, server).await
    }

    /// Deletes what can still be told to be somebody's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_usage(
        &mut self,
        account: AccountId,
        server: &ServerKey,
    ) -> Result<(), StoreError> {
        let sql = "SELECT day, key FROM usage_keys";
        let keys: Vec<(i64, Vec<u8>)> = on!(self, c => query_as(sql).fetch_all(&mut *c).await)?;
        let sql = "DELETE FROM usage_events WHERE day = $1 AND pseudonym = $2";
        for (day, key) in keys {
            let name = pseudonym(&key, server, account);
            on!(self, c => query(sql).bind(day).bind(&name[..])
                .execute(&mut *c).await.map(drop))?;
        }
        Ok(())
    }

    /// Takes an objection back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn allow_usage(&mut self, account: AccountId) -> Result<(), StoreError> {
        let sql = "DELETE FROM usage_objections WHERE account_id = $1";
        on!(self, c => query(sql).bind(account).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Deletes the keys of days that are over, and what was counted before a day; from which tables.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_usage(
        &mut self,
        today: i64,
        events_before: i64,
    ) -> Result<Vec<&'static str>, StoreError> {
        let mut changed = Vec::new();
        for (table, sql, before) in [
            ("usage_keys", "DELETE FROM usage_keys WHERE day < $1", today),
            ("usage_events", "DELETE FROM usage_events WHERE day < $1", events_before),
        ] {
            let removed = on!(self, c => query(sql).bind(before)
                .execute(&mut *c).await.map(|done| done.rows_affected()))?;
            if removed != 0 {
                changed.push(table);
            }
        }
        Ok(changed)
    }

    async fn usage_key(&mut self, day: i64) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT key FROM usage_keys WHERE day = $1";
        Ok(on!(self, c => query_scalar(sql).bind(day).fetch_optional(&mut *c).await)?)
    }
}

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
