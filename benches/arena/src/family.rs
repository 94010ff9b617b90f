//! Ten kinds of weather, from a cable on one machine to a cheap line across an ocean.
//!
//! No recording of a real network is among them: each is made of the effects that its kind of link is
//! known for, in sizes that are usual for it. What surprises: most of them keep the order of packets,
//! because queues do.

use crate::trace::{Mark, MarkKind, Seeds};
use crate::weather::{
    Bloat, Blocks, Detours, During, Effect, Grants, Longer, Loss, Noise, Outages, Path, Roams,
    Wander, spans,
};

/// One kind of weather.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) nature: Nature,
    /// Makes it until the end of a span of time; what happens once or twice happens within it.
    pub(crate) weather: fn(&mut Seeds, (f64, f64)) -> Weather,
}

/// Whether one constant delay could suit the whole trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    Stationary,
    Changing,
}

/// What happens to packets of one trace.
pub(crate) struct Weather {
    /// The publisher's machine, which sends late at times.
    pub(crate) stalls: Path,
    pub(crate) path: Path,
    pub(crate) marks: Vec<Mark>,
}

use Nature::{Changing, Stationary};

pub(crate) const FAMILIES: [Family; 10] = [
    Family { name: "loopback", nature: Stationary, weather: loopback },
    Family { name: "wired", nature: Stationary, weather: wired },
    Family { name: "wifi", nature: Stationary, weather: wifi },
    Family { name: "wifi-bad", nature: Changing, weather: wifi_bad },
    Family { name: "docsis", nature: Changing, weather: docsis },
    Family { name: "lte", nature: Stationary, weather: lte },
    Family { name: "intercontinental", nature: Stationary, weather: intercontinental },
    Family { name: "route", nature: Changing, weather: route },
    Family { name: "outage", nature: Stationary, weather: outage },
    Family { name: "stalls", nature: Stationary, weather: stalls },
];

type Effects = Vec<Box<dyn Effect>>;

fn steady(base: f64, effects: Effects) -> Weather {
    Weather {
        stalls: Path::new(0.0, Vec::new()),
        path: Path::new(base, effects),
        marks: Vec::new(),
    }
}

/// Two programs on one machine.
fn loopback(seeds: &mut Seeds, _: (f64, f64)) -> Weather {
    steady(0.05, vec![Box::new(Noise { mean: 0.01, random: seeds.random() })])
}

/// Fibre and a cable to the machine: some 50 µs in queues, a millisecond now and then.
fn wire(seeds: &mut Seeds) -> Effects {
    vec![
        Box::new(Noise { mean: 0.05, random: seeds.random() }),
        Box::new(Blocks::new(1000.0, (0.2, 1.2), seeds.random())),
        Box::new(Loss::new(2e-5, 1.0, seeds.random())),
    ]
}

fn wired(seeds: &mut Seeds, _: (f64, f64)) -> Weather {
    steady(8.0, wire(seeds))
}

/// A quiet channel near the access point: contention, retries, a scan every few seconds.
fn air(seeds: &mut Seeds) -> Effects {
    vec![
        Box::new(Noise { mean: 0.35, random: seeds.random() }),
        Box::new(Blocks::new(300.0, (1.0, 4.0), seeds.random())),
        Box::new(Blocks::new(5000.0, (5.0, 15.0), seeds.random())),
        Box::new(Loss::new(2e-4, 1.0, seeds.random())),
    ]
}

fn wifi(seeds: &mut Seeds, _: (f64, f64)) -> Weather {
    steady(10.0, air(seeds))
}

/// A busy channel: spells of two seconds in which packets come aggregated and retried, and every
/// 40 s a change of access point.
fn wifi_bad(seeds: &mut Seeds, span: (f64, f64)) -> Weather {
    let bad = spans((0.0, span.1), 5000.0, (1000.0, 3000.0), &mut seeds.random());
    let roams = spans((0.0, span.1), 40_000.0, (60.0, 120.0), &mut seeds.random());
    let mut effects = air(seeds);
    let aggregation = Blocks::new(25.0, (2.0, 9.0), seeds.random());
    let retries = Blocks::new(500.0, (10.0, 30.0), seeds.random());
    let loss = Loss::new(5e-3, 3.0, seeds.random());
    effects.push(Box::new(During { spans: bad.clone(), effect: aggregation }));
    effects.push(Box::new(During { spans: bad.clone(), effect: retries }));
    effects.push(Box::new(During { spans: bad, effect: loss }));
    effects.push(Box::new(Roams { spans: roams }));
    steady(10.0, effects)
}

/// Cable internet: upstream grants every 2 ms, and a modem whose queue somebody's upload fills for
/// some seconds out of 25.
fn docsis(seeds: &mut Seeds, span: (f64, f64)) -> Weather {
    let uploads = spans((0.0, span.1), 20_000.0, (3000.0, 8000.0), &mut seeds.random());
    let loss = Loss::new(5e-4, 1.0, seeds.random());
    let effects: Effects = vec![
        Box::new(Noise { mean: 0.1, random: seeds.random() }),
        Box::new(Bloat { spans: uploads.clone(), peak: 40.0 }),
        Box::new(Grants { period: 2.0 }),
        Box::new(During { spans: uploads, effect: loss }),
    ];
    steady(12.0, effects)
}

/// A telephone: grants every 5 ms, retransmissions of 8 ms that hold up what follows, a change of cell
/// every 25 s.
fn lte(seeds: &mut Seeds, _: (f64, f64)) -> Weather {
    let effects: Effects = vec![
        Box::new(Noise { mean: 0.3, random: seeds.random() }),
        Box::new(Wander { by: 3.0, period: 20_000.0 }),
        Box::new(Grants { period: 5.0 }),
        Box::new(Blocks::new(80.0, (8.0, 8.0), seeds.random())),
        Box::new(Blocks::new(25_000.0, (40.0, 60.0), seeds.random())),
        Box::new(Loss::new(1e-4, 1.0, seeds.random())),
    ];
    steady(25.0, effects)
}

/// Across an ocean: many queues, and routers that spread packets over lines of different length.
fn intercontinental(seeds: &mut Seeds, _: (f64, f64)) -> Weather {
    let effects: Effects = vec![
        Box::new(Noise { mean: 0.25, random: seeds.random() }),
        Box::new(Wander { by: 1.5, period: 45_000.0 }),
        Box::new(Blocks::new(2000.0, (0.5, 3.0), seeds.random())),
        Box::new(Loss::new(3e-4, 2.0, seeds.random())),
        Box::new(Detours { rate: 0.015, longer: (0.5, 5.0), random: seeds.random() }),
    ];
    steady(85.0, effects)
}

/// A wire whose route becomes 15 ms longer, and shorter again, half a minute each.
fn route(seeds: &mut Seeds, span: (f64, f64)) -> Weather {
    let mut detours = Vec::new();
    let mut marks = Vec::new();
    let mut at = span.0 + 15_000.0;
    while at < span.1 {
        detours.push((at, at + 30_000.0));
        marks.push(Mark { at, kind: MarkKind::Worse });
        marks.push(Mark { at: at + 30_000.0, kind: MarkKind::Better });
        at += 60_000.0;
    }
    marks.retain(|mark| mark.at < span.1);
    let mut effects = wire(seeds);
    effects.push(Box::new(Longer { spans: detours, by: 15.0 }));
    Weather { marks, ..steady(20.0, effects) }
}

/// A wire that carries nothing for 200 ms, every half minute.
fn outage(seeds: &mut Seeds, span: (f64, f64)) -> Weather {
    let outages = spans((span.0, span.1), 30_000.0, (200.0, 200.0), &mut seeds.random());
    let ends = outages.iter().map(|outage| outage.1);
    let marks = ends.map(|at| Mark { at, kind: MarkKind::Back }).collect();
    let mut effects = wire(seeds);
    effects.push(Box::new(Outages { spans: outages }));
    Weather { marks, ..steady(15.0, effects) }
}

/// A wire, and a publisher whose machine stands still for 6 to 40 ms every four seconds.
fn stalls(seeds: &mut Seeds, _: (f64, f64)) -> Weather {
    let effects = wire(seeds);
    let machine: Effects = vec![Box::new(Blocks::new(4000.0, (6.0, 40.0), seeds.random()))];
    Weather { stalls: Path::new(0.0, machine), ..steady(8.0, effects) }
}
