//! Networks with a name: what a musician may sit behind.
//!
//! They are types, not measurements of somebody's line: figures of the size that such lines show, so
//! that two people who say `lte` mean the same thing. What surprises: the two directions differ where
//! the real ones do, and all of this is one way, so that a round trip has it twice.

use crate::spec::Spec;
use crate::weather::Weather;

/// A network with a name.
#[derive(Debug, PartialEq, Eq)]
pub struct Preset {
    /// How it is called.
    pub name: &'static str,
    /// What it is like.
    pub about: &'static str,
    up: &'static str,
    down: &'static str,
}

/// All of them.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "wired",
        about: "fibre and a cable, in the same region",
        up: "delay=5ms, jitter=100us, shape=gamma, correlation=2ms",
        down: "delay=5ms, jitter=100us, shape=gamma, correlation=2ms",
    },
    Preset {
        name: "wifi-good",
        about: "Wi-Fi in the same room as its access point",
        up: "delay=6ms, jitter=1ms, shape=gamma, spikes=0.2, spike=8ms, loss=0.05%",
        down: "delay=6ms, jitter=700us, shape=gamma, spikes=0.2, spike=8ms, loss=0.05%",
    },
    Preset {
        name: "wifi-bad",
        about: "Wi-Fi through walls, beside other people's",
        up: "delay=10ms, jitter=3ms, shape=pareto, spikes=2, spike=25ms, loss=0.5%, burst=0.3%, \
             burst-packets=5, burst-loss=80%",
        down: "delay=10ms, jitter=2ms, shape=pareto, spikes=2, spike=25ms, loss=0.3%, burst=0.2%, \
               burst-packets=5, burst-loss=80%",
    },
    Preset {
        name: "docsis",
        about: "television cable: the way up waits for its grant, and its queue is long",
        up: "delay=10ms, jitter=2ms, shape=uniform, correlation=0, rate=10mbit, queue=150ms, \
             bucket=20kB",
        down: "delay=8ms, jitter=500us, shape=gamma, rate=100mbit, queue=60ms, bucket=200kB",
    },
    Preset {
        name: "lte",
        about: "a phone network: late, wavering, and gone for a moment at each handover",
        up: "delay=25ms, jitter=5ms, shape=gamma, correlation=10ms, spikes=0.3, spike=40ms, \
             loss=0.1%, rate=10mbit, queue=300ms",
        down: "delay=20ms, jitter=3ms, shape=gamma, correlation=10ms, spikes=0.3, spike=40ms, \
               loss=0.1%, rate=30mbit, queue=300ms",
    },
    Preset {
        name: "intercontinental",
        about: "another continent, over good lines",
        up: "delay=75ms, jitter=1ms, shape=gamma, loss=0.2%, burst=0.02%, burst-packets=4",
        down: "delay=75ms, jitter=1ms, shape=gamma, loss=0.2%, burst=0.02%, burst-packets=4",
    },
    Preset {
        name: "route-change",
        about: "a route that is 12 ms longer every other 20 seconds",
        up: "delay=15ms, jitter=300us, detour=12ms, detour-every=20s",
        down: "delay=15ms, jitter=300us, detour=12ms, detour-every=20s",
    },
    Preset {
        name: "outage",
        about: "a good line that is gone for 200 ms every ten seconds",
        up: "delay=10ms, jitter=500us, outage=200ms, outage-every=10s",
        down: "delay=10ms, jitter=500us, outage=200ms, outage-every=10s",
    },
    Preset {
        name: "lab-p2",
        about: "10 ms with 2 ms of normal jitter and 0.1 % of loss",
        up: "delay=10ms, jitter=2ms, loss=0.1%",
        down: "delay=10ms, jitter=2ms, loss=0.1%",
    },
    Preset {
        name: "lab-p3",
        about: "20 ms with 5 ms of normal jitter, a spike every other second and 1 % of loss",
        up: "delay=20ms, jitter=5ms, spikes=0.5, spike=15ms, loss=1%",
        down: "delay=20ms, jitter=5ms, spikes=0.5, spike=15ms, loss=1%",
    },
];

impl Preset {
    /// The network of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// The weather of both directions, up and down.
    #[must_use]
    pub fn weather(&self) -> [Weather; 2] {
        [self.up, self.down].map(|text| {
            let mut weather = Weather::default();
            let spec: Result<Spec, _> = text.parse();
            spec.and_then(|spec| spec.change(&mut weather))
                .expect("a test reads every preset of the table");
            weather
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_a_weather_of_its_own() {
        for (place, preset) in PRESETS.iter().enumerate() {
            let ways = preset.weather();
            for weather in ways {
                assert_eq!(weather.check(), Ok(()), "{}", preset.name);
                assert!(!weather.delay.is_zero(), "{}", preset.name);
            }
            let first = PRESETS.iter().position(|other| other.weather() == ways);
            assert_eq!(first, Some(place), "{} is another one", preset.name);
        }
    }
}
