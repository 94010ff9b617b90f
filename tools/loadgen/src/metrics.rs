//! What a server says of itself at `/metrics`, where it can be asked in clear.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use signalling_client::{RoomLink, Scheme};

/// How many took at most so many microseconds, by that bound; all of them under the largest.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Steps(BTreeMap<u64, f64>);

/// Counts since the server started, all of its workers together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Metrics {
    /// Processor time of the workers.
    pub(crate) cpu_seconds: f64,
    /// System calls that sent or received.
    pub(crate) calls: f64,
    /// Packets forwarded, one for each receiver.
    pub(crate) forwarded: f64,
    /// What went no further, by cause.
    dropped: BTreeMap<String, f64>,
    /// How many of them left within so many microseconds of their arrival, by that bound.
    pub(crate) delays: Steps,
    /// How many packets lay in the server's socket for so many microseconds at most, likewise.
    pub(crate) waits: Steps,
}

impl Metrics {
    /// Asks a server; `None` where it does not tell, or is not vjam.
    pub(crate) fn ask(server: &RoomLink) -> Option<Self> {
        if server.scheme != Scheme::Http {
            return None;
        }
        let mut stream = TcpStream::connect((server.host.as_str(), server.port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let host = server.authority();
        write!(stream, "GET /metrics HTTP/1.0\r\nHost: {host}\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).ok()?;
        Self::read(&answer)
    }

    pub(crate) fn read(answer: &str) -> Option<Self> {
        let mut metrics = Self::default();
        let mut known = false;
        for line in answer.lines() {
            let Some((name, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.parse::<f64>() else { continue };
            let (name, labels) = name.split_once('{').unwrap_or((name, ""));
            match name {
                "vjam_worker_cpu_seconds_total" => {
                    known = true;
                    metrics.cpu_seconds += value;
                }
                "vjam_send_calls_total" | "vjam_receive_calls_total" => metrics.calls += value,
                "vjam_forwarded_packets_total" => metrics.forwarded += value,
                "vjam_dropped_total" => {
                    let cause = label(labels, "cause").unwrap_or_default().to_owned();
                    *metrics.dropped.entry(cause).or_default() += value;
                }
                "vjam_forwarding_delay_seconds_bucket" => metrics.delays.add(labels, value),
                "vjam_socket_wait_seconds_bucket" => metrics.waits.add(labels, value),
                _ => {}
            }
        }
        known.then_some(metrics)
    }

    /// What came since an earlier answer.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let before = |cause: &String| earlier.dropped.get(cause).copied().unwrap_or(0.0);
        let dropped = self.dropped.iter();
        Self {
            cpu_seconds: self.cpu_seconds - earlier.cpu_seconds,
            calls: self.calls - earlier.calls,
            forwarded: self.forwarded - earlier.forwarded,
            dropped: dropped.map(|(cause, all)| (cause.clone(), all - before(cause))).collect(),
            delays: self.delays.since(&earlier.delays),
            waits: self.waits.since(&earlier.waits),
        }
    }

    /// What went no further, by cause.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a count")]
    pub(crate) fn dropped(&self) -> impl Iterator<Item = (&str, u64)> {
        self.dropped.iter().map(|(cause, count)| (cause.as_str(), *count as u64))
    }

    /// How much went no further for one of these causes.
    pub(crate) fn dropped_for(&self, causes: &[&str]) -> u64 {
        let dropped = self.dropped().filter(|(cause, _)| causes.contains(cause));
        dropped.map(|(_, count)| count).sum()
    }
}

impl Steps {
    /// Takes in a line with these labels.
    fn add(&mut self, labels: &str, value: f64) {
        let bound = label(labels, "le").and_then(|le| le.parse::<f64>().ok());
        if let Some(seconds) = bound {
            *self.0.entry(bound_us(seconds)).or_default() += value;
        }
    }

    fn since(&self, earlier: &Self) -> Self {
        let count = |bound: &u64| earlier.0.get(bound).copied().unwrap_or(0.0);
        Self(self.0.iter().map(|(bound, all)| (*bound, all - count(bound))).collect())
    }

    /// The part of all packets that took longer than a bound.
    pub(crate) fn part_beyond(&self, bound_us: u64) -> Option<f64> {
        let all = *self.0.get(&u64::MAX)?;
        let within = self.0.get(&bound_us)?;
        (0.0 < all).then_some((all - within) / all)
    }

    /// The least bound that so many of a thousand packets took at most.
    pub(crate) fn quantile_us(&self, permille: f64) -> Option<u64> {
        let all = *self.0.get(&u64::MAX)?;
        let mut bounds = self.0.iter();
        let (bound, _) = bounds.find(|(_, within)| all * permille / 1000.0 <= **within)?;
        (0.0 < all && *bound != u64::MAX).then_some(*bound)
    }
}

/// The value of a label in `name="value",…`.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = labels.split_once(name)?;
    Some(rest.strip_prefix("=\"")?.split_once('"')?.0)
}

/// A bound in microseconds; the last one, which is infinite, as the largest number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounds are positive")]
fn bound_us(seconds: f64) -> u64 {
    if seconds.is_finite() { (seconds * 1e6).round() as u64 } else { u64::MAX }
}

const PATIENCE: Duration = Duration::from_secs(2);

/// Hundreds of workers' worth.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_added_up_and_time_taken_off() {
        let answer = |packets: u32| {
            let within = packets / 2;
            format!(
                "HTTP/1.0 200 OK\r\n\r\n# HELP x y\n\
                 vjam_worker_cpu_seconds_total{{worker=\"0\"}} 1.5\n\
                 vjam_worker_cpu_seconds_total{{worker=\"1\"}} {packets}\n\
                 vjam_send_calls_total{{worker=\"0\"}} 7\n\
                 vjam_dropped_total{{worker=\"0\",cause=\"stale\"}} {within}\n\
                 vjam_dropped_total{{worker=\"0\",cause=\"full\"}} 1\n\
                 vjam_dropped_total{{worker=\"0\",cause=\"refused\"}} 2\n\
                 vjam_dropped_total{{worker=\"0\",cause=\"unread\"}} 4\n\
                 vjam_forwarded_packets_total{{worker=\"0\"}} {packets}\n\
                 vjam_forwarding_delay_seconds_bucket{{le=\"0.0001\",worker=\"0\"}} {within}\n\
                 vjam_forwarding_delay_seconds_bucket{{le=\"0.00025\",worker=\"0\"}} {packets}\n\
                 vjam_forwarding_delay_seconds_bucket{{le=\"+Inf\",worker=\"0\"}} {packets}\n\
                 vjam_socket_wait_seconds_bucket{{le=\"0.00004\",worker=\"0\"}} {packets}\n\
                 vjam_socket_wait_seconds_bucket{{le=\"+Inf\",worker=\"0\"}} {packets}\n\
                 # EOF\n"
            )
        };
        let earlier = Metrics::read(&answer(10)).expect("it is vjam");
        let later = Metrics::read(&answer(110)).expect("it is vjam");
        assert_eq!((earlier.cpu_seconds, earlier.calls), (11.5, 7.0));
        let between = later.since(&earlier);
        assert_eq!((between.forwarded, between.calls), (100.0, 0.0));
        assert_eq!(earlier.dropped_for(&["full", "refused"]), 3);
        assert_eq!((earlier.dropped_for(&["unread"]), between.dropped_for(&["stale"])), (4, 50));
        let delay_us = |permille| between.delays.quantile_us(permille);
        assert_eq!((delay_us(500.0), delay_us(990.0)), (Some(100), Some(250)));
        assert_eq!(between.waits.quantile_us(990.0), Some(40));
        let nothing = earlier.since(&earlier);
        assert_eq!(nothing.delays.quantile_us(500.0), None, "nothing was forwarded");
        assert_eq!(Metrics::read("HTTP/1.0 404 Not Found\r\n\r\n"), None);
    }
}
