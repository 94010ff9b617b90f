//! The few bytes of STUN (RFC 8489) that must be read before it is known whose a message is.
//!
//! Nothing here authenticates: that takes the password of the link that the username names. Every
//! function borrows, and gives `None` for anything malformed.

/// Bytes of the fixed header.
pub const HEADER_BYTES: usize = 20;

/// Names one request and its response.
pub type TransactionId = [u8; 12];

/// What a STUN message is, as far as ICE-lite cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A connectivity check.
    Request,
    /// The answer to one.
    Success,
    /// Anything else: an error, an indication, another method.
    Other,
}

/// A STUN message of which only what is asked for is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Request, answer, or neither.
    pub class: Class,
    /// The transaction.
    pub transaction_id: TransactionId,
    /// The value of USERNAME: ufrag of the receiver, a colon, ufrag of the sender.
    pub username: Option<&'a str>,
    /// Whether the controlling end nominates the path that this request came by.
    pub use_candidate: bool,
}

impl<'a> Message<'a> {
    /// Reads a message; all attributes must fit into the length that the header claims, and that
    /// into the datagram.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER_BYTES>()?;
        if header[0] & 0xc0 != 0 || header[4..8] != MAGIC_COOKIE {
            return None;
        }
        let class = match [header[0], header[1]] {
            [0x00, 0x01] => Class::Request,
            [0x01, 0x01] => Class::Success,
            _ => Class::Other,
        };
        let mut transaction_id = [0; 12];
        transaction_id.copy_from_slice(&header[8..20]);
        let body_bytes = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let mut body = bytes.get(HEADER_BYTES..HEADER_BYTES + body_bytes)?;
        let mut message = Self { class, transaction_id, username: None, use_candidate: false };
        while !body.is_empty() {
            let head = body.first_chunk::<4>()?;
            let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let value = body.get(4..4 + len)?;
            match u16::from_be_bytes([head[0], head[1]]) {
                USERNAME => message.username = Some(core::str::from_utf8(value).ok()?),
                USE_CANDIDATE => message.use_candidate = true,
                // What follows the integrity is not covered by it (RFC 8489 §14.5).
                MESSAGE_INTEGRITY => break,
                _ => {}
            }
            body = body.get(4 + len.next_multiple_of(4)..)?;
        }
        Some(message)
    }

    /// The receiver's ufrag: the part of the username before the colon.
    #[must_use]
    pub fn receiver_ufrag(&self) -> Option<&'a str> {
        self.username?.split_once(':').map(|(receiver, _)| receiver)
    }
}

const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const USE_CANDIDATE: u16 = 0x0025;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(attributes: &[u8]) -> Vec<u8> {
        let len = u8::try_from(attributes.len()).expect("short");
        let mut bytes = vec![0, 1, 0, len];
        bytes.extend(MAGIC_COOKIE);
        bytes.extend(*b"transaction!");
        bytes.extend(attributes);
        bytes
    }

    #[test]
    fn username_and_nomination_are_found() {
        let bytes = request(b"\x00\x06\x00\x05ab:cd\0\0\0\x00\x25\x00\x00");
        let message = Message::parse(&bytes).expect("well formed");
        assert_eq!(message.class, Class::Request);
        assert_eq!(message.transaction_id, *b"transaction!");
        assert_eq!(message.receiver_ufrag(), Some("ab"));
        assert!(message.use_candidate);
    }

    #[test]
    fn what_follows_the_integrity_is_not_believed() {
        let mut attributes = b"\x00\x08\x00\x14".to_vec();
        attributes.extend([0; 20]);
        attributes.extend(b"\x00\x25\x00\x00");
        let bytes = request(&attributes);
        assert!(!Message::parse(&bytes).expect("well formed").use_candidate);
    }

    #[test]
    fn attributes_that_promise_too_much_are_malformed() {
        for attributes in [&b"\x00\x06\x00\x09ab:c"[..], b"\x00\x06\x00", b"\x00\x06\x00\x05ab:cd"]
        {
            assert_eq!(Message::parse(&request(attributes)), None, "{attributes:?}");
        }
        let whole = request(b"\x00\x25\x00\x00");
        for len in 0..whole.len() {
            assert_eq!(Message::parse(&whole[..len]), None, "cut to {len}");
        }
    }
}
