//! Names of files and texts in them, of what strangers typed.

use crate::limits::{FILE_NAME_CHARS_MAX, TEXT_CHARS_MAX};

/// A text that can be part of a file's name on any system: no path, no control characters, no trick of direction.
/// Empty where nothing is left.
pub(super) fn file_part(text: &str) -> String {
    let mut part = String::new();
    for letter in text.chars().filter(|letter| !is_hidden(*letter)) {
        let is_special = "/\\:*?\"<>|".contains(letter);
        let letter = if is_special { '_' } else { letter };
        let is_double = letter.is_whitespace() && part.ends_with(' ');
        if !is_double && part.chars().count() < FILE_NAME_CHARS_MAX {
            part.push(if letter.is_whitespace() { ' ' } else { letter });
        }
    }
    // Windows leaves out spaces and full stops at an end; elsewhere a full stop in front hides.
    part.trim_matches([' ', '.']).to_owned()
}

/// The name of the folder in the archive.
pub(super) fn folder(title: &str) -> String {
    let name = file_part(title);
    let stem = name.split('.').next().unwrap_or_default().trim().to_ascii_uppercase();
    let device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || (stem.starts_with("COM") || stem.starts_with("LPT")) && stem.chars().count() == 4;
    match name.as_str() {
        "" => "Take".to_owned(),
        _ if device => format!("Take {name}"),
        _ => name,
    }
}

/// What a stem is called in its own file and in projects: `Ann - voice`.
pub(super) fn title(participant: &str, label: &str) -> String {
    let [participant, label] = [participant, label].map(line);
    match (participant.is_empty(), label.is_empty()) {
        (false, false) => format!("{participant} - {label}"),
        (false, true) => participant,
        (true, false) => label,
        (true, true) => "Someone".to_owned(),
    }
}

/// The name of a stem's file. The number tells equal names apart.
pub(super) fn stem_file(number: usize, title: &str) -> String {
    let part = file_part(title);
    let part = if part.is_empty() { "Someone" } else { &part };
    format!("{number:02} {part}.flac")
}

/// A text on one line, without what cannot be seen, and not too long.
pub(super) fn line(text: &str) -> String {
    let visible = text.chars().filter(|letter| letter.is_whitespace() || !is_hidden(*letter));
    let line: String = visible
        .map(|letter| if letter.is_whitespace() { ' ' } else { letter })
        .take(TEXT_CHARS_MAX)
        .collect();
    line.trim().to_owned()
}

/// Control characters, marks of direction and others that have no width, and what is no character at all.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(file_part(text), expected, "{text:?}");
    }

    #[test]
    fn no_name_leaves_its_folder() {
        check("../../etc/passwd", "_.._etc_passwd");
        check("C:\\Windows\\x", "C__Windows_x");
        check("..", "");
        check(" . a . ", "a");
        check("a\u{0}\n\tb", "ab");
        check("gpj.\u{202e}exe", "gpj.exe");
        check("Zoë 🎸", "Zoë 🎸");
        check("a   b", "a b");
        check(&"x".repeat(500), &"x".repeat(FILE_NAME_CHARS_MAX));
    }

    #[test]
    fn folders_have_names_that_every_system_takes() {
        for (title, expected) in [
            ("", "Take"),
            ("con", "Take con"),
            ("Com1.x", "Take Com1.x"),
            ("Comb", "Take Comb"),
            ("Songs/1", "Songs_1"),
        ] {
            assert_eq!(folder(title), expected);
        }
    }

    #[test]
    fn stems_without_names_have_one() {
        assert_eq!(stem_file(3, &title("", "\u{7}")), "03 Someone.flac");
        assert_eq!(stem_file(12, &title("Ann", "voice")), "12 Ann - voice.flac");
        assert_eq!(stem_file(1, &title("..", "")), "01 Someone.flac");
    }
}
