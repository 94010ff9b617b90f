//! Passwords: bcrypt, on threads that nobody's music or page waits for.
//!
//! What surprises: a password that is given for nobody's account is hashed too, and one whose hash is of
//! an earlier, lower cost is hashed some more, so that the time of the answer does not tell whether
//! there is such an account.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::limits::{BCRYPT_COST_MAX, BCRYPT_COST_MIN, PASSWORD_BYTES_MAX, PASSWORDS_WAITING_MAX};
use crate::problem::{Problem, ProblemCode};

/// Hashes and compares passwords.
#[derive(Debug, Clone)]
pub struct Passwords {
    cost: u32,
    /// What each comparison costs: as much as the dearest hash that there is.
    equal_cost: u32,
    /// The hash of a password that nobody knows, of that cost.
    nobodys: Arc<str>,
    /// One for each core: a hash occupies one for a quarter of a second and more.
    cores: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// What a password is compared with.
#[derive(Debug)]
pub struct Verdict {
    /// Whether it is theirs.
    pub is_right: bool,
    /// Whether its hash should be made again, at the cost of today.
    pub is_weak: bool,
}

/// The cost is not one that a server may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bcrypt_cost: {0} is not between {BCRYPT_COST_MIN} and {BCRYPT_COST_MAX}")]
pub struct CostNotAllowed(pub u32);

impl Passwords {
    /// Hashes at this cost, on as many cores as there are.
    ///
    /// # Errors
    /// When the cost is lower than what is safe today, or so high that signing in takes minutes.
    pub fn new(cost: u32) -> Result<Self, CostNotAllowed> {
        if !(BCRYPT_COST_MIN..=BCRYPT_COST_MAX).contains(&cost) {
            return Err(CostNotAllowed(cost));
        }
        Ok(Self::at_any_cost(cost))
    }

    /// Hashes at a cost that a server may not have, for tests that are about something else.
    #[must_use]
    pub fn at_any_cost(cost: u32) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            cost,
            equal_cost: cost,
            nobodys: nobodys(cost),
            cores: Arc::new(Semaphore::new(cores)),
            waiting: Arc::new(Semaphore::new(cores + PASSWORDS_WAITING_MAX)),
        }
    }

    /// Takes as long for everybody as for hashes of this cost, where it is the higher one: those that were
    /// made before the cost was lowered.
    #[must_use]
    pub fn with_hashes_up_to(mut self, cost: u32) -> Self {
        let cost = cost.min(BCRYPT_COST_MAX);
        if self.equal_cost < cost {
            self.equal_cost = cost;
            self.nobodys = nobodys(cost);
        }
        self
    }

    /// The hash of a password, which was judged before.
    ///
    /// # Errors
    /// When too many wait, or the system gives no randomness.
    pub async fn hash(&self, password: String) -> Result<String, Problem> {
        let cost = self.cost;
        self.work(move || {
            if PASSWORD_BYTES_MAX < password.len() {
                return Err(bcrypt::BcryptError::Truncation(password.len()));
            }
            // Of 72 bytes every one counts. What the library calls non-truncating refuses 72 as well,
            // because it wants room for a NUL byte behind them; a password has none of those.
            bcrypt::hash(password, cost)
        })
        .await
    }

    /// Compares a password with a hash, or with nobody's.
    ///
    /// # Errors
    /// When too many wait, or the hash is none.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<Verdict, Problem> {
        let somebodys = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobodys.to_string());
        let cost = cost_of(&hash);
        let (is_weak, equal_cost) = (cost < self.cost, self.equal_cost);
        let is_right = self
            .work(move || {
                if PASSWORD_BYTES_MAX < password.len() {
                    return Ok(false);
                }
                let is_right = bcrypt::verify(password, &hash)?;
                // Each cost takes twice as long as the one below it: what it took, that much again, twice
                // that and so on is together what the equal cost takes.
                for cost in cost.max(BCRYPT_COST_LEAST)..equal_cost {
                    std::hint::black_box(bcrypt::bcrypt(cost, [0; 16], b"nobody's"));
                }
                Ok(is_right)
            })
            .await?;
        Ok(Verdict { is_right: is_right && somebodys, is_weak })
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, bcrypt::BcryptError> + Send + 'static,
    ) -> Result<T, Problem> {
        let busy = || {
            let text = "more people sign in than this server can take; try again in a moment";
            Problem::new(ProblemCode::Busy, text)
        };
        let _place = self.waiting.try_acquire().map_err(|_| busy())?;
        let core = Arc::clone(&self.cores).acquire_owned();
        let core = tokio::time::timeout(WAIT_MAX, core).await.map_err(|_| busy())?;
        let core = core.map_err(|_| busy())?;
        // The core is given back when the work ends, also where nobody waits for it any more.
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(core);
            done
        });
        match done.await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => {
                tracing::error!(%error, "a password was not hashed");
                Err(Problem::internal())
            }
            Err(_) => Err(Problem::internal()),
        }
    }
}

/// The hash of a password that nobody knows.
fn nobodys(cost: u32) -> Arc<str> {
    let password = crate::secret::hex(&crate::secret::random());
    bcrypt::hash(password, cost).unwrap_or_default().into()
}

/// `$2b$12$...` says 12; what says nothing is weak.
fn cost_of(hash: &str) -> u32 {
    hash.split('$').nth(2).and_then(|cost| cost.parse().ok()).unwrap_or(0)
}

/// The least cost that bcrypt has.
const BCRYPT_COST_LEAST: u32 = 4;

/// How long a password waits for a core.
const WAIT_MAX: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: u32 = 4;

    #[tokio::test]
    async fn a_password_is_compared_to_its_last_byte() {
        let passwords = Passwords::at_any_cost(LOW);
        let longest = "a".repeat(71);
        let hash = passwords.hash(format!("{longest}b")).await.expect("hashed");
        assert!(hash.starts_with("$2b$04$"), "{hash}");
        let is_right = async |given: String| {
            passwords.verify(given, Some(hash.clone())).await.expect("compared").is_right
        };
        assert!(is_right(format!("{longest}b")).await);
        assert!(!is_right(format!("{longest}c")).await);
        assert!(!is_right(longest.clone()).await);
        // The same 72 bytes and one more: a library that cuts off would let it in.
        assert!(!is_right(format!("{longest}bX")).await);
        passwords.hash(format!("{longest}bX")).await.expect_err("73 bytes");
    }

    #[tokio::test]
    async fn a_hash_of_a_lower_cost_is_weak_and_nobodys_is_never_right() {
        let passwords = Passwords::at_any_cost(LOW + 1);
        let weak = Passwords::at_any_cost(LOW).hash("password".into()).await.expect("hashed");
        let verdict = passwords.verify("password".into(), Some(weak)).await.expect("compared");
        assert!(verdict.is_right && verdict.is_weak);
        let verdict = passwords.verify("password".into(), None).await.expect("compared");
        assert!(!verdict.is_right);
    }

    /// The quickest of three, so that whatever else the machine does counts least.
    async fn quickest(passwords: &Passwords, hash: Option<&str>) -> Duration {
        let mut best = Duration::MAX;
        for _ in 0..3 {
            let start = std::time::Instant::now();
            let hash = hash.map(str::to_owned);
            passwords.verify("wrong password".into(), hash).await.expect("compared");
            best = best.min(start.elapsed());
        }
        best
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_takes_as_long_as_nobodys() {
        let (low, high) = (Passwords::at_any_cost(LOW), Passwords::at_any_cost(LOW + 5));
        let weak = low.hash("password".into()).await.expect("hashed");
        let nobodys = quickest(&high, None).await;
        let somebodys = quickest(&high, Some(&weak)).await;
        assert!(nobodys < somebodys * 2 && somebodys < nobodys * 2, "{nobodys:?} {somebodys:?}");
        // Where the cost was lowered, those that were made before still cost what they did.
        let dear = high.hash("password".into()).await.expect("hashed");
        let low = low.with_hashes_up_to(LOW + 5);
        let nobodys = quickest(&low, None).await;
        let somebodys = quickest(&low, Some(&dear)).await;
        assert!(nobodys < somebodys * 2 && somebodys < nobodys * 2, "{nobodys:?} {somebodys:?}");
    }

    #[test]
    fn a_server_hashes_at_twelve_or_more() {
        assert_eq!(Passwords::new(11).expect_err("too low"), CostNotAllowed(11));
        assert_eq!(Passwords::new(19).expect_err("too high"), CostNotAllowed(19));
        assert!(Passwords::new(12).is_ok());
    }

    #[tokio::test]
    async fn more_than_may_wait_are_told_so() {
        let passwords = Passwords::at_any_cost(LOW);
        let all = passwords.waiting.available_permits();
        let places = passwords.waiting.try_acquire_many(u32::try_from(all).expect("few"));
        let refused = passwords.hash("password".into()).await.expect_err("full");
        assert_eq!(refused.code(), ProblemCode::Busy);
        drop(places);
        passwords.hash("password".into()).await.expect("there is room");
    }
}
