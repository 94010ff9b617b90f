//! What comes with Node: its version, and the packages that a folder's lock file names.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::console;
use crate::program::Program;

/// Refuses a Node that is missing or too old for the web tools.
pub(crate) fn version() -> anyhow::Result<()> {
    let version = Program::new("node", ["--version"])
        .output()
        .context("Node 20.19 or newer is needed; Debian 13 and nodejs.org have it")?;
    if !is_new_enough(version.trim()) {
        bail!("Node 20.19 or newer is needed, this is {}", version.trim());
    }
    Program::new("npm", ["--version"]).output().context("npm, which comes with Node, is needed")?;
    console::say(&format!("Node {}", version.trim()));
    Ok(())
}

/// Installs the packages of `folder`, unless they are those its lock file names already.
pub(crate) fn packages(folder: &str) -> anyhow::Result<()> {
    let lock_path = Path::new(folder).join("package-lock.json");
    let lock = std::fs::read(&lock_path)
        .with_context(|| format!("cannot read {}", lock_path.display()))?;
    let stamp = Path::new(folder).join("node_modules/.installed-package-lock.json");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        console::say(&format!("the packages of {folder}/ are there"));
        return Ok(());
    }
    let install = || {
        Program::new("npm", ["ci", "--no-audit", "--no-fund"])
            .within(folder)
            .quiet()
            .limit(NPM_LIMIT)
            .run()
    };
    if let Err(error) = install() {
        console::say(&format!("  trying once more: {error:#}"));
        install()?;
    }
    std::fs::write(&stamp, lock).with_context(|| format!("cannot write {}", stamp.display()))
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) else {
        return false;
    };
    NODE_MIN <= (major, minor)
}

/// What Vite asks for.
const NODE_MIN: (u32, u32) = (20, 19);
const NPM_LIMIT: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(is_new_enough("v20.19.0"));
        assert!(is_new_enough("v100.2.0"));
        assert!(!is_new_enough("v20.9.1"));
        assert!(!is_new_enough("v18.19.0"));
        assert!(!is_new_enough("none"));
    }
}
