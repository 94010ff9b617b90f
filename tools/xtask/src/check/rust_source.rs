//! Rust source as the scans see it: code without comments and strings, split into lines that know
//! whether they belong to tests and to which function.
//!
//! Not a parser: it follows quotes, comments and braces, which is enough to look for words.

/// One line of a source file.
#[derive(Debug)]
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: usize,
    /// The line with comments and the content of strings blanked out.
    pub(super) code: String,
    /// The line as it is.
    pub(super) text: String,
    /// Inside an item under `#[cfg(test)]`.
    pub(super) in_test: bool,
}

/// Splits a file into lines.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let code = blank(text);
    let mut lines: Vec<Line> = code
        .lines()
        .zip(text.lines())
        .zip(1..)
        .map(|((code, text), number)| Line {
            number,
            code: code.to_owned(),
            text: text.to_owned(),
            in_test: false,
        })
        .collect();
    mark_tests(&mut lines);
    lines
}

/// Whether `word` stands in `code` by itself, not as a part of a longer name.
///
/// At an end of `word` that is not a letter, anything may follow.
pub(super) fn has_word(code: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code.get(..at).and_then(|before| before.chars().next_back());
        let after = code.get(at + word.len()..).and_then(|after| after.chars().next());
        let open_start = !word.starts_with(part_of_name) || !before.is_some_and(part_of_name);
        let open_end = !word.ends_with(part_of_name) || !after.is_some_and(part_of_name);
        open_start && open_end
    })
}

/// The index of the line on which the block that opens at or after `from` closes; `from` itself for
/// an item without a block.
pub(super) fn block_end(lines: &[Line], from: usize) -> usize {
    let mut depth = 0_usize;
    for (index, line) in lines.iter().enumerate().skip(from) {
        for c in line.code.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 1 => return index,
                '}' => depth = depth.saturating_sub(1),
                ';' if depth == 0 => return index,
                _ => {}
            }
        }
    }
    lines.len().saturating_sub(1)
}

fn mark_tests(lines: &mut [Line]) {
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        let code = line.code.trim_start();
        let under_test = code.starts_with("#[cfg(")
            && has_word(code, "test")
            && !code.contains("not(test")
            && !code.contains("any(");
        let whole_file = code.starts_with("#![cfg(test)]");
        if whole_file || under_test {
            let end = if whole_file { lines.len() - 1 } else { block_end(lines, index + 1) };
            for line in lines.iter_mut().take(end + 1).skip(index) {
                line.in_test = true;
            }
            index = end;
        }
        index += 1;
    }
}

/// The same text, line for line, with comments and the content of strings as spaces.
fn blank(text: &str) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => comment_length(rest),
            '"' => string_length(rest),
            'r' | 'b' if !ends_in_name(&blanked) => raw_string_length(rest),
            '\'' => character_length(rest),
            _ => 0,
        };
        if length == 0 {
            blanked.push(first);
            rest = rest.strip_prefix(first).unwrap_or_default();
        } else {
            let (hidden, after) = rest.split_at(length);
            blanked.extend(hidden.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = after;
        }
    }
    blanked
}

fn ends_in_name(code: &str) -> bool {
    code.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

fn comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            match rest.chars().next() {
                Some(c) => at += c.len_utf8(),
                None => break,
            }
        }
    }
    text.len()
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of `r"..."`, `r#"..."#`, `br"..."`; 0 where no such string starts.
fn raw_string_length(text: &str) -> usize {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'));
    let Some(after) = after else {
        return 0;
    };
    let hashes: String = after.chars().take_while(|c| *c == '#').collect();
    let Some(body) = after.strip_prefix(hashes.as_str()).and_then(|a| a.strip_prefix('"')) else {
        return 0;
    };
    let end = format!("\"{hashes}");
    let opening = text.len() - body.len();
    body.find(&end).map_or(text.len(), |at| opening + at + end.len())
}

/// The length of `'x'` or `'\n'`; 0 for a lifetime.
fn character_length(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            chars.next();
            chars.find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1)
        }
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        },
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, code: &str) {
        assert_eq!(blank(text), code, "{text}");
    }

    #[test]
    fn comments_and_strings_are_blanked() {
        check("a // b", "a     ");
        check("a /* b /* c */ d */ e", "a                   e");
        check("f(\"x\\\"y\", 1)", "f(      , 1)");
        check("f(r#\"a\"b\"#)", "f(        )");
        check("x = '\"'; y", "x =    ; y");
        check("x = '\\''; y", "x =     ; y");
        check("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)");
        check("let for_r = 1;", "let for_r = 1;");
    }

    #[test]
    fn lines_under_cfg_test_are_marked() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        let marked: Vec<bool> = lines(text).iter().map(|line| line.in_test).collect();
        assert_eq!(marked, [false, true, true, true, true, false]);
    }

    #[test]
    fn words_end_where_names_end() {
        assert!(has_word("x = Box::new(y)", "Box::new"));
        assert!(!has_word("x = MyBox::new(y)", "Box::new"));
        assert!(has_word("vec![1]", "vec!["));
        assert!(!has_word("unsafe_op", "unsafe"));
    }
}
