//! What `/metrics` serves: counts of the media server and of signalling, for Prometheus.
//!
//! Everything is read when it is asked for; counting itself costs the media threads plain additions.
//! Nothing personal is in it: no room, no name, no address.

use std::fmt::{Error, Write as _};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use sfu_server::{Counts, DelayHistogram, Snapshot};
use signalling_server::Census;

/// Writes everything in the text format of OpenMetrics.
pub(crate) fn write(counts: &Counts, census: Census, version: &'static str) -> String {
    let mut registry = Registry::with_prefix("vjam");
    registry.register_collector(Box::new(Gauges { census, version }));
    registry.register_collector(Box::new(Workers(counts.workers())));
    let mut text = String::new();
    if encode(&mut text, &registry).is_err() {
        text.clear();
        let _ = writeln!(text, "# the metrics could not be written");
    }
    text
}

#[derive(Debug)]
struct Gauges {
    census: Census,
    version: &'static str,
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let Census { connections, rooms, participants, takes_rooms } = self.census;
        let gauges = [
            ("connections", "WebSockets, joined or not", connections),
            ("rooms", "Rooms with at least one seat", rooms),
            ("participants", "Seats in all rooms, kept ones included", participants),
            ("takes_rooms", "1 where another room would be let in", usize::from(takes_rooms)),
        ];
        for (name, help, value) in gauges {
            let gauge = i64::try_from(value).unwrap_or(i64::MAX);
            encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&gauge)?;
        }
        let help = "The version of the server";
        encoder
            .encode_descriptor("build", help, None, MetricType::Info)?
            .encode_info(&[("version", self.version)])
    }
}

/// The workers in order.
#[derive(Debug)]
struct Workers(Vec<Snapshot>);

/// What is told of a worker: name, help, and where it is.
type Told<T> = (&'static str, &'static str, fn(&Snapshot) -> T);

const COUNTERS: [Told<u64>; 10] = [
    ("received_packets", "Genuine media packets that came", |w| w.router.received_packets),
    ("received_bytes", "Bytes of all datagrams that came", |w| w.router.received_bytes),
    ("forwarded_packets", "Media packets handed on, one for each receiver", |w| {
        w.router.forwarded_packets
    }),
    ("sent_bytes", "Bytes of all datagrams that went", |w| w.router.sent_bytes),
    ("sent_datagrams", "Datagrams that went", |w| w.socket.sent_datagrams),
    ("sent_messages", "Messages that carried them", |w| w.socket.sent_messages),
    ("send_calls", "System calls that sent", |w| w.socket.send_calls),
    ("receive_calls", "System calls that received", |w| w.socket.receive_calls),
    ("control_received", "STUN and DTLS datagrams that came", |w| w.router.control_received),
    ("rtcp_received", "RTCP packets that came", |w| w.router.rtcp_received),
];

const GAUGES: [Told<f64>; 3] = [
    ("worker_links", "Participants with a media link", |w| w.links as f64),
    ("worker_busy_ratio", "How much of the time there was something to do", |w| {
        f64::from(w.busy_permille) / 1000.0
    }),
    ("worker_window_seconds", "For how long packets are gathered before they go", |w| {
        w.window.as_secs_f64()
    }),
];

const HISTOGRAMS: [Told<DelayHistogram>; 2] = [
    (
        "forwarding_delay",
        "From the arrival of a packet at the socket to the end of the call that sent it on",
        |w| w.delay,
    ),
    ("socket_wait", "From the arrival of a packet at the socket until it was taken", |w| w.waiting),
];

impl Collector for Workers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let workers = || self.0.iter().enumerate();
        for (name, help, value) in COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (worker, snapshot) in workers() {
                family
                    .encode_family(&[("worker", worker)])?
                    .encode_counter::<NoLabels, _, u64>(&value(snapshot), None)?;
            }
        }
        let help = "Processor time of the worker";
        let (name, unit) = ("worker_cpu", Some(&Unit::Seconds));
        let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Counter)?;
        for (worker, snapshot) in workers() {
            family
                .encode_family(&[("worker", worker)])?
                .encode_counter::<NoLabels, _, u64>(&snapshot.cpu.as_secs_f64(), None)?;
        }
        for (name, help, value) in GAUGES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (worker, snapshot) in workers() {
                family.encode_family(&[("worker", worker)])?.encode_gauge(&value(snapshot))?;
            }
        }
        let help = "Datagrams, packets and copies that went no further, by cause";
        let mut family = encoder.encode_descriptor("dropped", help, None, MetricType::Counter)?;
        for (worker, snapshot) in workers() {
            let worker = worker.to_string();
            for (cause, count) in dropped(snapshot) {
                family
                    .encode_family(&[("worker", worker.as_str()), ("cause", cause)])?
                    .encode_counter::<NoLabels, _, u64>(&count, None)?;
            }
        }
        for (name, help, value) in HISTOGRAMS {
            let unit = Some(&Unit::Seconds);
            let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
            for (worker, snapshot) in workers() {
                let histogram = value(snapshot);
                family.encode_family(&[("worker", worker)])?.encode_histogram::<NoLabels>(
                    histogram.sum().as_secs_f64(),
                    histogram.total(),
                    &buckets(&histogram),
                    None,
                )?;
            }
        }
        Ok(())
    }
}

/// Everything that was dropped or not sent, by its cause.
fn dropped(snapshot: &Snapshot) -> impl Iterator<Item = (&'static str, u64)> + use<> {
    let counts = snapshot.router.named().chain(snapshot.socket.named());
    counts.filter_map(|(name, count)| {
        let unsent = name.starts_with("unsent_").then_some(name);
        Some((name.strip_prefix("dropped_").or(unsent)?, count))
    })
}

/// Bounds in seconds, each with how many lie between it and the one before.
fn buckets(delay: &DelayHistogram) -> Vec<(f64, u64)> {
    let mut below = 0;
    let bucket = |(bound, up_to): (Option<u32>, u64)| {
        let count = up_to - std::mem::replace(&mut below, up_to);
        (bound.map_or(f64::INFINITY, |us| f64::from(us) / 1e6), count)
    };
    delay.cumulative().map(bucket).collect()
}

/// Nothing here has exemplars.
type NoLabels = [(&'static str, &'static str); 0];
