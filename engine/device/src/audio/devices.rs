//! The system's audio devices: which there are, what they can do, which one is meant.
//!
//! Asking a device what it can do opens it, which a busy card refuses and some drivers do badly:
//! only those that are meant are asked. What surprises: the default device is a name that is always
//! there; whether there is anything behind it shows when it is opened.

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{ErrorKind, SampleFormat, SupportedStreamConfigRange};
use protocol::units::SampleRate;

use super::{AudioError, Rates};

/// A device as `vjam devices` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceReport {
    /// The audio system that it belongs to.
    pub host: &'static str,
    /// Its name, for people.
    pub name: String,
    /// Its id, which [`super::DefaultDeviceOptions`] takes as well.
    pub id: String,
    /// `default input`, `default output`.
    pub roles: Vec<&'static str>,
    /// One line for each way in and out: channels, rates, periods.
    pub ways: Vec<String>,
}

/// Every device of every audio system that is compiled in.
#[must_use]
pub fn describe_devices() -> Vec<DeviceReport> {
    let mut reports = Vec::new();
    for host_id in cpal::available_hosts() {
        let Ok(host) = cpal::host_from_id(host_id) else { continue };
        let default_input = host.default_input_device().and_then(|device| device.id().ok());
        let default_output = host.default_output_device().and_then(|device| device.id().ok());
        for device in host.devices().into_iter().flatten() {
            let id = device.id().ok();
            let mut roles = Vec::new();
            if id.is_some() && id == default_input {
                roles.push("default input");
            }
            if id.is_some() && id == default_output {
                roles.push("default output");
            }
            let ways = Direction::BOTH.into_iter().filter_map(|way| match ranges(&device, way) {
                Ok(ranges) => describe(way, &ranges),
                // ALSA lists names with nothing behind them.
                Err(error) if error.kind() == ErrorKind::DeviceNotAvailable => None,
                Err(error) => Some(format!("{}: {error}", way.name())),
            });
            reports.push(DeviceReport {
                host: host_id.name(),
                name: name_of(&device),
                ways: ways.collect(),
                id: id.map_or_else(String::new, |id| id.to_string()),
                roles,
            });
        }
    }
    reports
}

/// Which way audio goes through a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Input,
    Output,
}

impl Direction {
    const BOTH: [Self; 2] = [Self::Input, Self::Output];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

/// A device with the format it will be opened in.
pub(super) struct Chosen {
    pub(super) device: cpal::Device,
    pub(super) name: String,
    pub(super) channels: u16,
    pub(super) format: SampleFormat,
    pub(super) rate_hz: u32,
}

/// The default device, or the first that has `wanted` in its name or id and goes this way.
pub(super) fn choose(
    host: &cpal::Host,
    way: Direction,
    wanted: Option<&str>,
) -> Result<Chosen, AudioError> {
    let nothing = || {
        AudioError::NoDevice(match wanted {
            Some(wanted) => format!("no {} device has {wanted:?} in its name", way.name()),
            None => format!("there is no default {} device", way.name()),
        })
    };
    let candidates: Vec<_> = match (wanted, way) {
        (None, Direction::Input) => host.default_input_device().into_iter().collect(),
        (None, Direction::Output) => host.default_output_device().into_iter().collect(),
        (Some(wanted), _) => {
            let devices = host.devices().map_err(|error| device_error(host.id().name(), &error))?;
            devices.filter(|device| is_called(device, wanted)).collect()
        }
    };
    // A card has several devices of one name, for one way each: the first that works is taken, and
    // where none does, the first one's reason is the one to tell.
    let mut refusal = None;
    for device in candidates {
        match open(device, way) {
            Ok(chosen) => return Ok(chosen),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    Err(refusal.unwrap_or_else(nothing))
}

/// Whether it has this in its name or its id; nothing is opened to know.
fn is_called(device: &cpal::Device, wanted: &str) -> bool {
    let id = device.id().map(|id| id.to_string()).unwrap_or_default();
    name_of(device).contains(wanted) || id.contains(wanted)
}

fn open(device: cpal::Device, way: Direction) -> Result<Chosen, AudioError> {
    let name = name_of(&device);
    let ranges = match ranges(&device, way) {
        Ok(ranges) => ranges,
        Err(error) if error.kind() == ErrorKind::DeviceNotAvailable => {
            let reason = error.to_string();
            let reason = reason.trim_end_matches('.');
            return Err(AudioError::NoDevice(format!("{name} as {}: {reason}", way.name())));
        }
        Err(error) => return Err(device_error(&name, &error)),
    };
    let (rate_hz, best) = best_way(&ranges).ok_or_else(|| match ranges.first() {
        None => AudioError::NoDevice(format!("{name} has no {}", way.name())),
        Some(range) => refusal(&name, range.max_sample_rate()),
    })?;
    Ok(Chosen { device, name, channels: best.channels(), format: best.sample_format(), rate_hz })
}

/// Why a device is not opened whose rates or sample formats are none of ours.
fn refusal(name: &str, rate_hz: u32) -> AudioError {
    match Rates::new(rate_hz, rate_hz) {
        Err(reason) => AudioError::DeviceRate {
            what: name.to_owned(),
            reason,
            cure: "Choose another device, or set this one to 48000 Hz in its own settings.".into(),
        },
        Ok(_) => AudioError::Device {
            device: name.to_owned(),
            reason: "it has none of the sample formats f32, i32, i24 and i16".to_owned(),
        },
    }
}

/// The rate and the range to open: 48 kHz before what has to be converted; floats before integers, two
/// channels before more before one.
fn best_way(ranges: &[SupportedStreamConfigRange]) -> Option<(u32, &SupportedStreamConfigRange)> {
    RATES_HZ.iter().find_map(|rate_hz| Some((*rate_hz, best_range(ranges, *rate_hz)?))).or_else(
        // A device with a rate of its own.
        || {
            let rates = ranges.iter().map(SupportedStreamConfigRange::max_sample_rate);
            let mut possible = rates.filter(|rate_hz| Rates::new(*rate_hz, *rate_hz).is_ok());
            possible.find_map(|rate_hz| Some((rate_hz, best_range(ranges, rate_hz)?)))
        },
    )
}

fn best_range(
    ranges: &[SupportedStreamConfigRange],
    rate_hz: u32,
) -> Option<&SupportedStreamConfigRange> {
    ranges
        .iter()
        .filter(|range| (range.min_sample_rate()..=range.max_sample_rate()).contains(&rate_hz))
        .filter_map(|range| Some((format_rank(range.sample_format())?, range)))
        .min_by_key(|(rank, range)| {
            let channels = range.channels();
            (channels < 2, channels, *rank)
        })
        .map(|(_, range)| range)
}

/// How gladly a sample format is taken; `None` for one that is not read.
#[expect(clippy::wildcard_enum_match_arm, reason = "cpal adds sample formats as it likes")]
fn format_rank(format: SampleFormat) -> Option<u8> {
    match format {
        SampleFormat::F32 => Some(0),
        SampleFormat::I32 => Some(1),
        SampleFormat::I24 => Some(2),
        SampleFormat::I16 => Some(3),
        _ => None,
    }
}

/// What a device can do in one direction; opens it to know.
fn ranges(
    device: &cpal::Device,
    way: Direction,
) -> Result<Vec<SupportedStreamConfigRange>, cpal::Error> {
    let ranges: Result<Vec<_>, _> = match way {
        Direction::Input => device.supported_input_configs().map(Iterator::collect),
        Direction::Output => device.supported_output_configs().map(Iterator::collect),
    };
    match ranges {
        // It has nothing to do with this direction, which is no trouble.
        Err(error) if error.kind() == ErrorKind::UnsupportedOperation => Ok(Vec::new()),
        other => other,
    }
}

/// What cpal says about a device, for people.
pub(super) fn device_error(device: &str, error: &cpal::Error) -> AudioError {
    AudioError::Device { device: device.to_owned(), reason: error.to_string() }
}

/// What a device can do in one direction, in one line; `None` where it cannot do it at all.
fn describe(direction: Direction, ranges: &[SupportedStreamConfigRange]) -> Option<String> {
    let channels = ranges.iter().map(SupportedStreamConfigRange::channels).max()?;
    let min_hz = ranges.iter().map(SupportedStreamConfigRange::min_sample_rate).min()?;
    let max_hz = ranges.iter().map(SupportedStreamConfigRange::max_sample_rate).max()?;
    let opened = match best_way(ranges) {
        None => "cannot be used".to_owned(),
        Some((rate_hz, range)) => {
            let periods = match *range.buffer_size() {
                cpal::SupportedBufferSize::Range { min, max } => format!("{min} to {max} frames"),
                cpal::SupportedBufferSize::Unknown => "unknown".to_owned(),
            };
            let (channels, format) = (range.channels(), range.sample_format());
            let rate = match rate_hz {
                WIRE_HZ => String::new(),
                other => format!(" at {other} Hz (converted)"),
            };
            format!("opened{rate} with {channels} channels as {format}, period {periods}")
        }
    };
    let name = direction.name();
    Some(format!("{name}: up to {channels} channels, {min_hz} to {max_hz} Hz; {opened}"))
}

pub(super) fn name_of(device: &cpal::Device) -> String {
    device
        .description()
        .map_or_else(|_| "unnamed device".to_owned(), |description| description.name().to_owned())
}

const WIRE_HZ: u32 = SampleRate::WIRE.as_hz();

/// Rates in the order they are tried: what needs no conversion, then what takes the least delay to
/// convert among those that cards have.
const RATES_HZ: [u32; 8] = [WIRE_HZ, 96_000, 44_100, 192_000, 88_200, 176_400, 64_000, 32_000];

#[cfg(test)]
mod tests {
    use super::*;

    fn range(channels: u16, max_hz: u32, format: SampleFormat) -> SupportedStreamConfigRange {
        let periods = cpal::SupportedBufferSize::Unknown;
        SupportedStreamConfigRange::new(channels, 8_000, max_hz, periods, format)
    }

    #[test]
    fn the_smallest_format_with_both_sides_at_48_khz_is_chosen() {
        let ranges = [
            range(1, 96_000, SampleFormat::F32),
            range(8, 96_000, SampleFormat::F32),
            range(2, 96_000, SampleFormat::I16),
            range(2, 96_000, SampleFormat::F32),
            range(2, 96_000, SampleFormat::U8),
            range(2, 44_100, SampleFormat::F32),
        ];
        assert_eq!(best_way(&ranges), Some((48_000, &ranges[3])));
        assert_eq!(best_way(&ranges[..2]), Some((48_000, &ranges[1])));
        assert_eq!(best_way(&ranges[..1]), Some((48_000, &ranges[0])));
        assert_eq!(best_way(&ranges[4..5]), None);
    }

    #[test]
    fn a_rate_that_has_to_be_converted_is_better_than_none() {
        let at = |hz| {
            let periods = cpal::SupportedBufferSize::Unknown;
            SupportedStreamConfigRange::new(2, hz, hz, periods, SampleFormat::F32)
        };
        let chosen = |rates: &[u32]| {
            let ranges: Vec<_> = rates.iter().map(|hz| at(*hz)).collect();
            best_way(&ranges).map(|(rate_hz, _)| rate_hz)
        };
        assert_eq!(chosen(&[44_100, 96_000, 48_000]), Some(48_000));
        assert_eq!(chosen(&[44_100, 96_000]), Some(96_000));
        assert_eq!(chosen(&[22_050, 44_100]), Some(44_100));
        assert_eq!(chosen(&[11_025, 50_000]), Some(50_000), "nobody's but a simple ratio");
        assert_eq!(chosen(&[8_000, 22_050]), None);
        let words = |hz| refusal("A toy", hz).to_string();
        assert_eq!(
            words(22_050),
            "A toy: 22050 Hz cannot be converted to 48000 Hz, only 32000 to 192000 Hz can. Choose \
             another device, or set this one to 48000 Hz in its own settings."
        );
        assert!(words(44_100).contains("sample formats"), "{}", words(44_100));
    }

    #[test]
    fn a_device_is_described_in_one_line_for_each_direction() {
        let ranges = [range(1, 96_000, SampleFormat::F32), range(2, 96_000, SampleFormat::I16)];
        assert_eq!(
            describe(Direction::Output, &ranges).as_deref(),
            Some(
                "output: up to 2 channels, 8000 to 96000 Hz; opened with 2 channels as i16, \
                 period unknown"
            )
        );
        let slow = [range(1, 44_100, SampleFormat::F32)];
        let line = describe(Direction::Input, &slow).expect("there is a range");
        assert!(line.contains("; opened at 44100 Hz (converted) with 1 channels as f32"), "{line}");
        let too_slow = [range(1, 22_050, SampleFormat::F32)];
        let line = describe(Direction::Input, &too_slow).expect("there is a range");
        assert!(line.ends_with("8000 to 22050 Hz; cannot be used"), "{line}");
        assert_eq!(describe(Direction::Input, &[]), None);
    }
}
