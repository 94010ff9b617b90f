//! What somebody types of a room, checked.

use protocol::id::RoomId;

use crate::limits::{PASSWORD_BYTES_MAX, ROOM_PASSWORD_CHARS_MIN, TITLE_CHARS_MAX};
use crate::problem::Problem;

/// The name of a room as it stands in its link, in small letters.
pub(super) fn name(typed: &str) -> Result<RoomId, Problem> {
    RoomId::parse(typed.trim()).map_err(|error| Problem::invalid("name", error.to_string()))
}

/// What a room is called: one line, without blanks around it.
pub(super) fn title(typed: &str) -> Result<&str, Problem> {
    let title = typed.trim();
    let chars = title.chars().count();
    if chars == 0 || TITLE_CHARS_MAX < chars {
        let text = format!("a title has 1 to {TITLE_CHARS_MAX} characters");
        return Err(Problem::invalid("title", text));
    }
    if title.chars().any(char::is_control) {
        return Err(Problem::invalid("title", "a title is one line of text"));
    }
    Ok(title)
}

/// A password that is told to friends, on the phone perhaps: shorter than that of an account may be.
pub(super) fn password(typed: &str) -> Result<&str, Problem> {
    let invalid = |text: String| Err(Problem::invalid("password", text));
    if typed.chars().count() < ROOM_PASSWORD_CHARS_MIN {
        return invalid(format!(
            "a room's password has {ROOM_PASSWORD_CHARS_MIN} characters or more"
        ));
    }
    if PASSWORD_BYTES_MAX < typed.len() {
        return invalid(format!("a room's password has {PASSWORD_BYTES_MAX} bytes at most"));
    }
    if typed.chars().any(char::is_control) {
        return invalid("a password has no control characters".into());
    }
    Ok(typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_trimmed_and_bounded() {
        assert_eq!(name(" Blue-Note ").map(String::from), Ok("blue-note".into()));
        assert!(name("blue note").is_err());
        assert_eq!(title(" Sunday jam "), Ok("Sunday jam"));
        for wrong in ["", "  ", "a\nb", &"x".repeat(TITLE_CHARS_MAX + 1)] {
            assert!(title(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(password(" abcd "), Ok(" abcd "), "as it is");
        for wrong in ["abcde", "abcde\0f", &"x".repeat(PASSWORD_BYTES_MAX + 1)] {
            assert!(password(wrong).is_err(), "{wrong:?}");
        }
    }
}
