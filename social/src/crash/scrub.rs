//! What of a crash may be kept.
//!
//! Fields that may be kept are copied one by one, and everything else is not looked at; of the texts among
//! them, what looks like somebody's address, account, machine or folder is taken out. Beside that, what the
//! report itself names as its user, its machine or what was asked of it is taken out of them wherever it
//! stands: a program that fails on somebody's name puts it into its error too.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::limits::{CRASH_FRAMES_MAX, CRASH_TEXT_CHARS_MAX, CRASH_WORD_CHARS_MAX};
use crate::secret::Hash;

/// What is kept of a crash.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scrubbed {
    /// What kind of program it was.
    pub(super) platform: String,
    /// Of which version.
    pub(super) release: String,
    /// What failed, on a line.
    pub(super) title: String,
    /// What crashes of one cause have in common.
    pub(super) cause: Hash,
    /// All of it.
    pub(super) report: CrashReport,
}

/// A crash, without anything of whom it happened to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct CrashReport {
    /// What kind of program it was.
    platform: String,
    /// Of which version.
    release: String,
    /// Where it ran: `production`, for one.
    environment: String,
    /// How bad it was.
    level: String,
    /// What the program said, where it reports no exception.
    message: String,
    /// What failed, and what that made fail: the last is what was reported.
    exceptions: Vec<CrashException>,
    /// What it ran on.
    contexts: Vec<CrashContext>,
}

/// Something that failed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
struct CrashException {
    /// Of what kind it is.
    kind: String,
    /// What it says.
    value: String,
    /// Where it happened: the last is the innermost.
    frames: Vec<CrashFrame>,
}

/// A place in the code.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
struct CrashFrame {
    function: String,
    module: String,
    file: String,
    line: Option<u64>,
}

/// Something that a program ran on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
struct CrashContext {
    /// `os`, `runtime` or `browser`.
    what: String,
    name: String,
    version: String,
}

/// Takes what may be kept of an event.
pub(super) fn scrub(event: &Value) -> Scrubbed {
    let named = Named::of(event);
    let word = |value: &Value| named.text(value, CRASH_WORD_CHARS_MAX);
    let exceptions = list(&event["exception"], "values");
    let exceptions: Vec<_> = exceptions.iter().map(|value| exception(value, &named)).collect();
    let message = message(event, &named);
    let title = match exceptions.last() {
        Some(last) => format!("{}: {}", last.kind, last.value),
        None => message.clone(),
    };
    let platform = word(&event["platform"]);
    let release = word(&event["release"]);
    let context = |what: &str| {
        let from = &event["contexts"][what];
        let context = CrashContext {
            what: what.to_owned(),
            name: word(&from["name"]),
            version: word(&from["version"]),
        };
        Some(context).filter(|context| !context.name.is_empty())
    };
    let report = CrashReport {
        platform: platform.clone(),
        release: release.clone(),
        environment: word(&event["environment"]),
        level: word(&event["level"]),
        message,
        exceptions,
        contexts: CONTEXTS.into_iter().filter_map(context).collect(),
    };
    Scrubbed { cause: cause(&report), platform, release, title, report }
}

/// A text of the event itself, where it reports no exception.
fn message(event: &Value, named: &Named) -> String {
    let entry = &event["logentry"];
    let candidates = [&entry["formatted"], &entry["message"], &event["message"]];
    let found = candidates.into_iter().find(|value| value.is_string());
    found.map(|value| named.text(value, CRASH_TEXT_CHARS_MAX)).unwrap_or_default()
}

fn exception(value: &Value, named: &Named) -> CrashException {
    let frames = list(&value["stacktrace"], "frames");
    // The last is where it happened.
    let skipped = frames.len().saturating_sub(CRASH_FRAMES_MAX);
    CrashException {
        kind: named.text(&value["type"], CRASH_WORD_CHARS_MAX),
        value: named.text(&value["value"], CRASH_TEXT_CHARS_MAX),
        frames: frames[skipped..].iter().map(|value| frame(value, named)).collect(),
    }
}

fn frame(value: &Value, named: &Named) -> CrashFrame {
    // Of a path, the folders may be somebody's.
    let file = text_of(&value["filename"]);
    let file = file.rsplit(['/', '\\']).next().unwrap_or_default();
    CrashFrame {
        function: named.text(&value["function"], CRASH_WORD_CHARS_MAX),
        module: named.text(&value["module"], CRASH_WORD_CHARS_MAX),
        file: named.clean(file, CRASH_WORD_CHARS_MAX),
        line: value["lineno"].as_u64(),
    }
}

/// Crashes of one cause fail alike at the same place: of what they say, only the kind counts.
fn cause(report: &CrashReport) -> Hash {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text);
        hash.update([0]);
    };
    add(&report.platform);
    for exception in &report.exceptions {
        add(&exception.kind);
        if let Some(frame) = exception.frames.last() {
            add(&frame.module);
            add(&frame.function);
            add(&frame.file);
        }
    }
    if report.exceptions.is_empty() {
        add(&report.message);
    }
    hash.finalize().into()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What a report names as somebody, or as a machine.
struct Named(Vec<String>);

impl Named {
    fn of(event: &Value) -> Self {
        let mut all = Vec::new();
        for pointer in PERSONAL {
            collect(event.pointer(pointer).unwrap_or(&Value::Null), &mut all);
        }
        // Of two, one may hold the other.
        all.sort_by_key(|text: &String| std::cmp::Reverse(text.len()));
        all.dedup();
        all.truncate(NAMED_MAX);
        Self(all)
    }

    fn text(&self, value: &Value, chars_max: usize) -> String {
        self.clean(text_of(value), chars_max)
    }

    fn clean(&self, text: &str, chars_max: usize) -> String {
        // Cut before it is searched, with room for what is cut in the middle of a name.
        let mut clean: String = text.chars().take(2 * chars_max).collect();
        // First, since a name within an address would hide the address.
        for pattern in PATTERNS.iter() {
            clean = pattern.replace_all(&clean, GONE).into_owned();
        }
        for named in &self.0 {
            clean = clean.replace(named.as_str(), GONE);
        }
        clean.chars().filter(|c| !c.is_control() || *c == '\n').take(chars_max).collect()
    }
}

/// Every text and number that stands somewhere in a value, long enough to mean something.
fn collect(value: &Value, into: &mut Vec<String>) {
    let mut add = |text: String| {
        if NAMED_CHARS_MIN <= text.chars().count() && into.len() < 10 * NAMED_MAX {
            into.push(text);
        }
    };
    match value {
        Value::String(text) => add(text.clone()),
        Value::Number(number) => add(number.to_string()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, into)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Where a report says who and where it was.
const PERSONAL: [&str; 8] = [
    "/user",
    "/server_name",
    "/request/headers",
    "/request/cookies",
    "/request/env",
    "/request/query_string",
    "/contexts/device/name",
    "/contexts/device/device_unique_identifier",
];

/// What may be kept of the contexts: name and version.
const CONTEXTS: [&str; 3] = ["os", "runtime", "browser"];

/// What looks like somebody's. In this order: an address in a link goes with the link.
static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let pattern = |text| Regex::new(text).expect("a pattern");
    [
        // Links, with whom they lead to.
        r"(?i)\b[a-z][a-z0-9+.-]*://\S+",
        // E-mail addresses.
        r"[^\s<>()\[\]@,;:]+@[^\s<>()\[\]@,;:]+",
        // Folders of people, with everything in them.
        r#"(?i)(?:/home|/users|/root|[a-z]:\\users|\\\\)[^\s"'<>|]*"#,
        // Addresses of machines.
        r"\b\d{1,3}(?:\.\d{1,3}){3}\b",
        r"(?i)\b[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}[0-9a-f]\b",
        r"(?i)\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b",
        // Tokens and keys, and ids of people.
        r"(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b",
        r"\b[A-Za-z0-9+/_-]{32,}={0,2}",
        // Phone numbers.
        r"\+?\d[\d ()/-]{7,}\d",
    ]
    .map(pattern)
    .into()
});

/// What stands in the place of what was taken out.
const GONE: &str = "[removed]";

/// Names of a report that are looked for.
const NAMED_MAX: usize = 100;

/// Characters of a name: shorter ones stand in words that mean something else.
const NAMED_CHARS_MIN: usize = 3;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn clean(text: &str) -> String {
        Named(Vec::new()).clean(text, CRASH_TEXT_CHARS_MAX)
    }

    #[test]
    fn what_looks_like_somebodys_is_taken_out_and_the_rest_stays() {
        for (text, left) in [
            ("cannot mail ada@example.org today", "cannot mail [removed] today"),
            ("dial 192.168.17.4:7880 failed", "dial [removed]:7880 failed"),
            ("dial [fe80::1ff:fe23:4567:890a]", "dial [[removed]]"),
            (concat!("open /ho", "me/ada/My.wav: denied"), "open [removed] denied"),
            ("open C:\\Users\\Ada\\x.wav", "open [removed]"),
            ("GET https://jam.example/r/ada?token=1 failed", "GET [removed] failed"),
            ("account 0190163d-8694-739b-aea5-966c26f8ad91", "account [removed]"),
            ("token 0123456789abcdef0123456789abcdef is old", "token [removed] is old"),
            ("call +49 30 1234 5678 now", "call [removed] now"),
            ("index 7 out of range for length 3", "index 7 out of range for length 3"),
            ("vjam 0.1.0 failed at 12:30", "vjam 0.1.0 failed at 12:30"),
        ] {
            assert_eq!(clean(text), left);
        }
    }

    #[test]
    fn what_the_report_names_is_taken_out_wherever_it_stands() {
        let event = json!({
            "user": { "username": "Countess Ada", "id": 4711 },
            "server_name": "adas-laptop",
            "exception": { "values": [{
                "type": "Oops", "value": "Countess Ada (4711) on adas-laptop",
                "stacktrace": { "frames": [{ "filename": "/x/adas-laptop.js", "lineno": 3 }] },
            }] },
        });
        let kept = scrub(&event);
        assert_eq!(kept.title, "Oops: [removed] ([removed]) on [removed]");
        let frame = &kept.report.exceptions[0].frames[0];
        assert_eq!((frame.file.as_str(), frame.line), ("[removed].js", Some(3)));
    }

    #[test]
    fn crashes_of_one_cause_are_one_whatever_they_quote() {
        let event = |value: &str, function: &str| {
            json!({ "platform": "native", "exception": { "values": [{
                "type": "Oops", "value": value,
                "stacktrace": { "frames": [{ "function": function }] },
            }] } })
        };
        let cause = |value, function| scrub(&event(value, function)).cause;
        assert_eq!(cause("one", "play"), cause("two", "play"));
        assert_ne!(cause("one", "play"), cause("one", "stop"));
        let said = |text: &str| scrub(&json!({ "message": text })).cause;
        assert_ne!(said("one"), said("two"), "where nothing else tells them apart");
    }

    #[test]
    fn an_event_that_is_none_is_empty() {
        for event in [json!(null), json!([]), json!({ "exception": 7, "contexts": [] })] {
            let kept = scrub(&event);
            assert_eq!((kept.title.as_str(), kept.platform.as_str()), ("", ""), "{event}");
        }
    }
}
