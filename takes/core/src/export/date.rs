//! Room time as a date, in UTC.

use protocol::time::RoomTime;

/// A moment as people and archives write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    pub(super) month: u16,
    pub(super) day: u16,
    pub(super) hour: u16,
    pub(super) minute: u16,
    pub(super) second: u16,
}

impl Date {
    pub(super) fn of(time: RoomTime) -> Self {
        let seconds = time.as_ns().div_euclid(1_000_000_000);
        let (mut days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Four hundred years are 146,097 days; less are stepped through.
        let mut year = 1970 + 400 * days.div_euclid(146_097);
        days = days.rem_euclid(146_097);
        while days_of_year(year) <= days {
            days -= days_of_year(year);
            year += 1;
        }
        let mut month = 1;
        while days_of_month(year, month) <= days {
            days -= days_of_month(year, month);
            month += 1;
        }
        let small = |value: i64| u16::try_from(value).expect("at most 60");
        Self {
            year,
            month,
            day: small(days + 1),
            hour: small(of_day / 3600),
            minute: small(of_day / 60 % 60),
            second: small(of_day % 60),
        }
    }

    /// `2026-11-28 14:03 UTC`.
    pub(super) fn text(&self) -> String {
        let Self { year, month, day, hour, minute, .. } = self;
        format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
    }

    /// The time and the date in the format that zip has of MS-DOS, which begins in 1980 and ends in 2107.
    pub(super) fn dos(&self) -> (u16, u16) {
        let Self { year, month, day, hour, minute, second } = *self;
        let year = u16::try_from((year - 1980).clamp(0, 127)).expect("clamped");
        (hour << 11 | minute << 5 | (second / 2), year << 9 | month << 5 | day)
    }
}

fn days_of_year(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: i64, month: u16) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_790_000_000, "2026-09-21 14:13 UTC"),
            (4_107_542_400, "2100-03-01 00:00 UTC"),
            (-60, "1969-12-31 23:59 UTC"),
        ] {
            let date = Date::of(RoomTime::from_ns(seconds * 1_000_000_000));
            assert_eq!(date.text(), expected);
        }
        let date = Date::of(RoomTime::from_ns(1_790_000_000_000_000_000));
        assert_eq!(date.dos(), (14 << 11 | 13 << 5 | 10, 46 << 9 | 9 << 5 | 21));
        let _ = Date::of(RoomTime::from_ns(i64::MIN)).dos();
        let _ = Date::of(RoomTime::from_ns(i64::MAX)).dos();
    }
}
