//! How much of a period the audio callback needs, as a sound card would call it: at real-time priority, on
//! time, with caches that something else has used meanwhile.
//!
//! `cargo xtask bench callbacks [REMOTES] [SECONDS]`. A line for each codec, without loss and with 1 %. What
//! is counted is the time that the thread has worked; what it took altogether stands beside it, because a
//! machine that is shared takes the processor away for a while and gives it back.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Context;
use benches::band::{Band, PERIOD};
use engine_device::clock;
use engine_device::priority::{Role, raise};
use protocol::codec::Codec;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |what: &str, usual: u32| match arguments.next() {
        None => Ok(usual),
        Some(text) => text.parse().with_context(|| format!("`{text}` is no number of {what}")),
    };
    let (remotes, seconds) = (number("remotes", 15)?, number("seconds", 20)?);
    let priority = match raise(Role::Audio) {
        Ok(()) => "real-time priority".to_owned(),
        Err(refused) => refused.to_string(),
    };
    say(&format!(
        "{remotes} stereo remotes, period {PERIOD} at 48 kHz, {seconds} s for each line, {priority}"
    ));
    for codec in Codec::ALL {
        for (name, lost_one_in) in [("", None), (", 1 % lost", Some(100))] {
            let mut band = Band::new(remotes, codec);
            band.lost_one_in = lost_one_in;
            let spent = measure(&mut band, Duration::from_secs(seconds.into()));
            say(&format!("{codec}{name}: {}", summary(spent)));
        }
    }
    Ok(())
}

/// What each callback took.
struct Spent {
    worked: Vec<Duration>,
    passed: Vec<Duration>,
}

/// Calls back once a period for so long.
fn measure(band: &mut Band, duration: Duration) -> Spent {
    let callbacks = duration.as_nanos() / PERIOD_TIME.as_nanos();
    let callbacks = usize::try_from(callbacks).unwrap_or(usize::MAX);
    let mut spent =
        Spent { worked: Vec::with_capacity(callbacks), passed: Vec::with_capacity(callbacks) };
    let mut due = Instant::now();
    for _ in 0..callbacks {
        band.receive();
        due += PERIOD_TIME;
        // Behind a stall one after the other, as a device with a queue would have it.
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let (start, worked) = (Instant::now(), clock::thread_time());
        black_box(band.callback());
        spent.worked.push(clock::thread_time().saturating_sub(worked));
        spent.passed.push(start.elapsed());
    }
    spent
}

fn summary(mut spent: Spent) -> String {
    let percentiles = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        [500, 990, 999, 1000].map(|per_mille| {
            let index = (times.len() * per_mille / 1000).min(times.len() - 1);
            times[index].as_secs_f64() * 1e6
        })
    };
    let [p50, p99, p999, max] = percentiles(&mut spent.worked);
    let [_, _, passed_p999, passed_max] = percentiles(&mut spent.passed);
    let percent = 100.0 * p999 / (PERIOD_TIME.as_secs_f64() * 1e6);
    format!(
        "p50 {p50:.0}, p99 {p99:.0}, p99.9 {p999:.0} µs = {percent:.1} % of a period, longest {max:.0} µs; \
         with what was taken away p99.9 {passed_p999:.0}, longest {passed_max:.0} µs"
    )
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn say(line: &str) {
    println!("{line}");
}

/// 64 frames at 48 kHz, to the nanosecond below.
const PERIOD_TIME: Duration = Duration::from_nanos(PERIOD as u64 * 1_000_000 / 48);
