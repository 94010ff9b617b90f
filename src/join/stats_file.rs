//! The file that `--stats` names: a line of JSON for each second.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use engine_device::audio::AudioStatus;
use engine_device::durations::DurationSummary;
use engine_device::session::View;
use engine_device::stats::StatsLine;

/// The open file.
pub(super) struct StatsFile {
    file: File,
    started: Instant,
}

impl StatsFile {
    /// Makes the file, replacing one that is there.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| path.display().to_string())?;
        Ok(Self { file, started: Instant::now() })
    }

    /// Appends a line, in one write: whoever reads along never sees half of one.
    pub(super) fn write(
        &mut self,
        view: &View,
        audio: &AudioStatus,
        callbacks: DurationSummary,
    ) -> anyhow::Result<()> {
        let time_s = (self.started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        let line = StatsLine::new(time_s, view, audio, callbacks);
        let mut text = serde_json::to_string(&line)?;
        text.push('\n');
        self.file.write_all(text.as_bytes()).context("statistics could not be written")
    }
}
