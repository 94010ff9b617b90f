//! What people write of themselves and others.

use crate::problem::Problem;

/// A text of one or more lines, without blanks around it.
///
/// # Errors
/// When it is longer than so many characters, or has some that nobody types.
pub(super) fn lines(field: &'static str, typed: &str, chars_max: usize) -> Result<String, Problem> {
    let text = typed.trim().replace("\r\n", "\n");
    let chars = text.chars().count();
    if chars_max < chars {
        let text = format!("this has {chars} characters, and {chars_max} are the most; shorten it");
        return Err(Problem::invalid(field, text));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        let text = "this holds a control character, which nobody sees; type it anew";
        return Err(Problem::invalid(field, text));
    }
    Ok(text)
}

/// The same on one line.
///
/// # Errors
/// When it is longer than so many characters, or has more lines.
pub(super) fn line(field: &'static str, typed: &str, chars_max: usize) -> Result<String, Problem> {
    let text = lines(field, typed, chars_max)?;
    if text.contains(['\n', '\t', '\u{2028}', '\u{2029}']) {
        return Err(Problem::invalid(field, "this goes on one line; write it without breaks"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_trimmed_and_has_an_end() {
        assert_eq!(lines("x", " a\r\nb\n", 3), Ok("a\nb".to_owned()));
        assert_eq!(line("x", "  ü  ", 1), Ok("ü".to_owned()));
        let refused = lines("x", "äöüß", 3).expect_err("too long");
        assert!(refused.detail().contains("4 characters, and 3"), "{refused:?}");
        for wrong in ["a\0b", "a\u{7}", "a\u{1b}[0m"] {
            assert!(lines("x", wrong, 9).is_err(), "{wrong:?}");
        }
        for wrong in ["a\nb", "a\tb", "a\u{2028}b"] {
            assert!(line("x", wrong, 9).is_err(), "{wrong:?}");
        }
    }
}
