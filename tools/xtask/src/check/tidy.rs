//! Small rules about files, each of which some project lost because nothing checked it.
//!
//! The words looked for are put together from halves, so that this file does not contain them.

use std::collections::BTreeSet;

use super::real_time;
use super::report;
use super::rust_source::{self, Line, has_word};
use crate::console;
use crate::program::Program;
use crate::tree::{self, File};

/// Where `unsafe` may stand, and why nothing safe does the job.
const UNSAFE: &[(&str, &str)] = &[
    (
        "engine/core/src/rt/codec/opus_custom.rs",
        "libopus is C, and no crate wraps its custom modes",
    ),
    ("engine/core/src/rt/ring.rs", "the one queue between the callback and the rest"),
    (
        "engine/device/src/audio/jack/active.rs",
        "JACK calls back through C, and may cancel its threads",
    ),
    ("engine/device/src/clock.rs", "the kernel's clock of a thread is asked through C"),
    ("engine/device/src/priority.rs", "the kernel's scheduler is asked through C"),
    ("engine/web/src/exports.rs", "an audio worklet calls plain exports over shared memory"),
    ("takes/web/src/exports.rs", "a worker calls plain exports over shared memory"),
    ("engine/web/src/libc.rs", "what libopus calls where there is no C library"),
    ("sfu/server/src/socket/", "many datagrams in one system call"),
    ("sfu/server/src/priority.rs", "the kernel's scheduler is asked through C"),
    ("tools/relay/src/priority.rs", "the kernel's scheduler is asked through C"),
    ("tools/loadgen/src/socket.rs", "many datagrams in one system call, with their stamps"),
];

const CODE: &[&str] = &["css", "js", "mjs", "py", "rs", "sh", "ts", "tsx"];
const DOCUMENTS: &[&str] = &["html", "json", "md", "toml"];
const CORES: &[&str] = &[
    "protocol/src/",
    "engine/core/src/",
    "sfu/core/src/",
    "sfu/transport/src/",
    "signalling/core/src/",
    "takes/core/src/",
];
const GENERATED: &[&str] = &["web/src/protocol/"];
const CODE_LINES_MAX: usize = 500;
const FILE_BYTES_MAX: usize = 2_000_000;

pub(super) fn check() -> anyhow::Result<()> {
    let files = tree::files()?;
    let mut findings = Vec::new();
    for file in &files {
        check_file(file, &mut findings);
    }
    check_module_files(&files, &mut findings);
    check_lock(&mut findings);
    console::say(&format!("{} files", files.len()));
    report("tidy", &findings)
}

/// At the gate, cargo must not have had to complete the committed `Cargo.lock`. Elsewhere somebody
/// may be about to commit it.
fn check_lock(findings: &mut Vec<String>) {
    let at_gate = std::env::var_os("CI").is_some() && tree::is_in_git();
    if at_gate && !Program::new("git", ["diff", "--quiet", "HEAD", "--", "Cargo.lock"]).works() {
        findings
            .push("Cargo.lock: does not match the manifests, commit what cargo wrote".to_owned());
    }
}

fn check_file(file: &File, findings: &mut Vec<String>) {
    let path = &file.path;
    if FILE_BYTES_MAX < file.bytes.len() {
        findings.push(format!("{path}: {} bytes, a clone stays small", file.bytes.len()));
    }
    let Some(text) = file.text() else {
        return;
    };
    let is_text = CODE.contains(&file.extension()) || DOCUMENTS.contains(&file.extension());
    if is_text && text.contains('\r') {
        findings.push(format!("{path}: lines end with LF alone"));
    }
    check_places(path, text, findings);
    let name = path.rsplit('/').next().unwrap_or_default();
    match (name, file.extension()) {
        ("package-lock.json", _) if text.contains("\"resolved\": \"http") => {
            findings.push(format!(
                "{path}: names a download address: `npm install --omit-lockfile-registry-resolved`"
            ))
        }
        ("Cargo.lock", _) => check_sources(path, text, findings),
        ("Cargo.toml", _) if !takes_lints(text) => {
            findings.push(format!("{path}: does not take the lints of the workspace"));
        }
        (_, extension) if CODE.contains(&extension) => check_code(file, text, findings),
        _ => {}
    }
}

/// Whether a manifest takes the lints of the workspace. cargo-fuzz wants a workspace of its own,
/// which has nowhere to take them from.
fn takes_lints(manifest: &str) -> bool {
    manifest.contains("[lints]\nworkspace = true") || manifest.contains("cargo-fuzz = true")
}

/// Paths of one machine say nothing on another.
fn check_places(path: &str, text: &str, findings: &mut Vec<String>) {
    let places =
        [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["/Us", "ers/"]].map(|p| p.concat());
    for (line, number) in text.lines().zip(1_usize..) {
        for place in &places {
            let absolute = line.match_indices(place.as_str()).any(|(at, _)| {
                let before = line.get(..at).and_then(|before| before.chars().next_back());
                !before.is_some_and(|c| c.is_alphanumeric() || "._-}~".contains(c))
            });
            if absolute {
                findings.push(format!("{path}:{number}: a path of one machine: {place}..."));
            }
        }
    }
}

fn check_sources(path: &str, text: &str, findings: &mut Vec<String>) {
    let index = ["registry+https://github.com/rust-lang/", "crates.io-index"].concat();
    let other = text
        .lines()
        .filter_map(|line| line.strip_prefix("source = \""))
        .map(|source| source.trim_end_matches('"'))
        .find(|source| *source != index);
    if let Some(other) = other {
        findings.push(format!("{path}: a crate from another place: {other}"));
    }
}

fn check_code(file: &File, text: &str, findings: &mut Vec<String>) {
    let path = &file.path;
    let generated = GENERATED.iter().any(|folder| path.starts_with(folder));
    let count = text.lines().count();
    if CODE_LINES_MAX < count && !generated && !says_why_long(text) {
        findings.push(format!(
            "{path}: {count} lines: split it, or let the module doc say `Long because ...`"
        ));
    }
    for (line, number) in text.lines().zip(1_usize..) {
        for leftover in leftovers(file.extension()) {
            if has_word(line, &leftover) {
                findings.push(format!("{path}:{number}: `{leftover}` is left over"));
            }
        }
    }
    if file.extension() == "rs" {
        check_rust(file, text, findings);
    }
}

fn says_why_long(text: &str) -> bool {
    let head = text.lines().take_while(|line| {
        let line = line.trim_start();
        line.is_empty() || line.starts_with("#!") || line.starts_with(['/', '*', '#'])
    });
    head.map(str::to_lowercase).any(|line| line.contains("long because"))
}

fn leftovers(extension: &str) -> Vec<String> {
    let everywhere = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]];
    let rust = [["todo", "!"], ["unimplemented", "!"], ["dbg", "!"], ["#[ign", "ore"]];
    let web = [["debug", "ger;"], [".on", "ly("], [".ski", "p("], [".to", "do("]];
    let own: &[[&str; 2]] = match extension {
        "rs" => &rust,
        "js" | "mjs" | "ts" | "tsx" => &web,
        _ => &[],
    };
    everywhere.iter().chain(own).map(|halves| halves.concat()).collect()
}

fn check_rust(file: &File, text: &str, findings: &mut Vec<String>) {
    let path = &file.path;
    let first = text.lines().find(|line| !line.starts_with("#!["));
    if !first.is_some_and(|line| line.starts_with("//!")) {
        findings.push(format!("{path}: opens without saying what it is for (`//!`)"));
    }
    let lines = rust_source::lines(text);
    findings.extend(real_time::check(file, &lines));
    let may_be_unsafe = UNSAFE.iter().any(|(place, _)| path.starts_with(place));
    for line in &lines {
        let code = line.code.as_str();
        if code.contains("#[allow(") || code.contains("#![allow(") {
            findings.push(format!("{path}:{}: silence with `expect` and a reason", line.number));
        }
        if !may_be_unsafe && has_word(code, "unsafe") {
            findings.push(format!(
                "{path}:{}: unsafe code belongs into few files (the list is in check/tidy.rs)",
                line.number
            ));
        }
    }
    if CORES.iter().any(|core| path.starts_with(core)) {
        check_iteration(path, &lines, findings);
    }
}

/// Iteration over hash tables takes another order in every run. Clippy sees `for` loops; this sees
/// `iter()` and its kin on whatever is declared as one.
fn check_iteration(path: &str, lines: &[Line], findings: &mut Vec<String>) {
    let mut names = BTreeSet::new();
    for line in lines {
        for kind in ["HashMap", "HashSet"] {
            let Some((before, _)) = line.code.split_once(kind) else { continue };
            // `name: HashMap<..>` or `let name = HashMap::new()`.
            let before = before.trim_end().trim_end_matches([':', '=', '&']).trim_end();
            let before = before.strip_suffix("mut").map_or(before, str::trim_end);
            let start = before.rfind(|c: char| !c.is_alphanumeric() && c != '_');
            let name = before.get(start.map_or(0, |at| at + 1)..).unwrap_or_default();
            if name.starts_with(|c: char| c.is_lowercase()) {
                names.insert(name.to_owned());
            }
        }
    }
    const WALKS: &[&str] =
        &["drain", "into_iter", "iter", "iter_mut", "keys", "retain", "values", "values_mut"];
    for line in lines.iter().filter(|line| !line.in_test) {
        for name in &names {
            if WALKS.iter().any(|walk| has_word(&line.code, &format!("{name}.{walk}("))) {
                findings.push(format!(
                    "{path}:{}: walks the hash table `{name}`, in another order each run",
                    line.number
                ));
            }
        }
    }
}

/// A module with children is `name/mod.rs`, so that the folder carries its own contract.
fn check_module_files(files: &[File], findings: &mut Vec<String>) {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    for path in &paths {
        let Some(stem) = path.strip_suffix(".rs") else { continue };
        let folder = format!("{stem}/");
        let has_children = paths
            .range(folder.as_str()..)
            .next()
            .is_some_and(|next| next.starts_with(&folder) && next.ends_with(".rs"));
        if has_children && path.contains("/src/") && !path.contains("/src/bin/") {
            findings.push(format!("{path}: has children, so it is {folder}mod.rs"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_one(path: &str, text: &str, expected: &[&str]) {
        let mut findings = Vec::new();
        check_file(&File { path: path.to_owned(), bytes: text.into() }, &mut findings);
        assert_eq!(findings.len(), expected.len(), "{findings:?}");
        for (finding, part) in findings.iter().zip(expected) {
            assert!(finding.contains(part), "{finding} should say {part}");
        }
    }

    #[test]
    fn a_good_file_passes() {
        check_one("src/a.rs", "//! What it is for.\nfn a() {}\n", &[]);
    }

    #[test]
    fn leftovers_are_found() {
        let call = ["fn a() { todo", "!() }"].concat();
        check_one("src/a.rs", &format!("//! A.\n{call}\n"), &["is left over"]);
        let skipped = ["it.ski", "p(() => {});"].concat();
        check_one("web/src/a.test.ts", &skipped, &["is left over"]);
        check_one("src/a.rs", "//! A.\n#[allow(dead_code)]\nfn a() {}\n", &["with `expect`"]);
        check_one("src/a.rs", "fn a() {}\n", &["what it is for"]);
        check_one("src/a.rs", "//! A.\nfn a() { unsafe { b() } }\n", &["few files"]);
        check_one("src/a.rs", "//! A.\r\n", &["LF alone"]);
    }

    #[test]
    fn places_of_one_machine_are_found() {
        let text = ["see /ho", "me/someone/notes"].concat();
        check_one("README.md", &text, &["of one machine"]);
        check_one("README.md", &["/api/ro", "ot/x and web/wo", "rk/x"].concat(), &[]);
    }

    #[test]
    fn long_files_say_why() {
        let long = "x();\n".repeat(CODE_LINES_MAX + 1);
        check_one("src/a.rs", &format!("//! A.\n{long}"), &["502 lines"]);
        check_one("src/a.rs", &format!("//! A. Long because a table is.\n{long}"), &[]);
        check_one("web/src/protocol/index.ts", &long, &[]);
    }

    #[test]
    fn walks_over_hash_tables_are_found_in_cores() {
        let text =
            "//! A.\nstruct A { rooms: HashMap<u8, u8> }\nfn a(a: &A) { a.rooms.get(&1); }\n";
        check_one("sfu/core/src/a.rs", text, &[]);
        let text = format!("{text}fn b(a: &A) {{ a.rooms.values(); }}\n");
        check_one("sfu/core/src/a.rs", &text, &["walks the hash table `rooms`"]);
        check_one("sfu/server/src/a.rs", &text, &[]);
    }

    #[test]
    fn a_module_with_children_is_a_folder() {
        let file = |path: &str| File { path: path.to_owned(), bytes: Vec::new() };
        let mut findings = Vec::new();
        check_module_files(&[file("a/src/b.rs"), file("a/src/b/c.rs")], &mut findings);
        check_module_files(&[file("a/src/b/mod.rs"), file("a/src/b/c.rs")], &mut findings);
        assert_eq!(findings, ["a/src/b.rs: has children, so it is a/src/b/mod.rs"]);
    }
}
