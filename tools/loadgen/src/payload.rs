//! What a publisher's packet carries, so that whoever receives it can tell that nothing happened to
//! it on the way: who sent it, where, which one it is, and when.

/// Bytes of a payload: 80 kbit/s of Opus in 2.5 ms are 25; what others measure with is 120.
pub(crate) const PAYLOAD_BYTES: usize = 120;

/// The words in front of the pattern.
const HEAD_BYTES: usize = 28;

/// What a payload says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label {
    /// This load and no other that may run on the same server.
    pub(crate) run: u32,
    /// The room that it was played in.
    pub(crate) room: u32,
    /// Who played it.
    pub(crate) publisher: u32,
    /// How many that publisher had played before.
    pub(crate) counter: u64,
    /// When it was sent, by the wall clock, in which the kernel stamps arrivals.
    pub(crate) sent_ns: u64,
}

/// Writes a payload.
pub(crate) fn write(label: &Label, payload: &mut [u8; PAYLOAD_BYTES]) {
    payload[0..4].copy_from_slice(&label.run.to_be_bytes());
    payload[4..8].copy_from_slice(&label.room.to_be_bytes());
    payload[8..12].copy_from_slice(&label.publisher.to_be_bytes());
    payload[12..20].copy_from_slice(&label.counter.to_be_bytes());
    payload[20..28].copy_from_slice(&label.sent_ns.to_be_bytes());
    let pattern = pattern(label);
    for (byte, expected) in payload[HEAD_BYTES..].iter_mut().zip(pattern) {
        *byte = expected;
    }
}

/// Reads a payload; `None` where a single byte is not as it was written.
pub(crate) fn read(payload: &[u8]) -> Option<Label> {
    let payload: &[u8; PAYLOAD_BYTES] = payload.try_into().ok()?;
    let word = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|byte| payload[at + byte]));
    let long = |at: usize| u64::from(word(at)) << 32 | u64::from(word(at + 4));
    let label = Label {
        run: word(0),
        room: word(4),
        publisher: word(8),
        counter: long(12),
        sent_ns: long(20),
    };
    let same = payload[HEAD_BYTES..].iter().zip(pattern(&label)).fold(true, |same, (byte, due)| {
        // Without a branch, so that it is compared many at a time.
        same & (*byte == due)
    });
    same.then_some(label)
}

/// The bytes behind the head: other ones for each word of the head, so that a packet put together
/// from two does not pass.
fn pattern(label: &Label) -> impl Iterator<Item = u8> {
    let head = [
        u64::from(label.run),
        u64::from(label.room),
        u64::from(label.publisher),
        label.counter,
        label.sent_ns,
    ];
    // A multiplication by a large odd number moves every bit upwards, the shift brings it down again.
    let mixed = head.iter().fold(0_u64, |mixed, word| {
        let mixed = (mixed ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 32
    });
    let bytes = mixed.to_be_bytes();
    (0..=u8::MAX).map(move |at| bytes[usize::from(at % 8)].wrapping_add(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_itself_or_nothing() {
        let label = Label { run: 7, room: 1, publisher: 3, counter: 9, sent_ns: 1 << 40 };
        let mut payload = [0; PAYLOAD_BYTES];
        write(&label, &mut payload);
        assert_eq!(read(&payload), Some(label));
        assert_eq!(read(&payload[1..]), None);
        for at in 0..PAYLOAD_BYTES {
            payload[at] ^= 1;
            assert_eq!(read(&payload), None, "byte {at}");
            payload[at] ^= 1;
        }
    }
}
