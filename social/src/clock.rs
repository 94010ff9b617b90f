//! What time it is, asked of whoever was given as the clock.
//!
//! Nothing in this crate reads the system's clock by itself: retention, expiry and retries are tested
//! by turning a clock forward, and no test waits.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sqlx::{Database, Decode, Encode, Type};

/// A moment, in milliseconds since 1 January 1970 UTC; how the database keeps every time.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct UnixMs(pub i64);

impl UnixMs {
    /// Later by so much; the end of time where there is nothing later.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Earlier by so much.
    #[must_use]
    pub fn before(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; nothing where it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The day in UTC, as every language reads it: `2026-11-28`.
    #[must_use]
    pub fn iso_date(self) -> String {
        let (year, month, day) = self.date();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// Year, month and day in UTC.
    #[must_use]
    pub fn date(self) -> (i64, u8, u8) {
        // Days since 1 March of the year 0: a leap day is then the last of its year, and months
        // have lengths that repeat every five (153 days).
        let days = self.0.div_euclid(DAY_MS) + DAYS_FROM_MARCH_OF_YEAR_0_TO_1970;
        let era = days.div_euclid(DAYS_IN_400_YEARS);
        let day_of_era = days.rem_euclid(DAYS_IN_400_YEARS);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
    }
}

const DAY_MS: i64 = 86_400_000;
const DAYS_IN_400_YEARS: i64 = 146_097;
const DAYS_FROM_MARCH_OF_YEAR_0_TO_1970: i64 = 719_468;

impl<DB: Database> Type<DB> for UnixMs
where
    i64: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <i64 as Type<DB>>::type_info()
    }

    fn compatible(ty: &DB::TypeInfo) -> bool {
        <i64 as Type<DB>>::compatible(ty)
    }
}

impl<'q, DB: Database> Encode<'q, DB> for UnixMs
where
    i64: Encode<'q, DB>,
{
    fn encode_by_ref(
        &self,
        buffer: &mut DB::ArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        self.0.encode_by_ref(buffer)
    }
}

impl<'r, DB: Database> Decode<'r, DB> for UnixMs
where
    i64: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        i64::decode(value).map(Self)
    }
}

/// Tells the time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// What time it is.
    fn now(&self) -> UnixMs;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMs(0).after(since)
    }
}

/// A clock that stands still until it is turned forward, for tests.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Stands at this moment.
    #[must_use]
    pub const fn new(at: UnixMs) -> Self {
        Self(AtomicI64::new(at.0))
    }

    /// Turns it forward.
    pub fn advance(&self, by: Duration) {
        let now = self.now().after(by);
        // Relaxed: a moment by itself; nothing else is published by it.
        self.0.store(now.0, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixMs {
        UnixMs(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, date) in [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (951_782_400, (2000, 2, 29)),
            (951_868_800, (2000, 3, 1)),
            (1_709_251_199, (2024, 2, 29)),
            (4_107_542_400, (2100, 3, 1)),
            (4_107_542_399, (2100, 2, 28)),
            (-2_203_891_200, (1900, 3, 1)),
        ] {
            assert_eq!(UnixMs(seconds * 1000).date(), date, "{seconds}");
        }
    }

    #[test]
    fn a_manual_clock_moves_only_when_it_is_turned() {
        let clock = ManualClock::new(UnixMs(1000));
        assert_eq!(clock.now(), UnixMs(1000));
        clock.advance(Duration::from_secs(2));
        assert_eq!(clock.now(), UnixMs(3000));
        assert_eq!(clock.now().since(UnixMs(2500)), Duration::from_millis(500));
        assert_eq!(UnixMs(0).since(clock.now()), Duration::ZERO);
    }
}
