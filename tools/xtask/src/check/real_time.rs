//! Words that do not belong into `rt/`, where everything runs inside an audio callback.
//!
//! The allocation guard of the tests catches what really happens; this catches what could happen
//! on a path that no test takes, and says so in the file where it was written. Functions that build
//! things for the callback elsewhere may allocate: constructors (`new`, `with_...`), and whatever
//! says `Off the audio thread` in its documentation.

use super::rust_source::{Line, block_end, has_word};
use crate::tree::File;

/// Never, not even in a constructor.
const NEVER: &[&str] = &[
    ".await",
    ".lock()",
    "Condvar",
    "HashMap",
    "HashSet",
    "Instant::now",
    "Mutex",
    "RwLock",
    "SystemTime",
    "async fn",
    "eprintln!",
    "log::",
    "println!",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "tracing",
];

/// Only where nothing waits for sound.
const ALLOCATES: &[&str] = &[
    ".collect()",
    ".collect::<",
    ".extend_from_slice(",
    ".into_boxed_slice()",
    ".reserve(",
    ".to_owned()",
    ".to_string()",
    ".to_vec()",
    "Arc::new",
    "BTreeMap::new",
    "Box::from",
    "Box::new",
    "Box::pin",
    "Rc::new",
    "String::from",
    "String::new",
    "Vec::from",
    "Vec::new",
    "VecDeque::new",
    "format!",
    "mem::drop",
    "vec![",
    "with_capacity",
];

/// What may end the callback.
const PANICS: &[&str] = &[".unwrap()", "panic!", "unreachable!"];

/// The words found in a file below an `rt/` folder.
pub(super) fn check(file: &File, lines: &[Line]) -> Vec<String> {
    if !file.path.contains("/rt/") || file.path.ends_with("/tests.rs") {
        return Vec::new();
    }
    let builds = builder_lines(lines);
    let mut findings = Vec::new();
    for (line, builds) in lines.iter().zip(builds).filter(|(line, _)| !line.in_test) {
        let allocates = if builds { &[] } else { ALLOCATES };
        let banned = NEVER.iter().chain(PANICS).chain(allocates);
        for word in banned.filter(|word| has_word(&line.code, word)) {
            findings.push(format!(
                "{}:{}: `{word}` has no place in an audio callback (rt/mod.rs says why)",
                file.path, line.number
            ));
        }
    }
    findings
}

/// For each line, whether it belongs to a function that builds for the callback, elsewhere.
fn builder_lines(lines: &[Line]) -> Vec<bool> {
    let mut builds = vec![false; lines.len()];
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = function_name(&line.code) else { continue };
        if name == "new" || name.starts_with("with_") || documented_as_builder(lines, index) {
            let end = block_end(lines, index);
            for flag in builds.iter_mut().take(end + 1).skip(index) {
                *flag = true;
            }
        }
    }
    builds
}

fn function_name(code: &str) -> Option<&str> {
    let (before, after) = code.split_once("fn ")?;
    let own = before.is_empty() || before.ends_with([' ', '(']);
    let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
    after.get(..end).filter(|name| own && !name.is_empty())
}

fn documented_as_builder(lines: &[Line], function: usize) -> bool {
    let above = lines.iter().take(function).rev();
    above
        .map(|line| line.text.trim_start())
        .take_while(|text| text.starts_with("///") || text.starts_with("#["))
        .any(|text| text.to_lowercase().contains("off the audio thread"))
}

#[cfg(test)]
mod tests {
    use super::super::rust_source;
    use super::*;

    fn check_text(text: &str, words: &[&str]) {
        let file = File { path: "engine/core/src/rt/x.rs".to_owned(), bytes: text.into() };
        let found = check(&file, &rust_source::lines(text));
        assert_eq!(found.len(), words.len(), "{text}: {found:?}");
        for (finding, word) in found.iter().zip(words) {
            assert!(finding.contains(word), "{finding} should name {word}");
        }
    }

    #[test]
    fn constructors_may_allocate_and_callbacks_may_not() {
        check_text("fn new() -> Self {\n    Self { x: vec![0; 4] }\n}\n", &[]);
        check_text("fn render(&mut self) {\n    let x = vec![0; 4];\n}\n", &["vec!["]);
        check_text("/// Off the audio thread.\nfn grow() {\n    Box::new(1);\n}\n", &[]);
        check_text("fn new() {\n    let x = Mutex::new(1);\n}\n", &["Mutex"]);
    }

    #[test]
    fn comments_and_tests_may_name_anything() {
        check_text("// never a Mutex or format!\n", &[]);
        check_text(
            "#[cfg(test)]\nmod tests {\n    fn a() {\n        format!(\"\");\n    }\n}\n",
            &[],
        );
    }
}
