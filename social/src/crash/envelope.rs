//! Sentry's envelope: a line of JSON, then items, each a line of JSON and what it announces.
//!
//! Read tolerantly: an item of a kind that this does not know is skipped, and so is one whose content
//! makes no sense; a report is lost then, and nothing else. See
//! <https://develop.sentry.dev/sdk/data-model/envelopes/>.

use std::io::Read as _;

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use serde_json::Value;

use crate::limits::{CRASH_BYTES_MAX, CRASH_ITEMS_MAX};

/// How a body was packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// Not at all.
    None,
    /// With gzip.
    Gzip,
    /// With zlib, which HTTP calls deflate.
    Deflate,
}

impl Packing {
    /// What a header says; none where it is something else.
    pub(super) fn of(header: Option<&str>) -> Option<Self> {
        match header.map(str::trim) {
            None | Some("" | "identity") => Some(Self::None),
            Some("gzip" | "x-gzip") => Some(Self::Gzip),
            Some("deflate") => Some(Self::Deflate),
            Some(_) => None,
        }
    }
}

/// Why nothing was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Unpacked, it has too many bytes.
    TooLarge,
    /// It is not packed as it says.
    Broken,
}

/// Unpacks a body, as far as it may be large.
pub(super) fn unpack(body: &[u8], packing: Packing) -> Result<Vec<u8>, Unreadable> {
    let limit = u64::try_from(CRASH_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut unpacked = Vec::new();
    let read = match packing {
        Packing::None => body.take(limit).read_to_end(&mut unpacked),
        Packing::Gzip => MultiGzDecoder::new(body).take(limit).read_to_end(&mut unpacked),
        Packing::Deflate => ZlibDecoder::new(body).take(limit).read_to_end(&mut unpacked),
    };
    read.map_err(|_| Unreadable::Broken)?;
    if CRASH_BYTES_MAX < unpacked.len() { Err(Unreadable::TooLarge) } else { Ok(unpacked) }
}

/// The events of an envelope, and the id that it says it has.
pub(super) fn read(envelope: &[u8]) -> (Option<String>, Vec<Value>) {
    let (header, mut rest) = line(envelope);
    let header: Value = serde_json::from_slice(header).unwrap_or_default();
    let id = header["event_id"].as_str().filter(|id| is_id(id)).map(str::to_owned);
    let mut events = Vec::new();
    for _ in 0..CRASH_ITEMS_MAX {
        if rest.is_empty() {
            break;
        }
        let (item, after) = line(rest);
        let Ok(item) = serde_json::from_slice::<Value>(item) else { break };
        let length = item["length"].as_u64().and_then(|length| usize::try_from(length).ok());
        let content = match length {
            Some(length) if length <= after.len() => {
                let (content, after) = after.split_at(length);
                rest = after.strip_prefix(b"\n").unwrap_or(after);
                content
            }
            // It announces more than there is.
            Some(_) => break,
            None => {
                let (content, after) = line(after);
                rest = after;
                content
            }
        };
        if item["type"] == "event" {
            events.extend(serde_json::from_slice::<Value>(content).ok());
        }
    }
    (id, events)
}

/// Up to the end of a line, and what comes after it.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}

/// Whether it is one of Sentry's ids: 32 digits.
pub(super) fn is_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const ID: &str = "9ec79c33ec9942ab8353589fcb2e04dc";

    #[test]
    fn events_are_found_among_items_of_other_kinds() {
        let text = format!(
            "{{\"event_id\":\"{ID}\"}}\n{{\"type\":\"attachment\",\"length\":4}}\n\n\n\n\n\n\
             {{\"type\":\"unheard_of\"}}\nwhatever\n{{\"type\":\"event\",\"length\":7}}\n{{\"a\":1}}\n\
             {{\"type\":\"event\"}}\n{{\"a\":2}}"
        );
        let (id, events) = read(text.as_bytes());
        assert_eq!(id.as_deref(), Some(ID));
        assert_eq!(events, [serde_json::json!({ "a": 1 }), serde_json::json!({ "a": 2 })]);
    }

    #[test]
    fn what_makes_no_sense_is_no_event() {
        for text in [
            "",
            "\n",
            "{}",
            "no json\n{\"type\":\"event\",\"length\":99}\n{}",
            "{}\nno item\n{}",
            "{}\n{\"type\":\"event\",\"length\":2}\n{",
            "{}\n{\"type\":\"event\"}\nno json",
        ] {
            assert_eq!(read(text.as_bytes()), (None, vec![]), "{text}");
        }
    }

    #[test]
    fn many_items_are_not_read_to_the_end() {
        let mut text = "{}\n".to_owned();
        for _ in 0..2 * CRASH_ITEMS_MAX {
            text.push_str("{\"type\":\"event\"}\n{}\n");
        }
        assert_eq!(read(text.as_bytes()).1.len(), CRASH_ITEMS_MAX);
    }

    #[test]
    fn a_packed_body_is_unpacked_and_a_bomb_is_not() {
        let pack = |bytes: &[u8]| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(bytes).expect("packed");
            packed.finish().expect("packed")
        };
        assert_eq!(unpack(&pack(b"{}"), Packing::Gzip), Ok(b"{}".to_vec()));
        let bomb = pack(&vec![b' '; 10 * CRASH_BYTES_MAX]);
        assert!(bomb.len() < CRASH_BYTES_MAX / 10, "it is small where it comes in");
        assert_eq!(unpack(&bomb, Packing::Gzip), Err(Unreadable::TooLarge));
        assert_eq!(unpack(b"not packed", Packing::Gzip), Err(Unreadable::Broken));
        assert_eq!(unpack(b"{}", Packing::None), Ok(b"{}".to_vec()));
    }
}
