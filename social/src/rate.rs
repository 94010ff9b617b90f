//! How often somebody may ask for what costs much, or tells something.
//!
//! Rates are counted in memory, by account and by address, under hashes that end with the process: no
//! address is kept. What surprises: nobody is refused because too many others ask. Where a table is
//! full, somebody is forgotten for each who comes, of a few the one who has asked for least.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};

use crate::clock::Clock;
use crate::limits::{RATE_CLEAN_EVERY, RATE_KEYS_MAX};
use crate::problem::Problem;
use crate::secret::{Purpose, ServerKey};

/// Whom a rate is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RateKey([u8; 16]);

impl RateKey {
    /// For something that has a name.
    #[must_use]
    pub fn of(key: &ServerKey, kind: &str, name: &[u8]) -> Self {
        let mut data = kind.as_bytes().to_vec();
        data.push(0);
        data.extend_from_slice(name);
        let hash = key.keyed_hash(Purpose::Rate, &data);
        let (half, _) = hash.split_at(16);
        Self(half.try_into().unwrap_or_default())
    }

    /// For something that can be hashed.
    #[must_use]
    pub fn of_hash(key: &ServerKey, kind: &str, of: &impl Hash) -> Self {
        let mut bytes = Bytes(Vec::new());
        of.hash(&mut bytes);
        Self::of(key, kind, &bytes.0)
    }
}

/// Collects what would be hashed.
struct Bytes(Vec<u8>);

impl Hasher for Bytes {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

/// So many at once, and that many again in `period`.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// At once.
    pub burst: NonZeroU32,
    /// In which they come back.
    pub period: Duration,
}

/// Counts one kind of request for everybody.
#[derive(Debug)]
pub struct Limiter {
    limiter: RateLimiter<RateKey, Table, GovernedClock, NoOpMiddleware<Duration>>,
    counted: Arc<Mutex<Counted>>,
    /// In which one comes back.
    each: Nanos,
}

impl Limiter {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new(rate: Rate, clock: Arc<dyn Clock>) -> Self {
        // None for a period of nothing, where nobody has to wait.
        let quota = Quota::with_period(rate.period / rate.burst.get())
            .unwrap_or(Quota::per_second(rate.burst))
            .allow_burst(rate.burst);
        let clock = GovernedClock(clock);
        let counted = Arc::default();
        let table =
            Table { begun: clock.now(), clock: clock.clone(), counted: Arc::clone(&counted) };
        let each = (rate.period / rate.burst.get()).into();
        Self { limiter: RateLimiter::new(quota, table, clock), counted, each }
    }

    /// Counts a request of somebody.
    ///
    /// # Errors
    /// When they have to wait, and for how long.
    pub fn count(&self, key: RateKey) -> Result<(), Problem> {
        let now = self.limiter.clock().now();
        self.limiter.check_key(&key).map_err(|until| Problem::too_many(until.wait_time_from(now)))
    }

    /// Takes back that a request was counted: one that turns out to be none of those that are limited. It is
    /// counted while that is not known, so that many at once are not let through.
    pub fn give_back(&self, key: RateKey) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = counted.until.get_mut(&key) {
            *until = until.saturating_sub(self.each);
        }
    }

    /// How many are counted.
    #[must_use]
    pub fn counted(&self) -> usize {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).until.len()
    }
}

/// When each may ask for everything again, as the counting library reckons: since the table was begun.
#[derive(Debug)]
struct Table {
    clock: GovernedClock,
    begun: Duration,
    counted: Arc<Mutex<Counted>>,
}

#[derive(Debug, Default)]
struct Counted {
    until: HashMap<RateKey, Nanos>,
    /// When those were last forgotten who may ask for everything again.
    cleaned: Option<Nanos>,
}

impl Counted {
    /// Makes room for one more.
    fn make_room(&mut self, now: Nanos) {
        let is_time = self.cleaned.is_none_or(|at| at + Nanos::from(RATE_CLEAN_EVERY) <= now);
        if is_time {
            self.cleaned = Some(now);
            self.until.retain(|_, until| now < *until);
        }
        if RATE_KEYS_MAX <= self.until.len() {
            // Whoever guesses has asked for much, and is not forgotten because others come.
            let few = self.until.iter().take(FORGOTTEN_OF);
            let least = few.min_by_key(|(_, until)| **until).map(|(key, _)| *key);
            if let Some(least) = least {
                self.until.remove(&least);
            }
        }
    }
}

impl StateStore for Table {
    type Key = RateKey;

    fn measure_and_replace<T, F, E>(&self, key: &RateKey, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let until = counted.until.get(key).copied();
        let (answer, next) = measure(until)?;
        if until.is_none() && RATE_KEYS_MAX <= counted.until.len() {
            counted.make_room(self.clock.now().saturating_sub(self.begun).into());
        }
        counted.until.insert(*key, next);
        Ok(answer)
    }
}

/// Of how many one is forgotten where the table is full. They are the first that the table has, which
/// nobody outside can tell: its order is random.
const FORGOTTEN_OF: usize = 16;

/// The clock of this crate as the counting library wants one.
#[derive(Clone)]
struct GovernedClock(Arc<dyn Clock>);

impl GovernorClock for GovernedClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.now().0).unwrap_or(0))
    }
}

impl fmt::Debug for GovernedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, UnixMs};
    use crate::problem::ProblemCode;

    fn key(number: u32) -> RateKey {
        RateKey::of(&ServerKey::new([0; 32]), "test", &number.to_le_bytes())
    }

    #[test]
    fn a_burst_is_let_through_and_comes_back() {
        let clock = Arc::new(ManualClock::new(UnixMs(1_000_000)));
        let burst = NonZeroU32::new(3).expect("not zero");
        let rate = Rate { burst, period: Duration::from_secs(30) };
        let limiter = Limiter::new(rate, clock.clone());
        for _ in 0..3 {
            limiter.count(key(1)).expect("within the burst");
        }
        let problem = limiter.count(key(1)).expect_err("beyond it");
        assert_eq!(problem.code(), ProblemCode::TooMany);
        assert!(problem.detail().contains("10 s"), "{problem:?}");
        limiter.count(key(2)).expect("somebody else");
        clock.advance(Duration::from_secs(10));
        limiter.count(key(1)).expect("one came back");
        limiter.count(key(1)).expect_err("only one");
    }

    #[test]
    fn what_is_given_back_was_not_counted() {
        let clock = Arc::new(ManualClock::new(UnixMs(1_000_000)));
        let burst = NonZeroU32::new(3).expect("not zero");
        let limiter = Limiter::new(Rate { burst, period: Duration::from_secs(30) }, clock);
        limiter.give_back(key(1));
        for _ in 0..10 {
            limiter.count(key(1)).expect("it was given back");
            limiter.give_back(key(1));
        }
        for _ in 0..3 {
            limiter.count(key(1)).expect("within the burst, and no more");
        }
        limiter.count(key(1)).expect_err("beyond it");
        limiter.give_back(key(1));
        limiter.count(key(1)).expect("one came back");
        limiter.count(key(1)).expect_err("only one");
    }

    #[test]
    fn where_more_ask_than_can_be_counted_nobody_is_refused_and_those_who_ask_most_are_not_forgotten()
     {
        let clock = Arc::new(ManualClock::new(UnixMs(1_000_000)));
        let burst = NonZeroU32::new(3).expect("not zero");
        let rate = Rate { burst, period: Duration::from_secs(30) };
        let limiter = Limiter::new(rate, clock.clone());
        let all = u32::try_from(RATE_KEYS_MAX).expect("fits");
        for _ in 0..3 {
            limiter.count(key(0)).expect("within the burst");
        }
        for number in 1..2 * all {
            limiter.count(key(number)).expect("nobody is refused for others");
        }
        limiter.count(key(0)).expect_err("the guesser is remembered");
        assert_eq!(limiter.counted(), RATE_KEYS_MAX);
        clock.advance(Duration::from_secs(60));
        limiter.count(key(2 * all)).expect("there is room");
        assert_eq!(limiter.counted(), 1, "whoever may ask for everything again is not kept");
    }
}
