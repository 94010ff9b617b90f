//! What tests tried again, because the machine stood still while they listened in real time.
//!
//! Each appends a line to the file that `VJAM_RETRIES` names. The summary repeats them, so that a
//! run which needed a second try does not look like one that did not.

use std::path::PathBuf;

use anyhow::Context;

use crate::build;
use crate::steps::Steps;

/// The environment variable that tells tests where to write.
pub(crate) const VARIABLE: &str = "VJAM_RETRIES";

/// Forgets what an earlier run wrote.
pub(crate) fn forget() -> anyhow::Result<()> {
    let path = file()?;
    if path.exists() {
        std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}

/// The absolute path of the file.
pub(crate) fn path() -> anyhow::Result<String> {
    Ok(file()?.to_string_lossy().into_owned())
}

/// Puts what was written into the summary.
pub(crate) fn report(steps: &mut Steps) -> anyhow::Result<()> {
    let path = file()?;
    if path.exists() {
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        remarks(&text).for_each(|remark| steps.remark(remark));
    }
    Ok(())
}

fn remarks(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| !line.trim().is_empty()).map(|line| format!("retried: {line}"))
}

fn file() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("cannot tell the project's folder")?;
    Ok(here.join(build::target_folder()).join("retries.txt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_remark() {
        let found: Vec<String> = remarks("two_musicians: a nap of 80 ms\n\nweather\n").collect();
        assert_eq!(found, ["retried: two_musicians: a nap of 80 ms", "retried: weather"]);
    }
}
