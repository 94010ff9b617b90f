//! Whether the device runs without a break, and what it takes.

use core::time::Duration;

use super::report::{DeviceFigures, Step, tenths};
use crate::device::Trial;

/// Lets it run.
pub(super) fn measure(trial: &mut Trial) -> anyhow::Result<(DeviceFigures, Step)> {
    let before = trial.status().xruns;
    trial.listen(RUN_TIME)?;
    let status = trial.status();
    let (input, output) = trial.latencies();
    let ms = |latency: Option<Duration>| latency.map(|l| tenths(l.as_secs_f64() * 1e3));
    let figures = DeviceFigures {
        description: trial.format().description.clone(),
        rate_hz: status.rates.output_hz,
        period_frames: status.period_frames,
        xruns: status.xruns.saturating_sub(before),
        input_latency_ms: ms(input),
        output_latency_ms: ms(output),
        device_latency: if status.calibrated { "calibrated" } else { "reported" },
    };
    let rates = status.rates.to_string();
    let step = judge(&figures, &rates, status.trouble);
    Ok((figures, step))
}

fn judge(figures: &DeviceFigures, rates: &str, trouble: Option<String>) -> Step {
    let DeviceFigures { description, period_frames, xruns, .. } = figures;
    let mut todo: Vec<String> = trouble.into_iter().collect();
    if 0 < *xruns {
        todo.push(
            "the device drops out: choose a longer period (`--period 256`, `jackd -p 256`), or close other programs"
                .to_owned(),
        );
    }
    let dropouts = match xruns {
        0 => "no dropout".to_owned(),
        1 => "one dropout".to_owned(),
        more => format!("{more} dropouts"),
    };
    let side = |ms: Option<f64>| ms.map_or_else(|| "?".to_owned(), |ms| format!("{ms:.1}"));
    let delay = format!(
        "{} ms in and {} ms out",
        side(figures.input_latency_ms),
        side(figures.output_latency_ms)
    );
    let known = match figures.device_latency {
        "calibrated" => "as calibrated",
        _ => "as the driver says (`vjam calibrate` measures it)",
    };
    let found = format!(
        "{description}, {rates}, {period_frames} frames in a period; {dropouts}; its delay: {delay}, {known}"
    );
    Step { name: "device", good: todo.is_empty(), found, todo }
}

const RUN_TIME: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropouts_have_to_be_mended_and_an_unknown_delay_is_no_fault() {
        let mut figures = DeviceFigures {
            description: "a card".into(),
            rate_hz: 48_000,
            period_frames: 64,
            xruns: 0,
            input_latency_ms: Some(1.33),
            output_latency_ms: None,
            device_latency: "reported",
        };
        let step = judge(&figures, "48000 Hz", None);
        assert_eq!(
            (step.good, step.found.as_str()),
            (
                true,
                "a card, 48000 Hz, 64 frames in a period; no dropout; its delay: 1.3 ms in and ? ms \
                    out, as the driver says (`vjam calibrate` measures it)"
            )
        );
        figures.xruns = 3;
        let step = judge(&figures, "48000 Hz", Some("no real-time priority".into()));
        assert_eq!((step.good, step.todo.len()), (false, 2));
    }
}
