//! Puts a ClientHello that came in several datagrams together before the DTLS library sees it.
//!
//! A ClientHello with a post-quantum key share does not fit one datagram, so Firefox sends it in
//! fragments (RFC 6347 §4.2.3), and sends them again while the handshake is slow to start. `dimpl`
//! 0.9 finds such a message complete, then joins the repeated fragments to it as well, finds the
//! length wrong, and never answers. Here every byte is taken once, and what is handed on is one
//! unfragmented message, which is also what the handshake hash is defined over (§4.2.6). Nothing
//! but ClientHello fragments is touched.

use crate::limits::HELLO_BYTES_MAX;

/// Collects the fragments of one ClientHello at a time.
#[derive(Debug, Default)]
pub(crate) struct HelloAssembly {
    /// Record header, handshake header, body: the datagram that will be handed on. Empty while
    /// nothing is being collected.
    datagram: Vec<u8>,
    /// Which bytes of the body are there.
    present: Vec<bool>,
    message_seq: u16,
}

/// What to do with a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Hand it on as it is.
    Unchanged,
    /// It was a fragment; more are needed.
    Kept,
    /// It completed a message: hand this on instead.
    Whole(Vec<u8>),
}

impl HelloAssembly {
    /// Looks at one DTLS datagram from a client.
    pub(crate) fn handle(&mut self, datagram: &[u8]) -> Verdict {
        let mut verdict = Verdict::Unchanged;
        let mut rest = datagram;
        while !rest.is_empty() {
            let Some((fragment, after)) = Fragment::parse(rest) else { return Verdict::Unchanged };
            rest = after;
            match self.add(&fragment) {
                Some(whole) => verdict = Verdict::Whole(whole),
                None if verdict == Verdict::Unchanged => verdict = Verdict::Kept,
                None => {}
            }
        }
        verdict
    }

    fn add(&mut self, fragment: &Fragment<'_>) -> Option<Vec<u8>> {
        let other = self.message_seq != fragment.message_seq
            || self.present.len() != fragment.message_bytes;
        if self.datagram.is_empty() || other {
            self.message_seq = fragment.message_seq;
            self.present = vec![false; fragment.message_bytes];
            self.datagram = vec![0; HEADERS_BYTES + fragment.message_bytes];
        }
        let (headers, body) = self.datagram.split_at_mut(HEADERS_BYTES);
        // The newest record's header: its sequence number has not been seen by the library.
        headers[..RECORD_HEADER_BYTES].copy_from_slice(fragment.record_header);
        let handshake_bytes = u16::try_from(HANDSHAKE_HEADER_BYTES + body.len()).ok()?;
        headers[11..13].copy_from_slice(&handshake_bytes.to_be_bytes());
        headers[13] = CLIENT_HELLO;
        let length = u32::try_from(body.len()).ok()?.to_be_bytes();
        headers[14..17].copy_from_slice(&length[1..]);
        headers[17..19].copy_from_slice(&fragment.message_seq.to_be_bytes());
        headers[22..25].copy_from_slice(&length[1..]);
        let end = fragment.offset + fragment.body.len();
        body[fragment.offset..end].copy_from_slice(fragment.body);
        self.present[fragment.offset..end].fill(true);
        if self.present.iter().all(|present| *present) {
            self.present = Vec::new();
            return Some(core::mem::take(&mut self.datagram));
        }
        None
    }
}

/// One record that holds one fragment of a ClientHello.
struct Fragment<'a> {
    record_header: &'a [u8],
    message_bytes: usize,
    message_seq: u16,
    offset: usize,
    body: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// The fragment at the start of `bytes` and what follows it; `None` for anything else.
    fn parse(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (record_header, rest) = bytes.split_at_checked(RECORD_HEADER_BYTES)?;
        let unprotected_handshake = record_header[0] == 22 && record_header[3..5] == [0, 0];
        let record_bytes = usize::from(u16::from_be_bytes([record_header[11], record_header[12]]));
        let (record, after) = rest.split_at_checked(record_bytes)?;
        let (handshake, body) = record.split_at_checked(HANDSHAKE_HEADER_BYTES)?;
        let message_bytes = length_24(&handshake[1..4]);
        let offset = length_24(&handshake[6..9]);
        let whole = body.len() == message_bytes;
        let fits = length_24(&handshake[9..12]) == body.len()
            && !body.is_empty()
            && offset + body.len() <= message_bytes
            && message_bytes <= HELLO_BYTES_MAX;
        if !unprotected_handshake || handshake[0] != CLIENT_HELLO || whole || !fits {
            return None;
        }
        let message_seq = u16::from_be_bytes([handshake[4], handshake[5]]);
        Some((Self { record_header, message_bytes, message_seq, offset, body }, after))
    }
}

fn length_24(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
}

const RECORD_HEADER_BYTES: usize = 13;
const HANDSHAKE_HEADER_BYTES: usize = 12;
const HEADERS_BYTES: usize = RECORD_HEADER_BYTES + HANDSHAKE_HEADER_BYTES;
const CLIENT_HELLO: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    /// A record with the fragment `offset..offset + len` of a ClientHello of `total` bytes whose
    /// byte n is n.
    fn fragment(record_seq: u8, total: usize, offset: usize, len: usize) -> Vec<u8> {
        let three = |n: usize| <[u8; 3]>::try_from(&n.to_be_bytes()[5..]).expect("three bytes");
        let mut bytes = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, record_seq];
        bytes.extend(u16::try_from(12 + len).expect("short").to_be_bytes());
        bytes.push(CLIENT_HELLO);
        bytes.extend(three(total));
        bytes.extend([0, 0]);
        bytes.extend(three(offset));
        bytes.extend(three(len));
        bytes.extend((offset..offset + len).map(|n| n.to_be_bytes()[7]));
        bytes
    }

    #[test]
    fn fragments_become_one_message_in_any_order_and_however_often_they_come() {
        let whole = Verdict::Whole(fragment(3, 100, 0, 100));
        let mut assembly = HelloAssembly::default();
        assert_eq!(assembly.handle(&fragment(1, 100, 60, 40)), Verdict::Kept);
        assert_eq!(assembly.handle(&fragment(2, 100, 60, 40)), Verdict::Kept);
        assert_eq!(assembly.handle(&fragment(3, 100, 0, 60)), whole);

        // Sent again, cut elsewhere, overlapping, both in one datagram.
        let whole = Verdict::Whole(fragment(5, 100, 0, 100));
        let both = [fragment(4, 100, 0, 80), fragment(5, 100, 70, 30)].concat();
        assert_eq!(assembly.handle(&both), whole);
    }

    #[test]
    fn everything_else_passes_unchanged() {
        let mut assembly = HelloAssembly::default();
        let mut server_hello = fragment(1, 100, 0, 60);
        server_hello[13] = 2;
        let mut encrypted = fragment(1, 100, 0, 60);
        encrypted[4] = 1;
        for datagram in [
            fragment(1, 100, 0, 100),
            server_hello,
            encrypted,
            fragment(1, 100, 0, 60)[..40].to_vec(),
            fragment(1, 100, 90, 20),
            fragment(1, HELLO_BYTES_MAX + 1, 0, 60),
            vec![22],
            vec![],
        ] {
            assert_eq!(assembly.handle(&datagram), Verdict::Unchanged, "{datagram:?}");
        }
    }

    #[test]
    fn a_message_may_have_so_many_bytes() {
        let mut assembly = HelloAssembly::default();
        let verdict = assembly.handle(&fragment(1, HELLO_BYTES_MAX, 0, 60));
        assert_eq!(verdict, Verdict::Kept);
    }

    #[test]
    fn a_new_message_replaces_one_that_never_became_whole() {
        let mut assembly = HelloAssembly::default();
        assert_eq!(assembly.handle(&fragment(1, 100, 0, 60)), Verdict::Kept);
        assert_eq!(assembly.handle(&fragment(2, 90, 40, 50)), Verdict::Kept);
        let whole = Verdict::Whole(fragment(3, 90, 0, 90));
        assert_eq!(assembly.handle(&fragment(3, 90, 0, 40)), whole);
    }
}
