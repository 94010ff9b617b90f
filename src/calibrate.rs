//! `vjam calibrate`: measures the device's round trip, through a cable or a loudspeaker, and remembers it.

use std::io::Write as _;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use engine_device::calibration::{Calibration, Calibrations, Said, Search, Step};

use crate::device::{DeviceFlags, Side, Store, Trial};

/// Flags of `vjam calibrate`.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    #[command(flatten)]
    device: DeviceFlags,

    /// How far the loudspeaker is from the microphone, if it is no cable: sound takes 2.9 ms for a
    /// meter, which is not the device's.
    #[arg(long, value_name = "CM", default_value_t = 0,
        value_parser = clap::value_parser!(u16).range(0..=2000))]
    distance_cm: u16,

    /// Show what is remembered, and measure nothing.
    #[arg(long, conflicts_with = "forget")]
    list: bool,

    /// Forget what was measured of devices with these words in their name, or (without words) of
    /// all.
    #[arg(long, value_name = "WORDS", num_args = 0..=1, default_missing_value = "")]
    forget: Option<String>,
}

/// Measures, or shows or forgets what was measured.
pub(crate) fn run(flags: &Flags) -> anyhow::Result<()> {
    let store = Store::of_user()?;
    let mut known = store.read()?;
    if flags.list {
        return say(&list(&known));
    }
    if let Some(words) = &flags.forget {
        let forgotten = known.forget(words);
        if 0 < forgotten {
            store.write(&known)?;
        }
        return say(&format!("{forgotten} forgotten, {} left\n", known.all().len()));
    }
    // What is measured is the driver's word against the truth: nothing that was measured before belongs to it.
    let mut trial = Trial::start(&flags.device, Calibrations::default())?;
    say(&format!("audio: {}\n{INTRODUCTION}\n", trial.format()))?;
    let measured = measure(&mut trial, flags.distance_cm);
    let (key, said) = (trial.key(), trial.said());
    let stopped = trial.stop();
    let calibration = Calibration::new(key, measured?, said);
    stopped?;
    let words = verdict(&calibration, said);
    known.put(calibration);
    store.write(&known)?;
    say(&format!("{words}\nRemembered in {}\n", store.path().display()))
}

/// Plays bursts until enough agree.
fn measure(trial: &mut Trial, distance_cm: u16) -> anyhow::Result<Duration> {
    let floor_dbfs = trial.listen(FLOOR_TIME)?.rms_dbfs();
    let mut search = Search::new(floor_dbfs);
    let mut step = search.first();
    let mut wait = ROUND_TRIP_MAX;
    loop {
        match step {
            Step::Play(level_dbfs) => {
                let heard = trial.play_burst(level_dbfs, Side::Left, wait)?;
                let words = match heard.outcome.round_trip {
                    Some(round_trip) => {
                        // Its echoes have to be over before the next one.
                        wait = (2 * round_trip).clamp(ECHO_TIME, ROUND_TRIP_MAX);
                        format!("back after {}", ms(round_trip))
                    }
                    None => "not heard".to_owned(),
                };
                say(&format!("  burst at {level_dbfs:.0} dBFS: {words}\n"))?;
                step = search.note(heard.outcome);
            }
            Step::Done { round_trip, agreeing, off } => {
                say(&format!(
                    "{agreeing} bursts agree within {:.3} ms\n",
                    off.as_secs_f64() * 1e3
                ))?;
                let air = Duration::from_secs_f64(f64::from(distance_cm) / 100.0 / SOUND_M_PER_S);
                return Ok(round_trip.saturating_sub(air));
            }
            Step::Failed(fault) => bail!("{fault}"),
        }
    }
}

fn verdict(calibration: &Calibration, said: Said) -> String {
    let Calibration { round_trip_ms, driver_says_ms, .. } = calibration;
    let side = |said: Option<Duration>| said.map_or_else(|| "nothing".to_owned(), ms);
    let untold_ms = round_trip_ms - driver_says_ms;
    let words = if untold_ms.abs() < NEGLIGIBLE_MS {
        "it tells all of it".to_owned()
    } else if untold_ms < 0.0 {
        format!("{:.2} ms too much, which `vjam join` takes off", -untold_ms)
    } else {
        format!("{untold_ms:.2} ms are not told, which `vjam join` adds")
    };
    format!(
        "round trip: {round_trip_ms:.2} ms. The driver says {driver_says_ms:.2} ms (input {}, output {}): {words}",
        side(said.input),
        side(said.output),
    )
}

fn list(known: &Calibrations) -> String {
    if known.all().is_empty() {
        return "Nothing was calibrated yet: `vjam calibrate`\n".to_owned();
    }
    let line = |calibration: &Calibration| {
        let device = &calibration.device;
        format!(
            "{}: {} → {}, {} Hz, {} frames in a period: {:.2} ms, of which the driver tells {:.2}\n",
            device.backend,
            device.input,
            device.output,
            device.rate_hz,
            device.period_frames,
            calibration.round_trip_ms,
            calibration.driver_says_ms,
        )
    };
    known.all().iter().map(line).collect()
}

fn ms(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1e3)
}

fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

const INTRODUCTION: &str = "\
Plays short bursts, quiet ones first, and waits for them to come back: with a cable from output 1 to input 1, or
with the microphone at the loudspeaker (`--distance-cm`: a meter of air takes 2.9 ms). Take headphones off.";

/// How long it is listened to what comes in without bursts.
const FLOOR_TIME: Duration = Duration::from_millis(500);

/// Longer than Bluetooth takes.
const ROUND_TRIP_MAX: Duration = Duration::from_millis(700);

/// What a living room needs to become quiet.
const ECHO_TIME: Duration = Duration::from_millis(200);

/// At 20 °C.
const SOUND_M_PER_S: f64 = 343.0;

/// Two frames are nothing to speak of.
const NEGLIGIBLE_MS: f64 = 0.05;

#[cfg(test)]
mod tests {
    use engine_device::audio::{DeviceNames, Rates};
    use engine_device::calibration::DeviceKey;

    use super::*;

    fn words(round_trip_us: u64, said: Said) -> String {
        let names = DeviceNames { backend: "jack", input: "in".into(), output: "out".into() };
        let key = DeviceKey::new(&names, Rates::default(), 96);
        verdict(&Calibration::new(key, Duration::from_micros(round_trip_us), said), said)
    }

    #[test]
    fn the_verdict_says_what_the_driver_leaves_out() {
        let ms = |ms| Some(Duration::from_millis(ms));
        let said = Said { input: ms(2), output: ms(2) };
        assert_eq!(
            words(7500, said),
            "round trip: 7.50 ms. The driver says 4.00 ms (input 2.00 ms, output 2.00 ms): 3.50 ms \
             are not told, which `vjam join` adds"
        );
        assert!(words(4010, said).ends_with("it tells all of it"));
        assert!(words(3000, said).contains("1.00 ms too much"));
        assert!(words(3000, Said::default()).contains("input nothing, output nothing"));
    }
}
