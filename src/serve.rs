//! `vjam serve`: wires signalling, the SFU and the web app into one process.

use crate::settings::Flags;

/// Serves until it is told to stop.
pub(crate) fn run(flags: &Flags) -> anyhow::Result<()> {
    anyhow::bail!("nothing to serve yet with {flags:?}")
}
