//! Every crate that is compiled in has a license from the list in `deny.toml`.
//!
//! A license expression is true when its alternatives allow a choice from the list. Exceptions only
//! ever permit more, so `Apache-2.0 WITH LLVM-exception` counts as `Apache-2.0`.

use std::collections::BTreeSet;

use anyhow::Context;

use super::report;
use crate::console;
use crate::packages;

pub(super) fn check() -> anyhow::Result<()> {
    let rules = std::fs::read_to_string("deny.toml").context("cannot read deny.toml")?;
    let allowed = allowed(&rules);
    let exceptions = exceptions(&rules);
    let mut findings = Vec::new();
    let crates = packages::licenses()?;
    for (spec, license) in &crates {
        let name = spec.split(' ').next().unwrap_or_default();
        let also = exceptions.iter().filter(|(of, _)| *of == name).map(|(_, license)| *license);
        let allowed: BTreeSet<_> = allowed.iter().copied().chain(also).collect();
        if !permits(license, &allowed) {
            let license = if license.is_empty() { "no license at all" } else { license };
            findings.push(format!("{spec}: {license}"));
        }
    }
    console::say(&format!("{} crates", crates.len()));
    report("licenses that deny.toml does not list", &findings)
}

/// The strings of the first `allow = [...]`.
fn allowed(rules: &str) -> BTreeSet<&str> {
    let list = rules.split_once("allow = [").map_or("", |(_, rest)| rest);
    let list = list.split_once(']').map_or("", |(list, _)| list);
    list.split('"').skip(1).step_by(2).collect()
}

/// The crates of the list `exceptions`, each with the one license that is allowed for it alone.
fn exceptions(rules: &str) -> Vec<(&str, &str)> {
    let list = rules.split_once("exceptions = [").map_or("", |(_, rest)| rest);
    let list = list.split_once("\n]").map_or("", |(list, _)| list);
    let lines = list.lines().filter_map(|line| {
        let mut words = line.split('"').skip(1).step_by(2);
        words.next().zip(words.next())
    });
    lines.collect()
}

/// Whether the expression can be met with licenses from the list.
fn permits(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    // Old manifests write a slash where SPDX has OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let permitted = any_of(&words, &mut at, allowed);
    permitted && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize, allowed: &BTreeSet<&str>) -> bool {
    let mut permitted = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        permitted |= all_of(words, at, allowed);
    }
    permitted
}

fn all_of(words: &[&str], at: &mut usize, allowed: &BTreeSet<&str>) -> bool {
    let mut permitted = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        permitted &= one(words, at, allowed);
    }
    permitted
}

fn one(words: &[&str], at: &mut usize, allowed: &BTreeSet<&str>) -> bool {
    let Some(word) = words.get(*at) else {
        return false;
    };
    *at += 1;
    if *word == "(" {
        let permitted = any_of(words, at, allowed);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return permitted && closed;
    }
    if words.get(*at) == Some(&"WITH") {
        *at += 2;
    }
    allowed.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, permitted: bool) {
        let allowed = ["MIT", "Apache-2.0", "ISC"].into();
        assert_eq!(permits(expression, &allowed), permitted, "{expression}");
    }

    #[test]
    fn expressions_are_met_from_the_list() {
        check("MIT", true);
        check("GPL-3.0", false);
        check("", false);
        check("GPL-3.0 OR MIT", true);
        check("MIT/Apache-2.0", true);
        check("MIT AND OpenSSL", false);
        check("ISC AND (Apache-2.0 OR OpenSSL)", true);
        check("ISC AND (Apache-2.0 OR ISC) AND OpenSSL", false);
        check("Apache-2.0 WITH LLVM-exception OR MIT", true);
        check("Apache-2.0 WITH LLVM-exception AND GPL-2.0", false);
    }

    #[test]
    fn the_list_is_read_from_the_rules() {
        let rules = "[licenses]\nallow = [\n  \"MIT\",\n  \"ISC\",\n]\nother = [\"GPL\"]\n";
        assert_eq!(allowed(rules), ["ISC", "MIT"].into());
    }

    #[test]
    fn an_exception_is_for_its_crate_alone() {
        let rules = "exceptions = [\n  { crate = \"a\", allow = [\"MPL-2.0\"] },\n]\n[bans]\n";
        assert_eq!(exceptions(rules), [("a", "MPL-2.0")]);
        assert!(exceptions("[licenses]\n").is_empty());
    }
}
