//! What somebody types, checked: the text of a message, the title of a group, an emoji.

use crate::limits::{
    EMOJI_BYTES_MAX, MESSAGE_CHARS_MAX, SEARCH_WORD_CHARS_MAX, SEARCH_WORDS_MAX, TITLE_CHARS_MAX,
};
use crate::problem::Problem;

/// The text of a message that is nothing else: without blanks around it, and without control characters
/// but the ends of lines and tabs.
pub(super) fn body(typed: &str) -> Result<&str, Problem> {
    if typed.trim().is_empty() {
        return Err(Problem::invalid("body", "write something"));
    }
    body_beside(typed)
}

/// The text of a message that carries something, which may be empty.
pub(super) fn body_beside(typed: &str) -> Result<&str, Problem> {
    let body = typed.trim();
    let chars = body.chars().count();
    if MESSAGE_CHARS_MAX < chars {
        let text = format!(
            "a message has {MESSAGE_CHARS_MAX} characters at most, and this one has {chars}; send \
             it in parts"
        );
        return Err(Problem::invalid("body", text));
    }
    if body.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Problem::invalid("body", "a message holds text only, no control characters"));
    }
    Ok(body)
}

/// The title of a group.
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

/// One emoji, as a reader sees it: a base with what varies it, several of those that are joined, a flag,
/// or a key.
pub(super) fn emoji(typed: &str) -> Result<&str, Problem> {
    let is_one = typed.len() <= EMOJI_BYTES_MAX && is_emoji(typed);
    is_one.then_some(typed).ok_or_else(|| Problem::invalid("emoji", "a reaction is one emoji"))
}

fn is_emoji(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    match chars[..] {
        [one, two] if is_letter_of_flag(one) && is_letter_of_flag(two) => true,
        ['0'..='9' | '#' | '*', '\u{20e3}'] | ['0'..='9' | '#' | '*', VARIED, '\u{20e3}'] => true,
        _ => chars.split(|c| *c == JOINER).all(is_part),
    }
}

/// A base, then a skin tone or how it is shown, then the tags of a region's flag.
fn is_part(part: &[char]) -> bool {
    let Some((base, rest)) = part.split_first() else { return false };
    let rest = match rest {
        [VARIED | '\u{1f3fb}'..='\u{1f3ff}', rest @ ..] => rest,
        rest => rest,
    };
    let are_tags = match rest {
        [] => true,
        [tags @ .., '\u{e007f}'] => {
            *base == '\u{1f3f4}'
                && !tags.is_empty()
                && tags.iter().all(|c| matches!(c, '\u{e0030}'..='\u{e007a}'))
        }
        _ => false,
    };
    is_base(*base) && are_tags
}

/// What can be an emoji by itself: the blocks of symbols and pictures.
const fn is_base(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{24c2}' | '\u{25a0}'..='\u{27bf}'
        | '\u{2900}'..='\u{297f}' | '\u{2b00}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}'
        | '\u{3299}' | '\u{1f000}'..='\u{1f1e5}' | '\u{1f200}'..='\u{1f3fa}'
        | '\u{1f400}'..='\u{1faff}')
}

const fn is_letter_of_flag(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

/// Joins several into one.
const JOINER: char = '\u{200d}';

/// Says that what is before it is shown as a picture.
const VARIED: char = '\u{fe0f}';

/// The words that somebody looks for: what is neither a letter nor a digit is between them.
pub(super) fn search_words(typed: &str) -> Result<Vec<String>, Problem> {
    let words = typed.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_owned).collect();
    if SEARCH_WORDS_MAX < words.len()
        || words.iter().any(|word| SEARCH_WORD_CHARS_MAX < word.chars().count())
    {
        let text = format!(
            "look for {SEARCH_WORDS_MAX} words at most, of {SEARCH_WORD_CHARS_MAX} characters each"
        );
        return Err(Problem::invalid("q", text));
    }
    Ok(words)
}

/// The words of a file's name as they are looked for: in lower case, a blank before each.
pub(super) fn name_words(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| format!(" {}", word.to_lowercase())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reaction_is_one_emoji_and_nothing_else() {
        for one in ["👍", "❤️", "👍🏽", "🇹🇷", "👩‍🎤", "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "1️⃣", "🏳️‍🌈", "🥁", "☺", "♫"]
        {
            assert_eq!(emoji(one), Ok(one));
        }
        for other in [
            "",
            "a",
            "ok",
            "👍👍",
            "👍a",
            "1",
            "🇹",
            "🇹🇷🇹🇷",
            "\u{fe0f}",
            "\u{200d}",
            "👍\u{200d}",
            "<b>",
        ] {
            assert!(emoji(other).is_err(), "{other:?}");
        }
        assert!(emoji(&["👨"; 20].join("\u{200d}")).is_err(), "it has a limit");
    }

    #[test]
    fn a_text_is_trimmed_counted_in_characters_and_free_of_control_characters() {
        assert_eq!(body(" a\nb\t "), Ok("a\nb"));
        assert!(body(&"ü".repeat(MESSAGE_CHARS_MAX)).is_ok());
        assert!(body(&"ü".repeat(MESSAGE_CHARS_MAX + 1)).is_err());
        for wrong in ["", "  \n", "a\u{0}b", "a\u{1}0\u{1}"] {
            assert!(body(wrong).is_err(), "{wrong:?}");
        }
        assert!(title("The\nband").is_err());
        assert_eq!(title(" The band "), Ok("The band"));
    }

    #[test]
    fn the_words_of_a_name_are_found_by_their_beginnings() {
        assert_eq!(name_words("Take_3 (final%)-ÜBUNG.wav"), " take 3 final übung wav");
        assert_eq!(name_words("..."), "");
    }

    #[test]
    fn words_are_letters_and_digits_whatever_is_between_them() {
        assert_eq!(
            search_words("\"take 3\" OR (drums*)").unwrap_or_default(),
            ["take", "3", "OR", "drums"]
        );
        assert_eq!(search_words(" -- '; ").unwrap_or_default(), Vec::<String>::new());
        assert!(search_words(&"x ".repeat(SEARCH_WORDS_MAX + 1)).is_err());
        assert!(search_words(&"x".repeat(SEARCH_WORD_CHARS_MAX + 1)).is_err());
    }
}
