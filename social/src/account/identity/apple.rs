//! The secret that Apple wants: a token which this server signs, for a few minutes.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

use super::config::pkcs8;
use crate::clock::UnixMs;

/// The secret of a client, from now on for five minutes. None where the key is none.
pub(super) fn secret(
    team_id: &str,
    key_id: &str,
    key: &str,
    client_id: &str,
    audience: &str,
    now: UnixMs,
) -> Option<String> {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(key_id.to_owned());
    let seconds = now.0 / 1000;
    let claims = json!({
        "iss": team_id, "iat": seconds, "exp": seconds + SECONDS, "aud": audience, "sub": client_id,
    });
    encode(&header, &claims, &EncodingKey::from_ec_der(&pkcs8(key)?)).ok()
}

/// How long one counts.
const SECONDS: i64 = 5 * 60;

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
        UnparsedPublicKey,
    };
    use base64::Engine as _;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
    use serde_json::Value;

    use super::*;

    #[test]
    fn it_says_who_asks_for_whom_and_is_signed() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let der = pair.to_pkcs8v1().expect("its form");
        let inside = BASE64_STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{inside}\n-----END PRIVATE KEY-----\n");
        let issuer = "https://appleid.apple.com";
        let secret = secret("TEAM", "KEY", &pem, "org.example.jam", issuer, UnixMs(7_000_900));
        let secret = secret.expect("made");
        let (said, signature) = secret.rsplit_once('.').expect("three parts");
        let (header, claims) = said.split_once('.').expect("three parts");
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64");
        let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)).expect("JSON");
        assert_eq!(json(header)["alg"], "ES256");
        assert_eq!(json(header)["kid"], "KEY");
        let expected = serde_json::json!({
            "iss": "TEAM", "iat": 7000, "exp": 7300, "aud": issuer, "sub": "org.example.jam",
        });
        assert_eq!(json(claims), expected);
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key());
        public.verify(said.as_bytes(), &decode(signature)).expect("its signature");
    }
}
