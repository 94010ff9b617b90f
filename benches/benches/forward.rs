//! What forwarding one packet costs, sockets excluded: open, decide, rewrite and seal for each
//! subscriber.
//!
//! `cargo bench -p benches --bench forward`

use std::time::{Duration, Instant};

use benches::room::Room;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// 80 kbit/s of Opus in 2.5 ms frames are 25 bytes; 120 is generous, and what the field measures.
const PAYLOAD: [u8; 120] = [7; 120];

fn forward(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("forward");
    for subscribers in [1, 7, 15] {
        let mut room = Room::connect(subscribers).expect("a room in memory");
        group.throughput(Throughput::Elements(u64::from(subscribers)));
        group.bench_function(BenchmarkId::from_parameter(subscribers), |bencher| {
            bencher.iter_custom(|packets| {
                let mut packet = [0; 200];
                let mut copy = [0; 1500];
                let mut took = Duration::ZERO;
                for _ in 0..packets {
                    // The publisher's sealing is not the server's time.
                    let len = room.seal(&PAYLOAD, &mut packet).expect("the link is up");
                    let started = Instant::now();
                    let copies = room.forward(&mut packet[..len], &mut copy);
                    took += started.elapsed();
                    assert_eq!(copies, subscribers, "everybody got a copy");
                }
                took
            });
        });
    }
    group.finish();
}

criterion_group!(benches, forward);
criterion_main!(benches);
