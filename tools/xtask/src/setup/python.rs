//! Packages of Python that tests read others' formats with, in a folder of their own beside what cargo builds.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use crate::build;
use crate::console;
use crate::program::Program;

/// Installs what a file of requirements names, unless that is what is there. Tests look for it in a folder of this
/// name within cargo's.
pub(crate) fn packages(requirements: &str, name: &str) -> anyhow::Result<()> {
    let wanted =
        std::fs::read(requirements).with_context(|| format!("cannot read {requirements}"))?;
    let folder = build::target_folder().join(name);
    let stamp = folder.join("installed-requirements.txt");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        console::say(&format!("what {requirements} names is there"));
        return Ok(());
    }
    // A folder of another list is not added to.
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let install = || {
        Program::new("python3", ["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
            .args([folder.as_path(), Path::new("--requirement"), Path::new(requirements)])
            .quiet()
            .limit(PIP_LIMIT)
            .run()
    };
    if let Err(error) = install() {
        console::say(&format!("  trying once more: {error:#}"));
        install()?;
    }
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

const PIP_LIMIT: Duration = Duration::from_secs(300);
