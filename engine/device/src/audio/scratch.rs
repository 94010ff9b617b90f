//! Folders for tests, gone when they are dropped.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that nobody else uses.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("vjam-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("the temporary folder can be written");
        Self(path)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder left behind in /tmp harms nobody; a panic while panicking would.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
