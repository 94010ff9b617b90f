//! What people may be called and may say.
//!
//! Letters of every script are welcome. Refused is what would let a text change how the text
//! around it is shown: control characters and overrides of the writing direction.

use protocol::limits::{
    CHAT_TEXT_CHARS_MAX, PARTICIPANT_NAME_CHARS_MAX, TAKE_TITLE_CHARS_MAX, TRACK_LABEL_CHARS_MAX,
};
use protocol::signal::ErrorCode;

use crate::refusal::Refusal;

/// A participant's name, white space around it cut.
pub(crate) fn name(text: &str) -> Result<String, Refusal> {
    line(text, PARTICIPANT_NAME_CHARS_MAX)
        .map_err(|wrong| Refusal::new(ErrorCode::BadName, format!("a name {wrong}")))
}

/// A track's label, white space around it cut.
pub(crate) fn label(text: &str) -> Result<String, Refusal> {
    line(text, TRACK_LABEL_CHARS_MAX)
        .map_err(|wrong| Refusal::new(ErrorCode::BadTrack, format!("a track's label {wrong}")))
}

/// A take's title or a marker in it, white space around it cut.
pub(crate) fn take(text: &str) -> Result<String, Refusal> {
    line(text, TAKE_TITLE_CHARS_MAX).map_err(|wrong| {
        Refusal::new(ErrorCode::BadTake, format!("a take's title or marker {wrong}"))
    })
}

/// What somebody says: several lines are fine.
pub(crate) fn chat(text: &str) -> Result<String, Refusal> {
    let refused = |wrong| Refusal::new(ErrorCode::BadText, format!("a chat message {wrong}"));
    let text = text.trim();
    check_length(text, CHAT_TEXT_CHARS_MAX).map_err(refused)?;
    if text.chars().any(|c| is_harmful(c) && c != '\n' && c != '\t') {
        return Err(refused("has no control characters".into()));
    }
    Ok(text.into())
}

fn line(text: &str, chars_max: usize) -> Result<String, String> {
    let text = text.trim();
    check_length(text, chars_max)?;
    if text.chars().any(is_harmful) {
        return Err("has no control characters".into());
    }
    Ok(text.into())
}

fn check_length(text: &str, chars_max: usize) -> Result<(), String> {
    let chars = text.chars().count();
    if chars == 0 || chars_max < chars {
        return Err(format!("has 1 to {chars_max} characters, this one has {chars}"));
    }
    Ok(())
}

/// Controls, line and paragraph separators, and the explicit direction marks of UAX #9 §2.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(name("  Žofie 🎻 ").map_err(|r| r.code), Ok("Žofie 🎻".into()));
        assert_eq!(name(&"é".repeat(48)).map_err(|r| r.code), Ok("é".repeat(48)));
        for bad in ["", " \t ", &"é".repeat(49), "a\nb", "a\u{202e}b", "a\0b"] {
            assert_eq!(name(bad).map_err(|r| r.code), Err(ErrorCode::BadName), "{bad:?}");
        }
    }

    #[test]
    fn chat_may_have_lines_but_no_controls() {
        assert_eq!(chat("one\ntwo\tthree").map_err(|r| r.code), Ok("one\ntwo\tthree".into()));
        for bad in ["", "\n", "a\u{7}b", &"x".repeat(2001)] {
            assert_eq!(chat(bad).map_err(|r| r.code), Err(ErrorCode::BadText), "{bad:?}");
        }
    }
}
