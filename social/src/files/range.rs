//! Which bytes of a file somebody wants: the header `Range` (RFC 9110, 14.2).

use std::ops::Range;

/// What a request wants of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    All,
    /// These bytes, of which there is at least one.
    Some(Range<u64>),
    /// Bytes that it does not have.
    Nothing,
}

/// Reads the header for a file of so many bytes. What it does not understand, it may not regard: then
/// all is wanted. So it is where several ranges are, which no player asks for.
pub(super) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let ranges = header.and_then(|text| text.trim().strip_prefix("bytes="));
    let Some((first, last)) = ranges.and_then(|text| text.trim().split_once('-')) else {
        return Wanted::All;
    };
    match (number(first), number(last)) {
        (Some(None), Some(Some(0))) => Wanted::Nothing,
        (Some(None), Some(Some(count))) => Wanted::Some(size.saturating_sub(count)..size),
        (Some(Some(first)), Some(last)) => {
            let last = last.unwrap_or(u64::MAX);
            if last < first {
                return Wanted::All;
            }
            if size <= first {
                return Wanted::Nothing;
            }
            Wanted::Some(first..size.min(last.saturating_add(1)))
        }
        _ => Wanted::All,
    }
}

/// A number, or none where nothing stands; nothing where something else does.
fn number(text: &str) -> Option<Option<u64>> {
    match text {
        "" => Some(None),
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok().map(Some),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_what_the_standard_says() {
        for (header, expected) in [
            ("bytes=0-0", Wanted::Some(0..1)),
            ("bytes=0-9", Wanted::Some(0..10)),
            ("bytes=5-", Wanted::Some(5..10)),
            ("bytes=5-999", Wanted::Some(5..10)),
            ("bytes=-3", Wanted::Some(7..10)),
            ("bytes=-999", Wanted::Some(0..10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=9-9", Wanted::Some(9..10)),
            ("bytes=5-4", Wanted::All),
            ("bytes=0-1,3-4", Wanted::All),
            ("bytes=-", Wanted::All),
            ("bytes=a-b", Wanted::All),
            ("bytes=+1-2", Wanted::All),
            ("bytes=99999999999999999999-", Wanted::All),
            ("lines=0-1", Wanted::All),
            ("", Wanted::All),
        ] {
            assert_eq!(wanted(Some(header), 10), expected, "{header}");
        }
        assert_eq!(wanted(None, 10), Wanted::All);
    }
}
