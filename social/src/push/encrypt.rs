//! Encrypts for one browser (RFC 8291), so that its push service reads nothing.
//!
//! What surprises: the crates for this bring OpenSSL, or a second set of cryptography beside the one that
//! is here. It is a key agreement, two derivations and one block of AES, and the standard has a vector.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

use crate::limits::PUSH_PADDED_BYTES;
use crate::secret::random;

/// What a browser said that it reads with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keys {
    /// Its public key, a point of P-256, uncompressed.
    pub(super) p256dh: [u8; POINT_BYTES],
    /// A secret that it shares with this server.
    pub(super) auth: [u8; AUTH_BYTES],
}

/// The body of a push: what it says, padded, readable for whoever has the keys. None where the key is no
/// point of the curve.
pub(super) fn encrypt(keys: &Keys, text: &[u8]) -> Option<Vec<u8>> {
    if PUSH_PADDED_BYTES <= text.len() {
        return None;
    }
    let mut padded = text.to_vec();
    padded.push(LAST_RECORD);
    padded.resize(PUSH_PADDED_BYTES, 0);
    let salt = random()[..SALT_BYTES].try_into().ok()?;
    let own = PrivateKey::generate(&ECDH_P256).ok()?;
    seal(keys, &own, &salt, padded).ok()
}

/// One record, with the header that says how to read it (RFC 8188 2.1).
fn seal(
    keys: &Keys,
    own: &PrivateKey,
    salt: &[u8; SALT_BYTES],
    mut padded: Vec<u8>,
) -> Result<Vec<u8>, Unspecified> {
    let own_public = own.compute_public_key()?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, keys.p256dh.as_slice());
    let secret = agree(own, theirs, Unspecified, |shared| {
        let prk = Salt::new(HKDF_SHA256, &keys.auth).extract(shared);
        let info = [b"WebPush: info\0".as_slice(), &keys.p256dh, own_public.as_ref()];
        derive::<32>(&prk, &info)
    })?;
    let prk = Salt::new(HKDF_SHA256, salt).extract(&secret);
    let key = derive::<16>(&prk, &[b"Content-Encoding: aes128gcm\0".as_slice()])?;
    let nonce = derive::<NONCE_LEN>(&prk, &[b"Content-Encoding: nonce\0".as_slice()])?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?);
    let nonce = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut padded)?;
    let header = [salt.as_slice(), &RECORD_BYTES.to_be_bytes(), &[POINT_LENGTH]].concat();
    Ok([header.as_slice(), own_public.as_ref(), &padded].concat())
}

fn derive<const N: usize>(prk: &Prk, info: &[&[u8]]) -> Result<[u8; N], Unspecified> {
    let mut out = [0; N];
    prk.expand(info, Bytes(N))?.fill(&mut out)?;
    Ok(out)
}

/// How much is derived.
struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

/// Bytes of a point, uncompressed.
pub(super) const POINT_BYTES: usize = 65;
/// The same as it stands in the header.
const POINT_LENGTH: u8 = 65;
/// Bytes of the secret that a browser shares with this server.
pub(super) const AUTH_BYTES: usize = 16;
const SALT_BYTES: usize = 16;
/// What ends the text of the last record, before the padding.
const LAST_RECORD: u8 = 2;
/// How long a record may be, as its header says: more than there is in the only one.
const RECORD_BYTES: u32 = 4096;

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url");
        bytes.try_into().expect("of that length")
    }

    /// RFC 8291, appendix A.
    #[test]
    fn the_vector_of_the_standard_is_what_comes_out() {
        let keys = Keys {
            p256dh: bytes(
                "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            ),
            auth: bytes("BTBZMqHH6r4Tts7J_aSIgg"),
        };
        let own: [u8; 32] = bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let own = PrivateKey::from_private_key(&ECDH_P256, &own).expect("a key");
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw");
        let mut text = b"When I grow up, I want to be a watermelon".to_vec();
        text.push(LAST_RECORD);
        let sealed = seal(&keys, &own, &salt, text).expect("sealed");
        assert_eq!(
            BASE64_URL_SAFE_NO_PAD.encode(sealed),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6\
             TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu\
             lcy4a-fN"
        );
    }

    #[test]
    fn all_are_of_one_length_and_no_two_alike() {
        let browser = PrivateKey::generate(&ECDH_P256).expect("a key");
        let p256dh = browser.compute_public_key().expect("its other half");
        let p256dh = p256dh.as_ref().try_into().expect("a point");
        let keys = Keys { p256dh, auth: [7; AUTH_BYTES] };
        let short = encrypt(&keys, b"").expect("encrypted");
        let long = encrypt(&keys, &[b'x'; PUSH_PADDED_BYTES - 1]).expect("encrypted");
        assert_eq!((short.len(), long.len()), (86 + PUSH_PADDED_BYTES + 16, short.len()));
        assert_ne!(short, encrypt(&keys, b"").expect("encrypted"));
        assert_eq!(encrypt(&keys, &[b'x'; PUSH_PADDED_BYTES]), None, "it would be longer");
    }

    #[test]
    fn what_is_no_point_of_the_curve_is_no_key() {
        for byte in [0, 4, 255] {
            let keys = Keys { p256dh: [byte; POINT_BYTES], auth: [0; AUTH_BYTES] };
            assert_eq!(encrypt(&keys, b"x"), None);
        }
    }
}
