//! Quantities as people write them: a number and its unit. A number without a unit is an error,
//! but for 0.

use core::time::Duration;

/// Why a text is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedQuantity {
    /// A duration.
    #[error("a time is written like 20ms, 500us or 1.5s")]
    Duration,
    /// A part of one.
    #[error("a probability is written like 1% or 0.01, from 0 to 100 %")]
    Part,
    /// Bits per second.
    #[error("a rate is written like 300kbit, 2mbit or 1gbit (per second)")]
    Rate,
    /// Bytes.
    #[error("a size is written like 1500B or 64kB")]
    Bytes,
    /// How often, or how many.
    #[error("a number is written like 3 or 0.5")]
    Number,
    /// A name that is not among those.
    #[error("it is one of {0}")]
    OneOf(&'static str),
}

/// `20ms`, `500us`, `1.5s`.
///
/// # Errors
///
/// Says how it is written.
pub fn duration(text: &str) -> Result<Duration, MalformedQuantity> {
    let units = [("ms", 1e-3), ("us", 1e-6), ("µs", 1e-6), ("s", 1.0)];
    let seconds = measured(text, &units).ok_or(MalformedQuantity::Duration)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| MalformedQuantity::Duration)
}

/// `1%`, `0.01`.
///
/// # Errors
///
/// Says how it is written.
pub fn part(text: &str) -> Result<f64, MalformedQuantity> {
    let part = measured(text, &[("%", 0.01)]).or_else(|| text.parse().ok());
    part.filter(|part| (0.0..=1.0).contains(part)).ok_or(MalformedQuantity::Part)
}

/// `300kbit`, `2mbit`: bits per second.
///
/// # Errors
///
/// Says how it is written.
pub fn rate(text: &str) -> Result<u64, MalformedQuantity> {
    let units = [("kbit", 1e3), ("mbit", 1e6), ("gbit", 1e9), ("bit", 1.0)];
    whole(measured(&text.to_lowercase(), &units)).ok_or(MalformedQuantity::Rate)
}

/// `1500B`, `64kB`.
///
/// # Errors
///
/// Says how it is written.
pub fn bytes(text: &str) -> Result<u64, MalformedQuantity> {
    let units = [("kb", 1e3), ("mb", 1e6), ("b", 1.0)];
    whole(measured(&text.to_lowercase(), &units)).ok_or(MalformedQuantity::Bytes)
}

/// A number that is not below zero.
///
/// # Errors
///
/// Says how it is written.
pub fn number(text: &str) -> Result<f64, MalformedQuantity> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && 0.0 <= *number);
    number.ok_or(MalformedQuantity::Number)
}

/// The number before the first unit that fits, in the unit that counts as one.
fn measured(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    if text == "0" {
        return Some(0.0);
    }
    let (number, unit) =
        units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    let number = number.trim_end().parse().ok().filter(|number: &f64| number.is_finite())?;
    Some(number * unit)
}

fn whole(number: Option<f64>) -> Option<u64> {
    let number = number?.round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within bounds")]
    (0.0..1e15).contains(&number).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_units() {
        assert_eq!(duration("20ms"), Ok(Duration::from_millis(20)));
        assert_eq!(duration("1.5 s"), Ok(Duration::from_millis(1_500)));
        assert_eq!(duration("250us"), Ok(Duration::from_micros(250)));
        assert_eq!(duration("250µs"), Ok(Duration::from_micros(250)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(part("1%"), Ok(0.01));
        assert_eq!(part("0.5"), Ok(0.5));
        assert_eq!(rate("300kbit"), Ok(300_000));
        assert_eq!(rate("1.5Mbit"), Ok(1_500_000));
        assert_eq!(bytes("64kB"), Ok(64_000));
        assert_eq!(bytes("7B"), Ok(7));
        assert_eq!(number("0.5"), Ok(0.5));
    }

    #[test]
    fn what_is_no_quantity_says_how_it_is_written() {
        for text in ["20", "-1ms", "ms", "infs", "NaNs", "1e300s", "20 minutes", ""] {
            assert_eq!(duration(text), Err(MalformedQuantity::Duration), "{text}");
        }
        for text in ["2", "101%", "-1%", "NaN", "%"] {
            assert_eq!(part(text), Err(MalformedQuantity::Part), "{text}");
        }
        for text in ["300", "-1bit", "1e99gbit", "fast"] {
            assert_eq!(rate(text), Err(MalformedQuantity::Rate), "{text}");
        }
        assert_eq!(bytes("12"), Err(MalformedQuantity::Bytes));
        assert_eq!(number("inf"), Err(MalformedQuantity::Number));
    }
}
