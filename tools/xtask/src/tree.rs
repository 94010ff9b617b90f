//! The project's folder and the files in it, as git sees them: committed ones and new ones, without
//! what `.gitignore` names. In a source archive, or where there is no git, as they lie there, without
//! the folders that builds and installations make.

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
    let list = Program::new("git", ["ls-files"]).args(options).output();
    let mut paths = match list.as_deref() {
        // A file that was deleted and not yet committed is still listed.
        Ok(list) if is_in_git() => {
            let there = |path: &&str| !path.is_empty() && Path::new(path).is_file();
            list.split('\0').filter(there).map(str::to_owned).collect()
        }
        _ => {
            let mut found = Vec::new();
            walk(Path::new(folder), &mut found)
                .with_context(|| format!("cannot look through {folder}"))?;
            found
        }
    };
    paths.sort_unstable();
    paths.dedup();
    Ok(paths)
}

/// Whether this is a clone, or a working tree of one.
pub(crate) fn is_in_git() -> bool {
    Path::new(".git").exists()
}

fn walk(folder: &Path, found: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let kind = entry.file_type()?;
        if kind.is_dir() && !MADE.iter().any(|made| name == *made) {
            walk(&entry.path(), found)?;
        } else if kind.is_file() {
            let path = entry.path();
            let path = path.strip_prefix(".").unwrap_or(&path);
            found.extend(path.to_str().map(str::to_owned));
        }
    }
    Ok(())
}

/// Folders that are no part of the project: those that the files `.gitignore` name.
const MADE: &[&str] = &[".git", "artifacts", "coverage", "dist", "node_modules", "target"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_git_the_same_files_are_found() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = Vec::new();
        walk(&package, &mut found).expect("our own sources are there");
        let has = |end: &str| found.iter().any(|path| path.ends_with(end));
        assert!(has("src/tree.rs") && has("check/map.rs"), "{found:?}");
        let mut none = Vec::new();
        let target = [["tar", "get"].concat(), "made.rs".to_owned()];
        let scratch = std::env::temp_dir().join(format!("vjam-walk-{}", std::process::id()));
        let made = scratch.join(&target[0]);
        std::fs::create_dir_all(&made).expect("a folder for tests");
        std::fs::write(made.join(&target[1]), "").expect("a file for tests");
        walk(&scratch, &mut none).expect("it is there");
        std::fs::remove_dir_all(&scratch).expect("it was made above");
        assert_eq!(none, [""; 0]);
    }
}
