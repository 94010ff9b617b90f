//! How much is done at once of what takes memory or a core.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::id::AccountId;
use crate::limits::{
    JOINS_AT_ONCE_MAX, PARTS_AT_ONCE_MAX, PARTS_OF_ACCOUNT_MAX, PICTURES_AT_ONCE_MAX,
};
use crate::problem::{Problem, ProblemCode};

/// The places.
#[derive(Debug)]
pub(crate) struct Places {
    /// Whose parts are received.
    parts: Arc<Mutex<Vec<AccountId>>>,
    joins: Semaphore,
    pictures: Semaphore,
}

impl Places {
    pub(crate) fn new() -> Self {
        Self {
            parts: Arc::default(),
            joins: Semaphore::new(JOINS_AT_ONCE_MAX),
            pictures: Semaphore::new(PICTURES_AT_ONCE_MAX),
        }
    }

    /// A place for a part of somebody's that is received. Nobody waits for one: whoever sends slowly
    /// would keep everybody.
    pub(super) fn part(&self, of: AccountId) -> Result<PartPlace, Problem> {
        let mut taken = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if PARTS_OF_ACCOUNT_MAX <= taken.iter().filter(|account| **account == of).count() {
            let text = format!(
                "{PARTS_OF_ACCOUNT_MAX} parts of your files come in already; send the next when one \
                 is here"
            );
            return Err(Problem::new(ProblemCode::TooManyUploads, text));
        }
        if PARTS_AT_ONCE_MAX <= taken.len() {
            let text = "too many files come in at once; try again in a moment";
            return Err(Problem::new(ProblemCode::Busy, text));
        }
        taken.push(of);
        Ok(PartPlace { parts: Arc::clone(&self.parts), of })
    }

    /// A place for a file that is put together.
    pub(super) async fn join(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.joins.acquire().await.map_err(|_| Problem::internal())
    }

    /// A place for a picture that is written anew.
    pub(super) async fn picture(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.pictures.acquire().await.map_err(|_| Problem::internal())
    }
}

/// A place that is free again when this is dropped.
#[derive(Debug)]
pub(super) struct PartPlace {
    parts: Arc<Mutex<Vec<AccountId>>>,
    of: AccountId,
}

impl Drop for PartPlace {
    fn drop(&mut self) {
        let mut taken = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = taken.iter().position(|account| *account == self.of) {
            taken.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixMs;

    #[test]
    fn nobody_takes_all_places_and_a_place_is_free_again() {
        let places = Places::new();
        let accounts = PARTS_AT_ONCE_MAX / PARTS_OF_ACCOUNT_MAX;
        let accounts: Vec<_> = (0..=accounts).map(|_| AccountId::fresh(UnixMs(1))).collect();
        let (last, others) = accounts.split_last().expect("some");
        let mut taken = Vec::new();
        for account in others {
            for _ in 0..PARTS_OF_ACCOUNT_MAX {
                taken.push(places.part(*account).expect("a place"));
            }
            let refused = places.part(*account).expect_err("theirs are taken");
            assert_eq!(refused.code(), ProblemCode::TooManyUploads);
        }
        assert_eq!(places.part(*last).expect_err("all are").code(), ProblemCode::Busy);
        taken.pop();
        places.part(*last).expect("one is free");
    }
}
