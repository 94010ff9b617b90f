//! Everything that must not be guessed: seats, ICE credentials; and what need only differ: SSRCs.
//!
//! Draws no randomness by itself: the shell hands in a seed, from the operating system or, in the
//! simulator, from the run's seed.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};
use protocol::rtcp::SFU_SSRC;
use protocol::rtp::Ssrc;

/// A cryptographically secure stream of random values, the same for the same seed.
pub(crate) struct Random(ChaCha20Rng);

impl Random {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// An SSRC that `taken` does not claim, and not the SFU's own.
    pub(crate) fn ssrc(&mut self, taken: impl Fn(Ssrc) -> bool) -> Ssrc {
        loop {
            let ssrc = Ssrc(self.0.next_u32());
            if ![Ssrc(0), SFU_SSRC].contains(&ssrc) && !taken(ssrc) {
                return ssrc;
            }
        }
    }

    /// A number for the `o=` line of an SDP answer (RFC 8829 §5.2.1: 63 bits, here fewer).
    pub(crate) fn session_id(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// `N` secret bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// `chars` ICE characters (RFC 8445 §5.3), each worth 6 bits.
    pub(crate) fn ice_chars(&mut self, chars: usize) -> String {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        (0..chars)
            .map(|_| {
                let [byte] = self.bytes::<1>();
                char::from(ALPHABET[usize::from(byte & 63)])
            })
            .collect()
    }
}

impl core::fmt::Debug for Random {
    /// Hides the state: whoever knows it knows every secret to come.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Random(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_values_and_no_ssrc_twice() {
        let (mut a, mut b) = (Random::new([7; 32]), Random::new([7; 32]));
        let first = a.ssrc(|_| false);
        assert_eq!(b.ssrc(|_| false), first);
        assert_eq!(a.ice_chars(24), b.ice_chars(24));
        let mut again = Random::new([7; 32]);
        assert_ne!(again.ssrc(|ssrc| ssrc == first), first);
    }
}
