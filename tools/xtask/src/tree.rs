//! The project's folder and the files in it, as git sees them: committed ones and new ones, without
//! what `.gitignore` names.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::program::Program;

/// The project's folder.
///
/// Asked at run time: a target folder shared by two checkouts must not lead into the other one.
pub(crate) fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.ancestors().nth(2).map_or_else(PathBuf::new, Path::to_path_buf)
}

/// One file of the project.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Relative to the project's folder, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

impl File {
    /// The content, unless it is binary.
    pub(crate) fn text(&self) -> Option<&str> {
        if self.bytes.contains(&0) { None } else { std::str::from_utf8(&self.bytes).ok() }
    }

    /// What follows the last dot of the name, or nothing.
    pub(crate) fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

/// Every file of the project, sorted by path.
pub(crate) fn files() -> anyhow::Result<Vec<File>> {
    let read = |path: String| {
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {path}"))?;
        Ok(File { path, bytes })
    };
    paths(".")?.into_iter().map(read).collect()
}

/// The paths of all files below a folder, sorted.
pub(crate) fn paths(folder: &str) -> anyhow::Result<Vec<String>> {
    let options = ["-z", "--cached", "--others", "--exclude-standard", "--", folder];
    let list = Program::new("git", ["ls-files"]).args(options).output()?;
    // A file that was deleted and not yet committed is still listed.
    let there = |path: &&str| !path.is_empty() && Path::new(path).is_file();
    let mut paths: Vec<String> = list.split('\0').filter(there).map(str::to_owned).collect();
    paths.sort_unstable();
    paths.dedup();
    Ok(paths)
}
