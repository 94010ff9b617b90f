//! The room's clock: clocks that differ, wander and are set, over paths that are slow, uneven and worse in one
//! direction.

mod world;

use engine::RoomClock;
use protocol::room_clock::Answer;
use protocol::time::{Instant, RoomTime};

use world::{Jitter, World, worst_ms};

#[test]
fn with_5_ms_of_jitter_the_time_is_known_within_half_a_millisecond_after_3_s() {
    for seed in 0..60 {
        for jitter in [Jitter::Uniform(5.0), Jitter::Exponential(5.0)] {
            for rate in [-150e-6, 0.0, 150e-6] {
                let mut world = World { rate, jitter, ..World::new(seed) };
                let looks = world.live(10.0);
                let worst = worst_ms(&looks, 3.0);
                assert!(worst < 0.5, "{worst} ms, seed {seed}, {jitter:?}, {rate}");
                assert!(looks.last().expect("looked").stats.settled);
            }
        }
    }
}

#[test]
fn where_no_message_is_the_fastest_the_mean_of_all_serves() {
    let mut within = 0;
    for seed in 0..100_u32 {
        let rate = (f64::from(seed) - 50.0) * 2e-6;
        let mut world = World {
            rate,
            jitter: Jitter::Normal(5.0),
            forth_ms: 30.0,
            back_ms: 30.0,
            ..World::new(u64::from(seed))
        };
        let looks = world.live(12.0);
        let at_3_s = looks.iter().find(|look| 3.0 <= look.at_s).expect("looked");
        within += usize::from(at_3_s.error_s.abs() < 0.5e-3);
        let worst = worst_ms(&looks, 3.0);
        assert!(worst < 2.5, "{worst} ms, seed {seed}");
        for look in looks.iter().filter(|look| 3.0 < look.at_s) {
            assert!(look.error_s.abs() < 3.0 * look.stats.precision.as_secs_f64(), "{look:?}");
        }
    }
    assert!(95 <= within, "{within} of 100");
}

#[test]
fn the_bound_holds_whatever_the_path_does() {
    let (mut looked, mut outside) = (0, 0);
    for seed in 0..24_u32 {
        let uneven = f64::from(seed % 4) * 12.0;
        let mut world = World {
            rate: (f64::from(seed % 7) - 3.0) * 50e-6,
            wander: 2e-8,
            forth_ms: 3.0 + uneven,
            back_ms: 3.0,
            jitter: if seed % 2 == 0 { Jitter::Uniform(8.0) } else { Jitter::Exponential(3.0) },
            ..World::new(u64::from(seed))
        };
        let mut looks = world.live(70.0);
        // Another way, longer there; then nothing for a while; then another way back.
        world.forth_ms += 9.0;
        looks.extend(world.live(30.0));
        world.clock.link_down();
        looks.extend(world.live(40.0));
        world.clock.link_up(world.local());
        world.back_ms += 20.0;
        looks.extend(world.live(70.0));
        looked += looks.len();
        for look in looks {
            let bound = look.stats.bound.as_secs_f64();
            outside += usize::from(bound < look.error_s.abs());
            assert!(bound < 0.2, "{look:?}");
        }
    }
    assert!(outside * 1000 <= looked, "{outside} of {looked}");
}

#[test]
fn without_jitter_or_asymmetry_the_clock_follows_one_that_wanders() {
    let mut world = World { rate: 150e-6, wander: 5e-8, ..World::new(5) };
    let looks = world.live(300.0);
    assert!(worst_ms(&looks, 3.0) < 0.1, "{}", worst_ms(&looks, 3.0));
    // It never claims to be worse than the half of the round trip, and never better than it is.
    for look in looks.iter().filter(|look| 3.0 < look.at_s) {
        assert!(look.error_s.abs() < look.stats.precision.as_secs_f64() + 1e-4, "{look:?}");
        assert!((0.009..0.012).contains(&look.stats.bound.as_secs_f64()), "{look:?}");
    }
}

#[test]
fn a_clock_that_is_set_is_followed_at_once() {
    // The first two are less than a round trip: no single answer contradicts them.
    for step_s in [-0.004, 0.003, -3600.0, -0.5, -0.015, 0.009, 0.25, 86_400.0] {
        let mut world = World {
            rate: -80e-6,
            jitter: Jitter::Exponential(1.0),
            forth_ms: 4.0,
            back_ms: 4.0,
            ..World::new(9)
        };
        world.live(30.0);
        world.ahead_s += step_s;
        let stepped_s = world.now_s;
        let looks = world.live(30.0);
        let worst = worst_ms(&looks, stepped_s + 6.0);
        assert!(worst < 0.5, "{worst} ms after a step of {step_s} s");
        let stats = looks.last().expect("looked").stats;
        assert!(stats.settled && stats.steps == 1, "{step_s}: {stats:?}");
    }
}

#[test]
fn what_is_given_out_does_not_jump_once_it_is_settled() {
    let mut world =
        World { rate: 120e-6, wander: 2e-8, jitter: Jitter::Exponential(4.0), ..World::new(11) };
    world.live(4.0);
    assert!(world.clock.stats(world.local()).expect("known").settled);
    let mut before = world.clock.mapping().expect("known");
    for _ in 0..4000 {
        world.live(0.025);
        let now = world.local();
        let mapping = world.clock.mapping().expect("known");
        let jump_ns = mapping.room(now).ns_since(before.room(now));
        // 25 ms of running faster by a thousandth.
        assert!(jump_ns.abs() < 2 * 25_000, "{jump_ns} ns at {} s", world.now_s);
        before = mapping;
    }
    assert_eq!(world.clock.stats(world.local()).expect("known").steps, 0);
}

#[test]
fn what_cannot_be_an_answer_is_ignored() {
    let mut clock = RoomClock::default();
    clock.link_up(Instant::ZERO);
    let at = |ms: u64| Instant::from_ns(ms * 1_000_000);
    let answer = |sent: u64, received_ms: i64, replied_ms: i64| Answer {
        sent: at(sent),
        received: RoomTime::from_ns(received_ms * 1_000_000),
        replied: RoomTime::from_ns(replied_ms * 1_000_000),
    };
    // From the future, after three seconds, longer at the server than on the way, answered before.
    for (now, wrong) in [
        (10, answer(20, 5, 5)),
        (3_010, answer(5, 5, 5)),
        (20, answer(10, 100, 200)),
        (20, answer(10, 100, 90)),
        (20, answer(10, i64::MIN / 1_000_000, i64::MAX / 1_000_000)),
    ] {
        clock.answered(at(now), &wrong);
        assert_eq!(clock.mapping(), None, "{wrong:?}");
    }
    clock.answered(at(20), &answer(10, 100, 100));
    assert_eq!(clock.mapping().expect("known").room(at(20)).as_ns(), 105_000_000);
}

#[test]
fn asking_is_frequent_at_first_and_stops_with_the_link() {
    let mut clock = RoomClock::default();
    let at = |ms: u64| Instant::from_ns(ms * 1_000_000);
    assert!(!clock.request(at(0)) && clock.poll_timeout().is_none());
    clock.link_up(at(0));
    let asked = |clock: &mut RoomClock, from: u64, to: u64| {
        (from..to).filter(|ms| clock.request(at(*ms))).count()
    };
    assert_eq!(asked(&mut clock, 0, 3000), 300);
    assert_eq!(asked(&mut clock, 3000, 15_000), 240);
    assert_eq!(asked(&mut clock, 15_000, 25_000), 40);
    clock.link_down();
    assert_eq!(asked(&mut clock, 25_000, 35_000), 0);
}
