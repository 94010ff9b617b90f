//! What `vjam serve` can be told, and where it was told so: flags, environment, file, defaults.

use std::path::PathBuf;

/// The command line of `vjam serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// Where the settings file is (TOML).
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
