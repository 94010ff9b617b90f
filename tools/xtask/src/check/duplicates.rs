//! No crate is compiled in twice, in two versions, unless `deny.toml` says why.
//!
//! Read from the list `skip` that cargo-deny reads too, so that it needs not be installed: that
//! takes minutes. Its other findings are those of [`super::licenses`] and of the sources in
//! [`super::tidy`]; advisories, whose database is another download, are left to `cargo deny check`
//! by hand.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;

use super::report;
use crate::console;
use crate::packages;

pub(super) fn check() -> anyhow::Result<()> {
    let rules = std::fs::read_to_string("deny.toml").context("cannot read deny.toml")?;
    let crates = packages::licenses()?;
    let skipped = skipped(&rules);
    let findings = judge(crates.keys().map(String::as_str), &skipped);
    console::say(&format!("{} crates, {} of them second versions", crates.len(), skipped.len()));
    report("crates in two versions", &findings)
}

/// The crates of the list `skip`, as `name version`.
fn skipped(rules: &str) -> BTreeSet<String> {
    let list = rules.split_once("skip = [").map_or("", |(_, rest)| rest);
    let list = list.split_once("\n]").map_or("", |(list, _)| list);
    let crates = list.split("crate = \"").skip(1).filter_map(|rest| rest.split('"').next());
    crates.map(|spec| spec.replace('@', " ")).collect()
}

/// What is there twice without a reason, and which reasons are left over. `crates` are
/// `name version`.
fn judge<'a>(crates: impl Iterator<Item = &'a str>, skipped: &BTreeSet<String>) -> Vec<String> {
    let mut unused = skipped.clone();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for spec in crates {
        let (name, version) = spec.split_once(' ').unwrap_or((spec, ""));
        versions.entry(name).or_default().push(version);
    }
    let mut findings = Vec::new();
    for (name, mut versions) in versions.into_iter().filter(|(_, versions)| 1 < versions.len()) {
        let all = versions.join(" and ");
        versions.retain(|version| !unused.remove(&format!("{name} {version}")));
        if versions.len() != 1 {
            findings.push(format!(
                "{name} {all}: all but one belong into `skip` of deny.toml, with a reason \
                 (cargo tree -i {name}@VERSION)"
            ));
        }
    }
    findings.extend(unused.iter().map(|spec| format!("deny.toml: {spec} is no second version")));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(crates: &[&str], skip: &str, expected: &[&str]) {
        let skipped = skipped(&format!("[bans]\nskip = [{skip}\n]\nother = []\n"));
        let findings = judge(crates.iter().copied(), &skipped);
        assert_eq!(findings.len(), expected.len(), "{findings:?}");
        for (finding, part) in findings.iter().zip(expected) {
            assert!(finding.contains(part), "{finding} should say {part}");
        }
    }

    #[test]
    fn a_second_version_needs_a_reason() {
        let listed = "\n    { crate = \"a@1.0.0\", reason = \"b [old] needs it\" },";
        check(&["a 1.0.0", "b 2.0.0"], "", &[]);
        check(&["a 1.0.0", "a 2.0.0"], "", &["a 1.0.0 and 2.0.0"]);
        check(&["a 1.0.0", "a 2.0.0"], listed, &[]);
        check(&["a 1.0.0", "a 2.0.0", "a 3.0.0"], listed, &["a 1.0.0 and 2.0.0 and 3.0.0"]);
    }

    #[test]
    fn a_reason_without_its_crate_is_left_over() {
        let listed = "\n    { crate = \"a@1.0.0\", reason = \"b needs it\" },";
        check(&["a 2.0.0"], listed, &["a 1.0.0 is no second"]);
        check(&["a 1.0.0"], listed, &["a 1.0.0 is no second"]);
    }
}
