//! Prints how well eight musicians know their room's clock, in virtual time: what they are wrong by, and whether
//! that is within what they claim. Fails where one of the figures does not hold.
//!
//! Clocks from -150 to +150 ppm that wander; paths of 5 to 40 ms with jitter of three kinds, some of them longer
//! there than back; one clock that is set, and one network that goes for a while. `symmetric` is the worst error after
//! three seconds of those whose paths are alike both ways; `outside` how many of a thousand looks lay outside the
//! bound.
//!
//! `cargo xtask bench room-time [--json]`

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for the command line, not a part of the core"
)]

#[path = "../tests/room_time/world.rs"]
mod world;

use std::process::ExitCode;

use world::{Jitter, Look, World, worst_ms};

const SEEDS: u64 = 8;
const SECONDS: f64 = 120.0;

/// What one musician came to.
struct Figures {
    name: &'static str,
    worst_ms: f64,
    p99_ms: f64,
    bound_ms: f64,
    outside_permille: f64,
    /// What the worst may be, where anything is promised.
    worst_max_ms: f64,
}

fn main() -> ExitCode {
    let json = std::env::args().any(|argument| argument == "--json");
    let figures: Vec<Figures> = MUSICIANS.iter().map(measure).collect();
    let holds = |f: &Figures| f.worst_ms < f.worst_max_ms && f.outside_permille <= 1.0;
    if json {
        let rows: Vec<String> = figures
            .iter()
            .map(|f| {
                format!(
                    r#"{{"name":"{}","worst_ms":{:.3},"p99_ms":{:.3},"bound_ms":{:.3},"outside_permille":{:.2},"holds":{}}}"#,
                    f.name, f.worst_ms, f.p99_ms, f.bound_ms, f.outside_permille, holds(f)
                )
            })
            .collect();
        println!(r#"{{"clock":[{}]}}"#, rows.join(","));
    } else {
        println!(
            "{:<34}{:>10}{:>10}{:>10}{:>10}",
            "after 3 s, all seeds", "worst ms", "p99 ms", "bound ms", "outside"
        );
        for f in &figures {
            let said = if holds(f) { "" } else { "  does not hold" };
            println!(
                "{:<34}{:>10.3}{:>10.3}{:>10.2}{:>8.2} ‰{said}",
                f.name, f.worst_ms, f.p99_ms, f.bound_ms, f.outside_permille
            );
        }
    }
    if figures.iter().all(holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One musician: the path, the clock, and what happens after half a minute.
struct Musician {
    name: &'static str,
    rate: f64,
    forth_ms: f64,
    back_ms: f64,
    jitter: Jitter,
    then: fn(&mut World),
    worst_max_ms: f64,
}

const NOTHING: fn(&mut World) = |_| {};

/// Half of what a path differs by cannot be seen, so that nothing but the bound is promised for them.
const NO_PROMISE: f64 = f64::INFINITY;

const MUSICIANS: [Musician; 8] = [
    Musician {
        name: "5 ms, wired",
        rate: -150e-6,
        forth_ms: 5.0,
        back_ms: 5.0,
        jitter: Jitter::Exponential(0.3),
        then: NOTHING,
        worst_max_ms: 0.5,
    },
    Musician {
        name: "12 ms, jitter 5 ms exponential",
        rate: 150e-6,
        forth_ms: 12.0,
        back_ms: 12.0,
        jitter: Jitter::Exponential(5.0),
        then: NOTHING,
        worst_max_ms: 0.5,
    },
    Musician {
        name: "12 ms, jitter 5 ms uniform",
        rate: 80e-6,
        forth_ms: 12.0,
        back_ms: 12.0,
        jitter: Jitter::Uniform(5.0),
        then: NOTHING,
        worst_max_ms: 0.5,
    },
    Musician {
        name: "30 ms, jitter 5 ms normal",
        rate: -60e-6,
        forth_ms: 30.0,
        back_ms: 30.0,
        jitter: Jitter::Normal(5.0),
        then: NOTHING,
        worst_max_ms: 2.0,
    },
    Musician {
        name: "25 ms there, 5 back",
        rate: 20e-6,
        forth_ms: 25.0,
        back_ms: 5.0,
        jitter: Jitter::Exponential(2.0),
        then: NOTHING,
        worst_max_ms: NO_PROMISE,
    },
    Musician {
        name: "another way, 15 ms longer there",
        rate: 100e-6,
        forth_ms: 8.0,
        back_ms: 8.0,
        jitter: Jitter::Exponential(1.0),
        then: |world| world.forth_ms += 15.0,
        worst_max_ms: NO_PROMISE,
    },
    Musician {
        name: "a server that was started again",
        rate: -100e-6,
        forth_ms: 10.0,
        back_ms: 10.0,
        jitter: Jitter::Exponential(1.0),
        then: |world| {
            world.ahead_s += 0.3;
            // Until it has answered nobody can know.
            world.live(3.0);
        },
        worst_max_ms: 0.5,
    },
    Musician {
        name: "a network that goes for 30 s",
        rate: 130e-6,
        forth_ms: 10.0,
        back_ms: 10.0,
        jitter: Jitter::Exponential(1.0),
        then: |world| {
            world.clock.link_down();
            world.live(30.0);
            world.clock.link_up(world.local());
        },
        worst_max_ms: 0.5,
    },
];

fn measure(musician: &Musician) -> Figures {
    let mut looks: Vec<Look> = Vec::new();
    for seed in 0..SEEDS {
        let mut world = World {
            rate: musician.rate,
            wander: 2e-8,
            forth_ms: musician.forth_ms,
            back_ms: musician.back_ms,
            jitter: musician.jitter,
            ..World::new(seed)
        };
        world.live(3.0);
        looks.extend(world.live(SECONDS / 4.0));
        (musician.then)(&mut world);
        looks.extend(world.live(3.0 * SECONDS / 4.0));
    }
    let mut errors: Vec<f64> = looks.iter().map(|look| look.error_s.abs() * 1e3).collect();
    errors.sort_by(f64::total_cmp);
    let mut bounds: Vec<f64> = looks.iter().map(|l| l.stats.bound.as_secs_f64() * 1e3).collect();
    bounds.sort_by(f64::total_cmp);
    let outside = looks.iter().filter(|l| l.stats.bound.as_secs_f64() < l.error_s.abs()).count();
    Figures {
        name: musician.name,
        worst_ms: worst_ms(&looks, 0.0),
        p99_ms: errors[errors.len() * 99 / 100],
        bound_ms: bounds[bounds.len() / 2],
        outside_permille: 1000.0 * outside as f64 / looks.len() as f64,
        worst_max_ms: musician.worst_max_ms,
    }
}
