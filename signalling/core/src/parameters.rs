//! Checks what an app says about its end of a link, with or without SDP.

use protocol::signal::LinkParameters;

/// An app's parameters, if they can be used; otherwise what is wrong, in words.
pub(crate) fn check(link: &LinkParameters) -> Result<LinkParameters, String> {
    check_ufrag(&link.ice_ufrag)?;
    check_pwd(&link.ice_pwd)?;
    let fingerprint = fingerprint(&link.fingerprint)?;
    Ok(LinkParameters { fingerprint, ..link.clone() })
}

pub(crate) fn check_ufrag(text: &str) -> Result<(), String> {
    check_ice_chars("the ICE username fragment", text, 4)
}

pub(crate) fn check_pwd(text: &str) -> Result<(), String> {
    check_ice_chars("the ICE password", text, 22)
}

/// A SHA-256 fingerprint in capital letters.
pub(crate) fn fingerprint(text: &str) -> Result<String, String> {
    let is_byte =
        |pair: &str| pair.len() == 2 && pair.chars().all(|digit| digit.is_ascii_hexdigit());
    if text.split(':').count() != 32 || !text.split(':').all(is_byte) {
        return Err("the SHA-256 fingerprint is 32 bytes in hex with colons between".into());
    }
    Ok(text.to_ascii_uppercase())
}

/// RFC 8839 §5.4: `ice-char` is a letter, a digit, `+` or `/`.
fn check_ice_chars(what: &str, text: &str, chars_min: usize) -> Result<(), String> {
    let is_ice_char = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    if !(chars_min..=256).contains(&text.len()) || !text.chars().all(is_ice_char) {
        return Err(format!("{what} is {chars_min} to 256 letters, digits, + or /"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_32_bytes() {
        let good = ["ab"; 32].join(":");
        assert_eq!(fingerprint(&good), Ok(["AB"; 32].join(":")));
        for bad in ["", "AB", &["AB"; 31].join(":"), &["A+"; 32].join(":"), &["é"; 32].join(":")] {
            assert!(fingerprint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ice_credentials_have_their_lengths() {
        assert!(check_ufrag("abc").is_err());
        assert!(check_ufrag("ab+/").is_ok());
        assert!(check_ufrag(&"x".repeat(256)).is_ok());
        assert!(check_ufrag(&"x".repeat(257)).is_err());
        assert!(check_pwd(&"x".repeat(256)).is_ok());
        assert!(check_pwd(&"x".repeat(21)).is_err());
        assert!(check_pwd(&"x".repeat(257)).is_err());
        assert!(check_pwd("has spaces in it, which is wrong").is_err());
    }
}
