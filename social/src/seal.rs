//! Texts that only this server reads: what it has others carry for it, and what its database must not
//! tell a thief.
//!
//! Each is encrypted under a key of its own, made from the server's key and a random salt that stands
//! before it. What surprises: a text holds for the purpose that it was sealed for only, so that what
//! somebody was given for one thing is worth nothing for another.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::secret::{Purpose, ServerKey, random};

/// Seals a text for a purpose.
pub(crate) fn seal(key: &ServerKey, purpose: &str, text: &[u8]) -> Vec<u8> {
    let salt = random();
    let mut sealed = text.to_vec();
    let (key, nonce) = of(key, purpose, &salt);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(purpose), &mut sealed);
    let tag = tag.expect("a text is shorter than what one key encrypts");
    [&salt[..], &sealed, tag.as_ref()].concat()
}

/// The text, where it was sealed for this purpose under this key and nobody changed it.
pub(crate) fn open(key: &ServerKey, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (salt, rest) = sealed.split_at_checked(32)?;
    let (key, nonce) = of(key, purpose, salt);
    let mut text = rest.to_vec();
    let length = key.open_in_place(nonce, Aad::from(purpose), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

/// The nonce may be the same each time: no two texts have the same key.
fn of(key: &ServerKey, purpose: &str, salt: &[u8]) -> (LessSafeKey, Nonce) {
    let key = key.keyed_hash(Purpose::Sealed, &[purpose.as_bytes(), &[0], salt].concat());
    let key = UnboundKey::new(&AES_256_GCM, &key).expect("a key of 32 bytes");
    (LessSafeKey::new(key), Nonce::assume_unique_for_key([0; NONCE_LEN]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_for_its_purpose_and_unchanged_only() {
        let key = ServerKey::new([1; 32]);
        for text in [&b""[..], b"x", &[7; 5000]] {
            let sealed = seal(&key, "one", text);
            assert_eq!(open(&key, "one", &sealed).as_deref(), Some(text));
            assert_eq!(open(&key, "other", &sealed), None);
            assert_eq!(open(&ServerKey::new([2; 32]), "one", &sealed), None);
            assert_eq!(open(&key, "one", &sealed[1..]), None);
            for at in [0, 31, 32, sealed.len() - 1] {
                let mut changed = sealed.clone();
                changed[at] ^= 1;
                assert_eq!(open(&key, "one", &changed), None, "{at}");
            }
            assert_ne!(seal(&key, "one", text), sealed, "no two are alike");
        }
        assert_eq!(open(&key, "one", b""), None);
    }
}
