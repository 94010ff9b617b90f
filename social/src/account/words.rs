//! What people type: addresses, names, passwords, and the names of devices.

use lettre::Address;

use crate::limits::{
    DEVICE_NAME_CHARS_MAX, EMAIL_BYTES_MAX, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN,
    USERNAME_CHARS_MAX, USERNAME_CHARS_MIN,
};
use crate::problem::Problem;

/// An e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// As it was typed.
    pub text: String,
    /// In lower case: by it an address is found.
    pub key: String,
}

impl Email {
    /// Reads an address.
    ///
    /// # Errors
    /// When it is none that mail could be sent to.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        let wrong = || {
            let text = "this is no e-mail address; it looks like name@example.org";
            Problem::invalid("email", text)
        };
        let text = typed.trim();
        if EMAIL_BYTES_MAX < text.len() || text.chars().any(char::is_control) {
            return Err(wrong());
        }
        let address: Address = text.parse().map_err(|_| wrong())?;
        // Mail to `name@host` would go to a machine beside this one.
        if !address.domain().contains('.') && address.domain() != "localhost" {
            return Err(wrong());
        }
        Ok(Self { text: text.to_owned(), key: text.to_lowercase() })
    }
}

/// A username, and the same in lower case.
///
/// # Errors
/// When it is not one that an account can have.
pub(crate) fn username(typed: &str) -> Result<(String, String), Problem> {
    let length = USERNAME_CHARS_MIN..=USERNAME_CHARS_MAX;
    // Letters of one alphabet only: no two names look alike. What people are called besides, they
    // say in their profile.
    let letters = typed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let edges = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if !letters || !length.contains(&typed.len()) || !edges(typed.chars().next()) {
        let text = format!(
            "a username has {USERNAME_CHARS_MIN} to {USERNAME_CHARS_MAX} characters of a-z, 0-9, \
             '.', '_' and '-', and begins with a letter or a digit"
        );
        return Err(Problem::invalid("username", text));
    }
    let key = typed.to_ascii_lowercase();
    if RESERVED.contains(&key.as_str()) {
        return Err(Problem::invalid("username", "this name is kept for the server; take another"));
    }
    Ok((typed.to_owned(), key))
}

/// Judges a password that somebody wants to have.
///
/// # Errors
/// When it is too short, or longer than what is hashed.
pub(super) fn new_password(typed: &str) -> Result<(), Problem> {
    if typed.chars().count() < PASSWORD_CHARS_MIN {
        let text = format!("a password has {PASSWORD_CHARS_MIN} characters or more");
        return Err(Problem::invalid("password", text));
    }
    given_password(typed)
}

/// Judges a password that somebody gives.
///
/// # Errors
/// When it cannot be anybody's.
pub(super) fn given_password(typed: &str) -> Result<(), Problem> {
    let bytes = typed.len();
    if PASSWORD_BYTES_MAX < bytes {
        let text = format!(
            "this password has {bytes} bytes, and {PASSWORD_BYTES_MAX} are the most that is taken \
             (a letter with an accent has 2, an emoji 4); choose a shorter one"
        );
        return Err(Problem::invalid("password", text));
    }
    if typed.contains('\0') {
        return Err(Problem::invalid("password", "a password has no NUL character"));
    }
    Ok(())
}

/// What somebody calls a device, on one line and not too long.
pub(super) fn device_name(typed: Option<&str>) -> String {
    let text = typed.unwrap_or_default();
    let line: String = text.chars().filter(|c| !c.is_control()).collect();
    line.trim().chars().take(DEVICE_NAME_CHARS_MAX).collect()
}

/// Names that could be taken for whoever runs the server.
const RESERVED: [&str; 9] = [
    "admin",
    "administrator",
    "moderator",
    "root",
    "support",
    "system",
    "vjam",
    "help",
    "security",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_found_in_lower_case() {
        let email = Email::parse("  Ada.Lovelace@Example.ORG ").expect("an address");
        assert_eq!(email.text, "Ada.Lovelace@Example.ORG");
        assert_eq!(email.key, "ada.lovelace@example.org");
        let long = format!("{}@example.org", "a".repeat(300));
        for wrong in ["", "ada", "@example.org", "ada@", "a b@c.d", "a@b@c.d", "a@b\n.c", &long] {
            assert!(Email::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Email::parse("root@machine").is_err(), "a machine beside this one");
    }

    #[test]
    fn usernames_are_of_one_alphabet() {
        assert_eq!(username("Ada_L-1.x").expect("good").1, "ada_l-1.x");
        let long = "a".repeat(25);
        for wrong in ["", "ab", ".ada", "-ada", "ada!", "ada b", "адa", "ädä", "Admin", &long] {
            assert!(username(wrong).is_err(), "{wrong}");
        }
        assert!(username(&long[1..]).is_ok());
    }

    #[test]
    fn passwords_are_refused_rather_than_cut_off() {
        assert!(new_password(&"a".repeat(72)).is_ok());
        let refused = new_password(&"a".repeat(73)).expect_err("too long");
        assert!(refused.detail().contains("73 bytes"), "{refused:?}");
        let refused = new_password(&"ä".repeat(37)).expect_err("too long");
        assert!(refused.detail().contains("74 bytes"), "{refused:?}");
        assert!(new_password("1234567").is_err());
        assert!(new_password("1234567\0").is_err());
        assert!(given_password("x").is_ok());
    }

    #[test]
    fn a_device_has_a_name_of_one_line() {
        assert_eq!(device_name(Some(" Phone\n of Ada\u{7} ")), "Phone of Ada");
        assert_eq!(device_name(Some(&"x".repeat(100))).len(), 64);
        assert_eq!(device_name(None), "");
    }
}
