//! Weather as text: `wifi-bad,loss=2%`. One table of keys serves this and the command line.

use std::str::FromStr;

use crate::preset::Preset;
use crate::quantity::{self, MalformedQuantity};
use crate::weather::{CORRELATION, Contradiction, JitterShape, Weather};

/// Something that can be said of a weather.
pub struct Key {
    /// How it is called.
    pub name: &'static str,
    /// What stands for its value in a help text.
    pub value: &'static str,
    /// What it means.
    pub help: &'static str,
    set: fn(&mut Weather, &str) -> Result<(), MalformedQuantity>,
}

/// All keys, in the order in which they are applied.
pub const KEYS: &[Key] = &[
    Key {
        name: "delay",
        value: "TIME",
        help: "One way, the same for all",
        set: |weather, text| quantity::duration(text).map(|delay| weather.delay = delay),
    },
    Key {
        name: "jitter",
        value: "TIME",
        help: "Deviation of a normal delay around it (see `shape`), lasting some 5 ms",
        set: |weather, text| {
            weather.jitter = quantity::duration(text)?;
            weather.jitter_correlation = CORRELATION;
            Ok(())
        },
    },
    Key {
        name: "shape",
        value: "NAME",
        help: "normal, uniform (from a jitter below to one above), gamma or pareto (on top, with \
               the jitter for a mean; pareto has a heavy tail)",
        set: |weather, text| shape(text).map(|shape| weather.jitter_shape = shape),
    },
    Key {
        name: "correlation",
        value: "TIME",
        help: "How long a jitter lasts; 0 draws anew for every datagram",
        set: |weather, text| {
            quantity::duration(text).map(|lasts| weather.jitter_correlation = lasts)
        },
    },
    Key {
        name: "spikes",
        value: "NUMBER",
        help: "Stalls in a second, on average",
        set: |weather, text| quantity::number(text).map(|often| weather.spikes_per_second = often),
    },
    Key {
        name: "spike",
        value: "TIME",
        help: "How long one is: what comes within it is delivered at its end",
        set: |weather, text| quantity::duration(text).map(|spike| weather.spike = spike),
    },
    Key {
        name: "loss",
        value: "PART",
        help: "Datagrams lost alone (1% or 0.01)",
        set: |weather, text| quantity::part(text).map(|part| weather.loss = part),
    },
    Key {
        name: "burst",
        value: "PART",
        help: "Probability that a burst of losses starts with a datagram (Gilbert and Elliott)",
        set: |weather, text| quantity::part(text).map(|part| weather.burst = part),
    },
    Key {
        name: "burst-packets",
        value: "NUMBER",
        help: "Mean length of a burst",
        set: |weather, text| quantity::number(text).map(|mean| weather.burst_packets = mean),
    },
    Key {
        name: "burst-loss",
        value: "PART",
        help: "How much of a burst is lost; all of it unless given",
        set: |weather, text| quantity::part(text).map(|part| weather.burst_spared = 1.0 - part),
    },
    Key {
        name: "reorder",
        value: "PART",
        help: "Datagrams that are held back, so that others overtake",
        set: |weather, text| quantity::part(text).map(|part| weather.reorder = part),
    },
    Key {
        name: "reorder-by",
        value: "TIME",
        help: "How long they are",
        set: |weather, text| quantity::duration(text).map(|by| weather.reorder_by = by),
    },
    Key {
        name: "duplicate",
        value: "PART",
        help: "Datagrams that arrive twice",
        set: |weather, text| quantity::part(text).map(|part| weather.duplicate = part),
    },
    Key {
        name: "rate",
        value: "RATE",
        help: "What the path carries in a second (300kbit, 2mbit), IP and UDP headers included",
        set: |weather, text| quantity::rate(text).map(|rate| weather.bits_per_second = rate),
    },
    Key {
        name: "queue",
        value: "TIME",
        help: "How long a datagram may wait for its turn on it; what would wait longer is lost",
        set: |weather, text| quantity::duration(text).map(|queue| weather.queue = queue),
    },
    Key {
        name: "bucket",
        value: "BYTES",
        help: "How much it takes at once after it was idle (64kB)",
        set: |weather, text| quantity::bytes(text).map(|bytes| weather.bucket_bytes = bytes),
    },
    Key {
        name: "outage",
        value: "TIME",
        help: "How long nothing gets through, at the end of each `outage-every`",
        set: |weather, text| quantity::duration(text).map(|outage| weather.outage = outage),
    },
    Key {
        name: "outage-every",
        value: "TIME",
        help: "How often that is",
        set: |weather, text| quantity::duration(text).map(|every| weather.outage_every = every),
    },
    Key {
        name: "detour",
        value: "TIME",
        help: "By how much the other route is longer",
        set: |weather, text| quantity::duration(text).map(|detour| weather.detour = detour),
    },
    Key {
        name: "detour-every",
        value: "TIME",
        help: "How long each of the two is taken in turn",
        set: |weather, text| quantity::duration(text).map(|every| weather.detour_every = every),
    },
];

fn shape(text: &str) -> Result<JitterShape, MalformedQuantity> {
    match text {
        "normal" => Ok(JitterShape::Normal),
        "uniform" => Ok(JitterShape::Uniform),
        "gamma" => Ok(JitterShape::Gamma),
        "pareto" => Ok(JitterShape::Pareto),
        _ => Err(MalformedQuantity::OneOf("normal, uniform, gamma, pareto")),
    }
}

impl Key {
    /// The key of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// Sets what this key is of.
    ///
    /// # Errors
    ///
    /// Says how its value is written.
    pub fn set(&self, weather: &mut Weather, value: &str) -> Result<(), MalformedSpec> {
        (self.set)(weather, value).map_err(|error| MalformedSpec::Value {
            key: self.name,
            value: value.to_owned(),
            error,
        })
    }
}

/// What is said of one direction: a preset, or none, and what is different from it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spec {
    /// The network to start from.
    pub preset: Option<&'static Preset>,
    /// Keys, by their place in [`KEYS`], and their values, in that order.
    values: Vec<(usize, String)>,
}

/// Why a text is no weather.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedSpec {
    /// No key has that name.
    #[error("`{0}` is neither a preset nor one of the keys, which are those of the options")]
    Unknown(String),
    /// A preset that is not the first.
    #[error("`{0}`: a preset comes first, and there is one at most")]
    PresetLate(String),
    /// The same key again.
    #[error("`{0}` is there twice")]
    Twice(&'static str),
    /// A value that its key cannot have.
    #[error("{key}={value}: {error}")]
    Value {
        /// The key.
        key: &'static str,
        /// What it was given.
        value: String,
        /// What is wrong with it.
        error: MalformedQuantity,
    },
    /// Each for itself may be, together they may not.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
}

impl FromStr for Spec {
    type Err = MalformedSpec;

    /// Reads `PRESET,KEY=VALUE,…`, where either part may be missing.
    fn from_str(text: &str) -> Result<Self, MalformedSpec> {
        let mut spec = Self::default();
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        for (place, item) in items.enumerate() {
            let Some((name, value)) = item.split_once('=') else {
                let preset = Preset::named(item);
                let preset = preset.ok_or_else(|| MalformedSpec::Unknown(item.to_owned()))?;
                if place != 0 {
                    return Err(MalformedSpec::PresetLate(item.to_owned()));
                }
                spec.preset = Some(preset);
                continue;
            };
            let at = KEYS.iter().position(|key| key.name == name.trim());
            let at = at.ok_or_else(|| MalformedSpec::Unknown(name.to_owned()))?;
            spec.put(at, value.trim())?;
        }
        Ok(spec)
    }
}

impl Spec {
    /// Says one thing more.
    ///
    /// # Errors
    ///
    /// If it was said already.
    fn put(&mut self, at: usize, value: &str) -> Result<(), MalformedSpec> {
        match self.values.binary_search_by_key(&at, |(at, _)| *at) {
            Ok(_) => Err(MalformedSpec::Twice(KEYS.get(at).map_or("", |key| key.name))),
            Err(place) => {
                self.values.insert(place, (at, value.to_owned()));
                Ok(())
            }
        }
    }

    /// Changes a weather by what is said here; a preset is not looked at.
    ///
    /// # Errors
    ///
    /// Says which value is none.
    pub fn change(&self, weather: &mut Weather) -> Result<(), MalformedSpec> {
        let keys = self.values.iter().filter_map(|(at, value)| Some((KEYS.get(*at)?, value)));
        for (key, value) in keys {
            key.set(weather, value)?;
        }
        Ok(())
    }
}

/// Reads the weather of both directions, up and down, from one text.
///
/// # Errors
///
/// Says what is wrong with it.
pub fn both(text: &str) -> Result<[Weather; 2], MalformedSpec> {
    let spec: Spec = text.parse()?;
    let mut ways = spec.preset.map_or([Weather::default(); 2], Preset::weather);
    for weather in &mut ways {
        spec.change(weather)?;
        weather.check()?;
    }
    Ok(ways)
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn keys_and_a_preset_make_a_weather() {
        let [up, down] = both("lab-p2, loss=2%,jitter=1ms").expect("it is one");
        let jitter = Duration::from_millis(1);
        assert_eq!(up, Weather { jitter, ..Weather::delay_ms(10).jitter_us(2_000).loss(0.02) });
        assert_eq!(up, down);
        assert_eq!(both("").expect("nothing is a cable"), [Weather::default(); 2]);
    }

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let ways = both("correlation=0,shape=pareto,jitter=3ms").expect("it is one");
        assert_eq!(ways, both("jitter=3ms,shape=pareto,correlation=0").expect("it is one"));
        assert_eq!(ways[0].jitter_correlation, Duration::ZERO);
    }

    #[test]
    fn every_key_changes_something() {
        for key in KEYS {
            let value = match key.value {
                "TIME" => "7ms",
                "PART" => "7%",
                "RATE" => "7kbit",
                "BYTES" => "7B",
                "NUMBER" => "7",
                _ => "gamma",
            };
            let mut weather = Weather::default();
            assert_eq!(key.set(&mut weather, value), Ok(()), "{}", key.name);
            assert_ne!(weather, Weather::default(), "{}", key.name);
            assert!(key.set(&mut weather, "much").is_err(), "{}", key.name);
        }
    }

    #[test]
    fn what_is_no_weather_says_why() {
        let wrong = |text: &str| both(text).expect_err("it is none").to_string();
        assert!(wrong("foggy").starts_with("`foggy` is neither a preset nor"));
        assert!(wrong("fog=1ms").starts_with("`fog` is neither"));
        assert!(wrong("loss=1%,lab-p2").contains("a preset comes first"));
        assert_eq!(wrong("loss=1%,loss=2%"), "`loss` is there twice");
        assert_eq!(wrong("delay=5"), "delay=5: a time is written like 20ms, 500us or 1.5s");
        assert_eq!(wrong("rate=1mbit"), "`rate` needs `queue`");
    }
}
