//! What a datagram on a media address is, by its first bytes (RFC 7983, RFC 5761 §4).
//!
//! One UDP flow carries STUN, DTLS, SRTP and SRTCP. Nothing is parsed here beyond telling them
//! apart; whoever takes the datagram checks the rest.

/// What a datagram claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A STUN message: connectivity checks of ICE.
    Stun,
    /// A DTLS record: the handshake, and the data channel inside it.
    Dtls,
    /// An RTP packet, encrypted or not.
    Rtp,
    /// An RTCP packet, encrypted or not.
    Rtcp,
    /// Nothing that belongs here.
    Unknown,
}

impl Kind {
    /// Tells what a datagram is; looks at no more than its first two bytes.
    #[must_use]
    pub fn of(datagram: &[u8]) -> Self {
        match datagram {
            [0..=3, _, ..] => Self::Stun,
            [20..=63, _, ..] => Self::Dtls,
            // RTCP packet types are 192 to 223, which no RTP payload type with its marker bit
            // may be (RFC 5761 §4).
            [128..=191, 192..=223, ..] => Self::Rtcp,
            [128..=191, _, ..] => Self::Rtp,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_bytes_tell() {
        assert_eq!(Kind::of(&[0, 1]), Kind::Stun);
        assert_eq!(Kind::of(&[22, 254]), Kind::Dtls);
        assert_eq!(Kind::of(&[0x80, 111]), Kind::Rtp);
        assert_eq!(Kind::of(&[0x80, 0x80 | 111]), Kind::Rtp);
        assert_eq!(Kind::of(&[0x80, 200]), Kind::Rtcp);
        assert_eq!(Kind::of(&[0x80, 63]), Kind::Rtp);
        assert_eq!(Kind::of(&[64, 0]), Kind::Unknown);
        assert_eq!(Kind::of(&[0x80]), Kind::Unknown);
        assert_eq!(Kind::of(&[]), Kind::Unknown);
    }
}
