//! What the audio callback costs: with 1, 7 and 15 remote musicians, and for each codec frame.
//!
//! One callback is `capture` and `render` with a period of 64 frames (1333 µs), which publishes
//! stereo `opus-64` and hears stereo remotes. Beside criterion's mean, each case prints percentiles
//! over 30,000 callbacks: a callback that decodes for everybody at once is what a listener hears.
//!
//! `cargo bench -p benches --bench engine`

use std::hint::black_box;
use std::time::Instant as Clock;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use engine::{Channels, Encoding, Session, SessionConfig, session};
use protocol::codec::Codec;
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::rtp::Ssrc;
use protocol::time::Instant;
use protocol::units::Bitrate;

const PERIOD: usize = 64;

/// A musician who hears others, and what the others send.
struct Room {
    own: Session,
    others: Vec<Session>,
    input: [[f32; PERIOD]; 2],
    periods: u64,
    /// One packet in so many does not arrive.
    lost_one_in: Option<u64>,
}

impl Room {
    fn new(remotes: u32, codec: Codec) -> Self {
        let config = SessionConfig { channels: Channels::Stereo, ..SessionConfig::default() };
        let publish = |ssrc| {
            let mut session = session(&config).expect("a valid configuration");
            let bitrate = Bitrate(128_000);
            let encoding = Encoding { bitrate, ..Encoding::new(codec, Ssrc(ssrc)) };
            session.control.set_encodings(&[encoding]).expect("a valid encoding");
            session
        };
        let mut own = publish(0);
        let others = (1..=remotes).map(publish).collect();
        for ssrc in 1..=remotes {
            own.control.add_remote(Ssrc(ssrc), Channels::Stereo).expect("room");
        }
        let sample = |n: usize| (0.1 * n as f32).sin() * 0.1 + (0.037 * n as f32).sin() * 0.1;
        let input = [0, 7].map(|shift| core::array::from_fn(|n| sample(n + shift)));
        let mut room = Self { own, others, input, periods: 0, lost_one_in: None };
        for _ in 0..2000 {
            room.receive();
            room.callback();
        }
        room
    }

    /// Everything between two callbacks: not measured.
    fn receive(&mut self) {
        self.periods += 1;
        let now = Instant::from_ns(self.periods * 4_000_000 / 3 - 1_000_000);
        let mut packet = [0; DATAGRAM_BYTES_MAX];
        for (number, other) in (0_u64..).zip(&mut self.others) {
            // Nobody plays the same thing at the same time, nor is anybody's period in step.
            self.input.iter_mut().for_each(|channel| channel.rotate_left(5));
            let [left, right] = &self.input;
            other.capture.capture(&[left, right]);
            while let Some(len) = other.outgoing.poll_packet(&mut packet) {
                if self.lost_one_in.is_none_or(|n| !(self.periods + number).is_multiple_of(n)) {
                    let result = self.own.incoming.handle_packet(now, &packet[..len]);
                    result.expect("a known remote");
                }
            }
        }
        while self.own.outgoing.poll_packet(&mut packet).is_some() {}
    }

    fn callback(&mut self) -> f32 {
        let now = Instant::from_ns(self.periods * 4_000_000 / 3);
        let [left, right] = &self.input;
        self.own.capture.capture(&[left, right]);
        let (mut out_left, mut out_right) = ([0.0; PERIOD], [0.0; PERIOD]);
        self.own.render.render(now, &mut [&mut out_left, &mut out_right]);
        out_left[0] + out_right[0]
    }
}

fn callbacks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("callback");
    for codec in Codec::ALL {
        for remotes in [1, 7, 15] {
            for (name, lost_one_in) in [("", None), (" 1% loss", Some(100))] {
                let mut room = Room::new(remotes, codec);
                room.lost_one_in = lost_one_in;
                let id = BenchmarkId::new(format!("{codec}{name}"), remotes);
                group.bench_function(id, |bencher| {
                    bencher.iter_custom(|callbacks| {
                        let mut spent = std::time::Duration::ZERO;
                        for _ in 0..callbacks {
                            room.receive();
                            let start = Clock::now();
                            black_box(room.callback());
                            spent += start.elapsed();
                        }
                        spent
                    });
                });
                percentiles(&mut room, &format!("{codec}{name} {remotes}"));
            }
        }
    }
    group.finish();
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn percentiles(room: &mut Room, name: &str) {
    let mut spent: Vec<u128> = (0..30_000)
        .map(|_| {
            room.receive();
            let start = Clock::now();
            black_box(room.callback());
            start.elapsed().as_nanos()
        })
        .collect();
    spent.sort_unstable();
    let at = |part: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let index = (spent.len() as f64 * part) as usize;
        spent[index.min(spent.len() - 1)] as f64 / 1000.0
    };
    let percent = at(0.999) / 1_000_000.0 * 48_000.0 / PERIOD as f64 * 100.0;
    println!(
        "{name} remotes: p50 {:.1} µs, p99 {:.1} µs, p99.9 {:.1} µs ({percent:.1} % of a period), max {:.1} µs",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    );
}

/// One codec frame: into a packet, and out of it.
fn codec_frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codec frame");
    for codec in Codec::ALL {
        for channels in [Channels::Mono, Channels::Stereo] {
            let config = SessionConfig { channels, ..SessionConfig::default() };
            let mut sender = session(&config).expect("a valid configuration");
            let bitrate = Bitrate(96_000 * u32::try_from(channels.count()).expect("1 or 2"));
            let encoding = Encoding { bitrate, ..Encoding::new(codec, Ssrc(1)) };
            sender.control.set_encodings(&[encoding]).expect("a valid encoding");
            let mut receiver = session(&config).expect("a valid configuration");
            receiver.control.add_remote(Ssrc(1), channels).expect("room");
            let frames = codec.codec_frame_frames();
            let input: Vec<f32> = (0..frames).map(|n| (0.1 * n as f32).sin() * 0.3).collect();
            let mut packet = [0; DATAGRAM_BYTES_MAX];
            let name = format!("{codec} {channels:?}");
            group.bench_function(BenchmarkId::new("encode", &name), |bencher| {
                bencher.iter_batched_ref(
                    || while sender.outgoing.poll_packet(&mut packet).is_some() {},
                    |()| black_box(sender.capture.capture(&[&input, &input])),
                    BatchSize::PerIteration,
                );
            });
            let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
            let mut at_ns = 0;
            let step_ns = frames as u64 * 1_000_000 / 48;
            group.bench_function(BenchmarkId::new("decode and play", &name), |bencher| {
                bencher.iter_custom(|count| {
                    let mut spent = std::time::Duration::ZERO;
                    for _ in 0..count {
                        at_ns += step_ns;
                        sender.capture.capture(&[&input, &input]);
                        while let Some(len) = sender.outgoing.poll_packet(&mut packet) {
                            let now = Instant::from_ns(at_ns - step_ns / 2);
                            let result = receiver.incoming.handle_packet(now, &packet[..len]);
                            result.expect("a known remote");
                        }
                        let start = Clock::now();
                        let now = Instant::from_ns(at_ns);
                        receiver.render.render(now, &mut [&mut left, &mut right]);
                        spent += start.elapsed();
                    }
                    spent
                });
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = engine;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(std::time::Duration::from_millis(300))
        .measurement_time(std::time::Duration::from_secs(1));
    targets = callbacks, codec_frames
}
criterion_main!(engine);
