//! What the audio callback costs: with 1, 7 and 15 remote musicians, and for each codec frame.
//!
//! One callback is `capture` and `render` with a period of 64 frames (1333 µs), which publishes
//! stereo `opus-64` and hears stereo remotes. Beside criterion's mean, each case prints percentiles
//! over 30,000 callbacks: a callback that decodes for everybody at once is what a listener hears.
//! What converting adds to it for a device at another rate is measured by itself.
//!
//! `cargo bench -p benches --bench engine`

use std::hint::black_box;
use std::time::Instant as Clock;

use benches::band::{Band, PERIOD};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use engine::{Channels, DeviceInput, DeviceOutput, Encoding, SessionConfig, session};
use protocol::codec::Codec;
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::rtp::Ssrc;
use protocol::time::Instant;
use protocol::units::Bitrate;

fn callbacks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("callback");
    for codec in Codec::ALL {
        for remotes in [1, 7, 15] {
            for (name, lost_one_in) in [("", None), (" 1% loss", Some(100))] {
                let mut band = Band::new(remotes, codec);
                band.lost_one_in = lost_one_in;
                let id = BenchmarkId::new(format!("{codec}{name}"), remotes);
                group.bench_function(id, |bencher| {
                    bencher.iter_custom(|callbacks| {
                        let mut spent = std::time::Duration::ZERO;
                        for _ in 0..callbacks {
                            band.receive();
                            let start = Clock::now();
                            black_box(band.callback());
                            spent += start.elapsed();
                        }
                        spent
                    });
                });
                percentiles(&mut band, &format!("{codec}{name} {remotes}"));
            }
        }
    }
    group.finish();
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn percentiles(band: &mut Band, name: &str) {
    let mut spent: Vec<u128> = (0..30_000)
        .map(|_| {
            band.receive();
            let start = Clock::now();
            black_box(band.callback());
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

/// What a device's rate costs: a period of 64 of its frames in and out, stereo, with no engine behind.
fn device_rates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("device rate");
    let input: [f32; PERIOD] = core::array::from_fn(|n| (0.1 * n as f32).sin() * 0.3);
    for rate_hz in [48_000, 44_100, 96_000, 192_000] {
        let mut capture = DeviceInput::new(rate_hz).expect("a simple ratio");
        let mut render = DeviceOutput::new(rate_hz).expect("a simple ratio");
        let (mut left, mut right) = ([0.0; PERIOD], [0.0; PERIOD]);
        group.bench_function(BenchmarkId::from_parameter(rate_hz), |bencher| {
            bencher.iter(|| {
                capture.capture(&[&input, &input], |frames| {
                    black_box(frames);
                });
                render.render(&mut [&mut left, &mut right], |frames| {
                    black_box(frames);
                });
                left[0] + right[0]
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = engine;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(std::time::Duration::from_millis(300))
        .measurement_time(std::time::Duration::from_secs(1));
    targets = callbacks, codec_frames, device_rates
}
criterion_main!(engine);
