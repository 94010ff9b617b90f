//! An account that moves to the server of another region: copied there, and erased where it was.
//!
//! Whoever keeps both servers does it, beside servers that run. The bytes of files are copied first, while
//! everything goes on. Then the account is locked where it is, written there in one transaction, and hidden
//! where it was in the one that holds the lock; from then on the ordinary erasure is due, which the server
//! there does by itself. So there is no moment in which somebody is in neither. What surprises: nothing is
//! written down of a move. The id of the account there is made of the one that it had, under the key there,
//! so whoever is killed half-way and begins again sees how far they came; and one that comes back has
//! another id than the one that was erased.

mod copy;
mod map;
mod place;
mod said;
mod write;

use std::collections::BTreeMap;

use uuid::Builder;

use crate::account::username;
use crate::clock::UnixMs;
use crate::erasure::Erase;
use crate::id::{AccountId, FileId};
use crate::limits::MOVE_TRIES_MAX;
use crate::objects::ObjectKey;
use crate::secret::Purpose;
use crate::store::{Account, StoreError, StoredFile, Tx};

use copy::Copied;
use write::Arrival;

pub use map::{Becomes, CHOSEN, LEFT, MOVED, Table};
pub use place::Place;
pub use said::{MoveError, Moved, Outcome, Progress};

/// Moves an account.
#[derive(Debug)]
pub struct Mover<'a> {
    /// From where.
    pub from: &'a Place,
    /// To where.
    pub to: &'a Place,
    /// Its address.
    pub email: &'a str,
    /// What it will be called, if otherwise than now.
    pub username: Option<&'a str>,
}

/// Where a move begins.
enum Start {
    /// There is nothing of it there, or what is there nobody has used: it is written anew.
    Here(Account),
    /// It is there and was used there: it only has to go where it was.
    There(Account),
    /// It is hidden where it was.
    Left,
    /// It is only there.
    Gone,
}

impl Mover<'_> {
    /// Moves it, or finishes a move that was broken off. `told` hears how far it is.
    ///
    /// # Errors
    /// When it cannot be done.
    pub async fn run(&self, mut told: impl FnMut(Progress)) -> Result<Outcome, MoveError> {
        let (from, to) = (self.from, self.to);
        if from.region == to.region || from.is_same(to) {
            return Err(MoveError::SameRegion(to.region.word()));
        }
        let account = match self.start().await? {
            Start::Gone => return Ok(Outcome::Before),
            Start::Left => return Ok(Outcome::Finished),
            Start::There(account) => {
                self.leave_what_is_there(&account).await?;
                told(Progress::Left);
                return Ok(Outcome::Finished);
            }
            Start::Here(account) => account,
        };
        let mut copies = self.copies_before(account.id).await?;
        let moved = self.try_until_settled(&account, &mut copies, &mut told).await;
        self.remove_unused(&copies).await;
        moved.map(|moved| Outcome::Moved(Box::new(moved)))
    }

    /// How far it came the last time, if there was one; what cannot move is refused.
    async fn start(&self) -> Result<Start, MoveError> {
        let (from, to) = (self.from, self.to);
        let now = from.clock.now();
        let key = self.email.trim().to_lowercase();
        let mut conn = from.db.read().await?;
        let Some(account) = conn.account_by_email_or_hidden(&key).await? else {
            return self.gone(&key).await;
        };
        if account.region != from.region {
            let (is, said) = (account.region.word(), from.region.word());
            return Err(MoveError::OtherRegion { is, said });
        }
        if account.erase_at.is_none() && conn.suspension(account.id, now).await?.is_some() {
            return Err(MoveError::Suspended);
        }
        let id = self.id_there(account.id);
        let mut conn_there = to.db.read().await?;
        let there = conn_there.account_or_hidden(id).await?;
        let is_due = account.erase_at.is_some_and(|at| at <= now);
        match (there, account.erase_at) {
            (Some(_), Some(_)) if is_due => return Ok(Start::Left),
            (_, Some(_)) => return Err(MoveError::Hidden),
            (Some(there), None) if there.erase_at.is_some() => return Err(MoveError::EndedThere),
            (Some(_), None) if conn_there.was_signed_in_to(id).await? => {
                return Ok(Start::There(account));
            }
            (Some(_), None) => {}
            (None, None) => {
                let hash = to.key.keyed_hash(Purpose::Erasure, id.uuid().as_bytes());
                if conn_there.is_erasure(&hash).await? {
                    return Err(MoveError::EndedThere);
                }
            }
        }
        Ok(Start::Here(account))
    }

    /// Whether an account of this address came from here, of which nothing is left here.
    async fn gone(&self, email_key: &str) -> Result<Start, MoveError> {
        let mut conn = self.to.db.read().await?;
        if let Some(there) = conn.account_by_email_or_hidden(email_key).await? {
            let done = conn.audit_of(there.id).await?;
            if done.iter().any(|(_, action, _)| action == MOVED_HERE) {
                return Ok(Start::Gone);
            }
        }
        Err(MoveError::NoAccount(self.from.region.word()))
    }

    /// The id that an account has there: it tells nobody without the key there which it was here.
    fn id_there(&self, id: AccountId) -> AccountId {
        let bytes = id.uuid().into_bytes();
        let ms = bytes[..6].iter().fold(0, |all, byte| (all << 8) | u64::from(*byte));
        let hash = self.to.key.keyed_hash(Purpose::Arrival, &bytes);
        let mut random = [0; 10];
        random.copy_from_slice(&hash[..10]);
        AccountId::new(Builder::from_unix_timestamp_millis(ms, &random).into_uuid())
    }

    /// Copies what is not copied yet, and moves everything where that was all.
    async fn try_until_settled(
        &self,
        account: &Account,
        copies: &mut Copies,
        told: &mut impl FnMut(Progress),
    ) -> Result<Moved, MoveError> {
        for attempt in 0..MOVE_TRIES_MAX {
            let files = self.from.files_of(account.id).await?;
            self.check(account, &files).await?;
            if attempt == 0 {
                let bytes = files.iter().map(|file| file.size_bytes).sum::<i64>();
                told(Progress::Begun { files: files.len(), bytes });
            }
            self.copy(&files, copies, told).await?;
            match self.settle(account.id, copies, told).await {
                Ok(Some(moved)) => return Ok(moved),
                // Of a name that was taken in this moment is said above which it is.
                Ok(None) | Err(MoveError::Store(StoreError::Taken)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(MoveError::Unsettled)
    }

    /// Refuses what there is no room for, before anything is copied.
    async fn check(&self, account: &Account, files: &[StoredFile]) -> Result<(), MoveError> {
        let to = self.to;
        let bytes = files.iter().map(|file| file.size_bytes).sum::<i64>();
        if to.quota_bytes < bytes {
            return Err(MoveError::Quota { bytes, quota: to.quota_bytes });
        }
        let id = self.id_there(account.id);
        let (name, name_key) = self.name_there(account)?;
        let mut conn = to.db.read().await?;
        let holder = conn.account_by_email_or_hidden(&account.email.to_lowercase()).await?;
        if holder.is_some_and(|holder| holder.id != id) {
            return Err(MoveError::EmailTaken(to.region.word()));
        }
        if conn.is_username_taken(&name_key, id).await? {
            return Err(MoveError::UsernameTaken(name));
        }
        Ok(())
    }

    /// What it is called there, and the same in lower case.
    fn name_there(&self, account: &Account) -> Result<(String, String), MoveError> {
        let Some(wanted) = self.username else {
            return Ok((account.username.clone(), account.username.to_lowercase()));
        };
        username(wanted).map_err(|problem| MoveError::Username(problem.detail().to_owned()))
    }

    /// Writes it there and hides it here, unless it has files that are not copied.
    async fn settle(
        &self,
        id: AccountId,
        copies: &Copies,
        told: &mut impl FnMut(Progress),
    ) -> Result<Option<Moved>, MoveError> {
        let (from, to) = (self.from, self.to);
        let now = from.clock.now();
        let mut here = from.db.begin().await?;
        here.lock_account(id).await?;
        let account = here.account(id).await?.ok_or(MoveError::Hidden)?;
        if here.suspension(id, now).await?.is_some() {
            return Err(MoveError::Suspended);
        }
        let files = place::files(&mut here, id).await?;
        if files.iter().any(|file| !copies.of.contains_key(&file.id)) {
            return Ok(None);
        }
        let (username, username_key) = self.name_there(&account)?;
        let mut arrival = Arrival {
            from,
            to,
            id: self.id_there(id),
            username_key,
            copies: &copies.of,
            moved: Moved { username, ..Moved::default() },
            account,
        };
        let mut there = to.db.begin().await?;
        // Of a move that was broken off, and that nobody has used. What others said in its rooms stays.
        there.remove_account(arrival.id).await?;
        let let_go = arrival.write(&mut here, &mut there, &files, now).await?;
        there.audit(None, arrival.id, MOVED_HERE, now).await?;
        told(Progress::Written);
        there.commit().await?;
        told(Progress::Arrived);
        for identity in let_go {
            here.let_go_of_identity(id, identity).await?;
        }
        leave(here, id, now).await?;
        told(Progress::Left);
        tracing::info!(files = arrival.moved.files, "an account moved to another region");
        Ok(Some(arrival.moved))
    }

    /// Hides what was written there before and used there, unless there is more here than moved.
    async fn leave_what_is_there(&self, account: &Account) -> Result<(), MoveError> {
        let (from, to) = (self.from, self.to);
        let id = self.id_there(account.id);
        let mut here = from.db.begin().await?;
        here.lock_account(account.id).await?;
        let mut conn = to.db.read().await?;
        let done = conn.audit_of(id).await?;
        let came = done.iter().rev().find(|(_, action, _)| action == MOVED_HERE);
        let came_at = came.map_or(UnixMs(0), |(_, _, at)| *at);
        let there: Vec<_> = place::files(&mut conn, id).await?.iter().map(|file| file.id).collect();
        // One that came before and is not there was deleted there.
        let is_newer = |file: &&StoredFile| came_at <= file.created_at && !there.contains(&file.id);
        let newer = place::files(&mut here, account.id).await?.iter().filter(is_newer).count();
        if newer != 0 {
            return Err(MoveError::UsedInBoth(newer));
        }
        for identity in here.identities(account.id).await? {
            let shown = &identity.shown;
            if conn.identity_of(&shown.issuer, &shown.subject).await?.is_some() {
                here.let_go_of_identity(account.id, identity.id).await?;
            }
        }
        leave(here, account.id, from.clock.now()).await
    }
}

/// Hides an account whose lock the transaction has, and has it erased by the server there.
async fn leave(mut here: Tx, id: AccountId, now: UnixMs) -> Result<(), MoveError> {
    here.hide_account(id, now, now).await?;
    here.audit(None, id, "moved_away", now).await?;
    Erase::schedule(&mut here, now, now).await?;
    Ok(here.commit().await?)
}

/// What is copied, also by the time before.
#[derive(Debug, Default)]
struct Copies {
    of: BTreeMap<FileId, Copied>,
    /// Those that this move made.
    made: Vec<ObjectKey>,
}

/// What is written down of an account that came.
const MOVED_HERE: &str = "moved_here";
