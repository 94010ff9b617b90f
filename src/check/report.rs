//! What was found, for people line by line as it is found, and as JSON at the end.

use std::io::Write as _;

use serde::Serialize;

/// Everything that was found.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Whether nothing has to be done.
    pub(super) good: bool,
    /// The device, if it could be opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) device: Option<DeviceFigures>,
    /// What came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) level: Option<LevelFigures>,
    /// What of the loudspeaker came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) feedback: Option<FeedbackFigures>,
    /// The way to the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) network: Option<NetworkFigures>,
    /// Who is in the room.
    pub(super) company: Vec<Company>,
    /// How everything was judged, step by step.
    pub(super) steps: Vec<Step>,
    /// The sum of it, in words.
    pub(super) verdict: Vec<String>,
}

/// One step, as it was told.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    /// Which.
    pub(super) name: &'static str,
    /// Whether nothing has to be done about it.
    pub(super) good: bool,
    /// What was found.
    pub(super) found: String,
    /// What to do.
    pub(super) todo: Vec<String>,
}

/// Of the device.
#[derive(Debug, Clone, Serialize)]
pub(super) struct DeviceFigures {
    pub(super) description: String,
    pub(super) rate_hz: u32,
    pub(super) period_frames: u32,
    pub(super) xruns: u64,
    pub(super) input_latency_ms: Option<f64>,
    pub(super) output_latency_ms: Option<f64>,
    /// `reported` or `calibrated`.
    pub(super) device_latency: &'static str,
}

/// Of what came in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct LevelFigures {
    pub(super) peak_dbfs: f32,
    /// The quietest tenth.
    pub(super) floor_dbfs: f32,
    /// Runs of samples at full scale.
    pub(super) clipped: usize,
}

/// Of the loudspeaker in the microphone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct FeedbackFigures {
    /// Whether anything came in at all.
    pub(super) hears: bool,
    /// What comes back of what is played; `null` where nothing was heard.
    pub(super) returned_db: Option<f32>,
    /// After how long.
    pub(super) round_trip_ms: Option<f64>,
}

/// Of the way to the server and back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct NetworkFigures {
    pub(super) sent_packets_per_second: f64,
    pub(super) up_lost_permille: f64,
    pub(super) up_jitter_ms: f64,
    pub(super) down_lost_permille: f64,
    pub(super) round_trip_ms: Option<f64>,
    /// What packets had to wait for others, for the network's sake.
    pub(super) buffer_ms: f64,
    /// From the microphone around the server to the loudspeaker.
    pub(super) around_ms: Option<f64>,
    pub(super) callback_p99_us: u32,
    pub(super) callback_period_us: u32,
    pub(super) xruns: u64,
}

/// Somebody in the room.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Company {
    pub(super) name: String,
    /// From one's microphone to their loudspeaker and the other way round, the mean of both.
    pub(super) delay_ms: Option<f64>,
    pub(super) words: String,
}

/// Where it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Teller {
    /// To people.
    Words,
    /// As JSON on standard output; people read along on standard error.
    Json,
}

impl Teller {
    /// Says what a step is going to do.
    pub(super) fn begin(self, name: &str, does: &str) -> anyhow::Result<()> {
        self.say(&format!("{name:<10}{does}\n"))
    }

    /// Says what it found and what to do, and keeps it.
    pub(super) fn end(self, report: &mut Report, step: Step) -> anyhow::Result<()> {
        let mut text = format!("{INDENT}{}\n", step.found);
        for todo in &step.todo {
            text.push_str(&format!("{INDENT}→ {todo}\n"));
        }
        report.steps.push(step);
        self.say(&text)
    }

    /// Ends with the sum of it.
    pub(super) fn finish(self, report: &Report) -> anyhow::Result<()> {
        let lines = report.verdict.iter().map(|line| format!("{line}\n"));
        self.say(&format!("\n{}", lines.collect::<String>()))?;
        if self == Self::Json {
            let mut out = std::io::stdout();
            serde_json::to_writer_pretty(&mut out, report)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn say(self, text: &str) -> anyhow::Result<()> {
        match self {
            Self::Words => {
                let mut out = std::io::stdout();
                out.write_all(text.as_bytes())?;
                out.flush()?;
            }
            // Whoever reads the JSON need not have a terminal.
            Self::Json => eprint!("{text}"),
        }
        Ok(())
    }
}

/// A number with one decimal, for the figures.
pub(super) fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

const INDENT: &str = "          ";
