//! What cargo knows about packages: which ones are ours, what each is built with.
//!
//! Read from `cargo tree`, whose output can be asked for line by line, rather than from the JSON of
//! `cargo metadata`, which would cost every newcomer a JSON parser before the first line of output.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;

use crate::program::Program;

/// Names of crates, ours and others'.
pub(crate) type Names = BTreeSet<String>;

/// Our packages and their folders, relative to the project's (`.` for the root package).
pub(crate) fn ours() -> anyhow::Result<BTreeMap<String, String>> {
    let root = std::fs::canonicalize(".").context("cannot find the project's folder")?;
    let root = root.to_string_lossy().into_owned();
    let list = tree(&["--workspace", "--depth", "0"], "{p}")?;
    let mut ours = BTreeMap::new();
    for line in list.lines() {
        // `name v0.1.0 (/path/of/the/package)`
        let Some((name, rest)) = line.split_once(' ') else { continue };
        let Some((_, folder)) = rest.split_once('(') else { continue };
        let folder = folder.trim_end_matches([')', '*', ' ']);
        let folder = folder.strip_prefix(&root).unwrap_or(folder).trim_start_matches('/');
        let folder = if folder.is_empty() { "." } else { folder };
        ours.insert(name.to_owned(), folder.to_owned());
    }
    Ok(ours)
}

/// All that `package` is compiled with, at any depth, apart from what only its build scripts, macros
/// and tests use.
pub(crate) fn closure(package: &str, options: &[&str]) -> anyhow::Result<Names> {
    let arguments = [&["--package", package, "--edges", "normal,no-proc-macro"], options].concat();
    let list = tree(&arguments, "{p}")?;
    let names = list.lines().filter_map(|line| line.split(' ').next());
    Ok(names.filter(|name| *name != package && !name.is_empty()).map(str::to_owned).collect())
}

/// Every third-party crate, as `name version`, with its license expression, for this machine and for
/// browsers.
pub(crate) fn licenses() -> anyhow::Result<BTreeMap<String, String>> {
    let ours = ours()?;
    let here = tree(&["--workspace", "--edges", "normal,build"], "{p}|{l}")?;
    let browser = ["--package", "engine-web", "--target", "wasm32-unknown-unknown"];
    let browser = tree(&[&browser[..], &["--edges", "normal,build"]].concat(), "{p}|{l}")?;
    let mut licenses = BTreeMap::new();
    for line in here.lines().chain(browser.lines()) {
        let Some((name, license)) = line.split_once('|') else { continue };
        let mut words = name.split(' ');
        let name = words.next().unwrap_or_default();
        if !ours.contains_key(name) {
            let version = words.next().unwrap_or_default().trim_start_matches('v');
            let license = license.trim_end_matches(" (*)").trim();
            licenses.insert(format!("{name} {version}"), license.to_owned());
        }
    }
    Ok(licenses)
}

fn tree(arguments: &[&str], format: &str) -> anyhow::Result<String> {
    Program::new("cargo", ["tree", "--locked", "--quiet", "--prefix", "none", "--format", format])
        .args(arguments)
        .output()
}
