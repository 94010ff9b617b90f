//! ARCHITECTURE.md against the tree: every package is on the map, every row of the map has its
//! folder, and every path in backticks and every link of every document leads somewhere.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;

use crate::tree;

const MAP: &str = "ARCHITECTURE.md";

/// What is wrong, one line each.
pub(super) fn check(ours: &BTreeMap<String, String>) -> anyhow::Result<Vec<String>> {
    let map = std::fs::read_to_string(MAP).with_context(|| format!("cannot read {MAP}"))?;
    let mut findings = Vec::new();
    for (package, folder) in ours {
        let row = map.lines().find(|line| line.starts_with(&format!("| `{package}` |")));
        match row {
            None => findings.push(format!("{MAP}: the code map has no row for `{package}`")),
            Some(row) => findings.extend(check_row(row, package, folder)),
        }
    }
    findings.extend(rows(&map).filter_map(check_folder));
    let folders = top_folders()?;
    // Rows of the code map have had their turn: their paths start in the row's own folder.
    let prose: Vec<&str> = map.lines().filter(|line| !line.starts_with('|')).collect();
    for quoted in quoted(&prose.join("\n")) {
        if starts_in(quoted, &folders) && !Path::new(quoted).exists() {
            findings.push(format!("{MAP}: there is no {quoted}"));
        }
    }
    for file in tree::files()? {
        if file.extension() == "md" {
            findings.extend(file.text().map_or(Vec::new(), |text| dead_links(&file.path, text)));
        }
    }
    Ok(findings)
}

/// The rows of the code map, with and without a package of ours.
fn rows(map: &str) -> impl Iterator<Item = &str> {
    let section = map.split_once("\n## Code map\n").map_or("", |(_, rest)| rest);
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    // A head and a line below it.
    section.lines().filter(|line| line.starts_with('|')).skip(2)
}

/// A row of something that is gone, or that was moved.
fn check_folder(row: &str) -> Option<String> {
    let folder = named_folder(row);
    let is_there = !folder.is_empty() && Path::new(folder).is_dir();
    (!is_there).then(|| format!("{MAP}: there is no folder `{folder}`: {row}"))
}

fn named_folder(row: &str) -> &str {
    let cell = row.split('|').nth(2).map_or("", |cell| cell.trim().trim_matches('`'));
    cell.trim_end_matches('/')
}

/// The folder of a row, and the files that its text names, relative to that folder.
fn check_row(row: &str, package: &str, folder: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let named = named_folder(row);
    // The root package is told by its sources.
    let expected = if folder == "." { "src" } else { folder };
    if named != expected {
        findings.push(format!("{MAP}: `{package}` lies in {expected}/, not in {named}/"));
    }
    let text = row.split('|').skip(3).collect::<Vec<_>>().join("|");
    for path in quoted(&text).filter(|quoted| is_path(quoted)) {
        let places = [path.to_owned(), format!("{folder}/{path}"), format!("{folder}/src/{path}")];
        if !places.iter().any(|place| Path::new(place).exists()) {
            findings.push(format!("{MAP}: `{package}` has no {path}"));
        }
    }
    findings
}

fn is_path(quoted: &str) -> bool {
    let plain = quoted.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    plain && !quoted.starts_with('/') && (quoted.contains('/') || quoted.ends_with(".rs"))
}

fn starts_in(quoted: &str, folders: &[String]) -> bool {
    is_path(quoted)
        && folders.iter().any(|folder| {
            quoted.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
        })
}

/// What stands between backticks, outside of code blocks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let mut in_block = false;
    let prose = text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_block ^= fence;
        !in_block && !fence
    });
    prose.flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Links of a document to files that are not there.
fn dead_links(path: &str, text: &str) -> Vec<String> {
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let targets = text.match_indices("](").filter_map(|(at, mark)| {
        let rest = text.get(at + mark.len()..)?;
        rest.split_once(')').map(|(target, _)| target)
    });
    targets
        .filter(|target| !target.contains("://") && !target.starts_with(['#', '<']))
        .map(|target| target.split('#').next().unwrap_or(target))
        .filter(|target| !target.is_empty() && !target.contains(' '))
        .filter(|target| !folder.join(target).exists())
        .map(|target| format!("{path}: the link to {target} leads nowhere"))
        .collect()
}

fn top_folders() -> anyhow::Result<Vec<String>> {
    let mut folders: Vec<String> = tree::files()?
        .iter()
        .filter_map(|file| file.path.split_once('/').map(|(folder, _)| folder.to_owned()))
        .collect();
    folders.dedup();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_in_prose_are_looked_up() {
        let text = "see `a/b.rs` and `x + y`\n```\n`c/d.rs`\n```\n`e.rs`";
        let found: Vec<&str> = quoted(text).filter(|quoted| is_path(quoted)).collect();
        assert_eq!(found, ["a/b.rs", "e.rs"]);
        assert!(!is_path("/api/v1/ws"));
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let text = "[a](no-such-file.md) [b](https://example.org) [c](#here) [d](Cargo.toml#x)";
        assert_eq!(
            dead_links("README.md", text),
            ["README.md: the link to no-such-file.md leads nowhere"]
        );
    }

    #[test]
    fn a_row_of_something_gone_is_found() {
        let map = "# A\n\n## Code map\n\n| package | folder | what |\n|---|---|---|\n\
                   | `xtask` | `src/` | |\n| `gone` | `no/such/` | |\n\n## B\n\n| `b` | `b/` |\n";
        let found: Vec<String> = rows(map).filter_map(check_folder).collect();
        assert_eq!(
            found,
            ["ARCHITECTURE.md: there is no folder `no/such`: | `gone` | `no/such/` | |"]
        );
    }

    #[test]
    fn a_row_must_name_its_folder() {
        let findings = check_row("| `xtask` | `somewhere/` | `src/main.rs` |", "xtask", ".");
        assert_eq!(findings, ["ARCHITECTURE.md: `xtask` lies in src/, not in somewhere/"]);
    }
}
