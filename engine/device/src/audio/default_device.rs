//! The system's own audio devices through cpal: an input stream and an output stream.
//!
//! Each stream drives its own half of the engine on its own thread, so nothing is queued between
//! the two and neither adds a period to the other; their clocks may differ, as the jitter buffer
//! corrects for the publisher's clock anyway. What surprises: the device decides the real length
//! of a period, whatever was asked for, so it is read from the callbacks.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, ErrorKind, FromSample, I24, SampleFormat, SizedSample, StreamConfig,
    SupportedStreamConfigRange,
};
use protocol::units::SampleRate;

use super::interleave::{deinterleave, interleave};
use super::{
    AudioBackend, AudioError, AudioFormat, AudioStatus, Callbacks, OUTPUT_CHANNELS,
    PERIOD_FRAMES_MAX,
};
use crate::priority::{self, Role};

/// Which devices, and how they are driven.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DefaultDeviceOptions {
    /// Part of the input device's name or id; the system's default without it.
    pub input_device: Option<String>,
    /// Part of the output device's name or id; the system's default without it.
    pub output_device: Option<String>,
    /// Frames in one period; without it the smallest of 64, 128, 256 and 512 that the devices
    /// take.
    pub period_frames: Option<u32>,
}

/// The backend.
pub struct DefaultDevice {
    options: DefaultDeviceOptions,
    state: Arc<State>,
    streams: Option<Streams>,
}

/// Streams run for as long as they are held.
struct Streams {
    _input: Option<cpal::Stream>,
    _output: cpal::Stream,
}

#[derive(Default)]
struct State {
    period_frames: AtomicU32,
    xruns: AtomicU64,
    ended: Mutex<Option<String>>,
}

impl DefaultDevice {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(options: DefaultDeviceOptions) -> Self {
        Self { options, state: Arc::default(), streams: None }
    }
}

impl AudioBackend for DefaultDevice {
    fn start(&mut self, callbacks: &Callbacks) -> Result<AudioFormat, AudioError> {
        self.streams = None;
        self.state = Arc::default();
        let host = cpal::default_host();
        let output = choose(&host, Direction::Output, self.options.output_device.as_deref())?;
        let input = match choose(&host, Direction::Input, self.options.input_device.as_deref()) {
            Ok(input) => Some(input),
            Err(error) if self.options.input_device.is_some() => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "no input: listening only");
                None
            }
        };
        let sizes: Vec<BufferSize> = match self.options.period_frames {
            Some(frames) => vec![BufferSize::Fixed(frames)],
            None => PERIODS_TRIED.map(BufferSize::Fixed).into_iter().chain(LAST_RESORT).collect(),
        };
        let output_stream =
            first_that_works(&sizes, |size| build_output(&output, size, callbacks, &self.state))?;
        let input_stream = input
            .as_ref()
            .map(|input| {
                first_that_works(&sizes, |size| build_input(input, size, callbacks, &self.state))
            })
            .transpose()?;
        let period_frames = output_stream.buffer_size().unwrap_or_default();
        self.state.period_frames.store(period_frames, Ordering::Relaxed);
        for (name, stream) in [
            (output.name.as_str(), Some(&output_stream)),
            (input.as_ref().map_or("", |input| &input.name), input_stream.as_ref()),
        ] {
            if let Some(stream) = stream {
                stream.play().map_err(|error| device_error(name, &error))?;
            }
        }
        self.streams = Some(Streams { _input: input_stream, _output: output_stream });
        let input = input.map_or_else(|| "no input".to_owned(), |input| input.name);
        Ok(AudioFormat { description: format!("{input} → {}", output.name), period_frames })
    }

    fn status(&self) -> AudioStatus {
        AudioStatus {
            period_frames: self.state.period_frames.load(Ordering::Relaxed),
            xruns: self.state.xruns.load(Ordering::Relaxed),
            ended: self.state.ended.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn stop(&mut self) -> Result<(), AudioError> {
        self.streams = None;
        Ok(())
    }
}

/// A device as `vjam devices` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceReport {
    /// The audio system that it belongs to.
    pub host: &'static str,
    /// Its name, for people.
    pub name: String,
    /// Its id, which [`DefaultDeviceOptions`] takes as well.
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
            let ways = Direction::BOTH.into_iter();
            let ways = ways.filter_map(|way| describe(way, &ranges(&device, way)));
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Input,
    Output,
}

impl Direction {
    const BOTH: [Self; 2] = [Self::Input, Self::Output];

    fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

/// A device with the format it will be opened in.
struct Chosen {
    device: cpal::Device,
    name: String,
    channels: u16,
    format: SampleFormat,
}

fn choose(host: &cpal::Host, way: Direction, wanted: Option<&str>) -> Result<Chosen, AudioError> {
    let device = match (wanted, way) {
        (None, Direction::Input) => host.default_input_device(),
        (None, Direction::Output) => host.default_output_device(),
        (Some(wanted), _) => host
            .devices()
            .into_iter()
            .flatten()
            .filter(|device| !ranges(device, way).is_empty())
            .find(|device| {
                let id = device.id().map(|id| id.to_string()).unwrap_or_default();
                name_of(device).contains(wanted) || id.contains(wanted)
            }),
    };
    let device = device.ok_or_else(|| {
        AudioError::NoDevice(match wanted {
            Some(wanted) => format!("no {} device has {wanted:?} in its name", way.name()),
            None => format!("there is no default {} device", way.name()),
        })
    })?;
    let name = name_of(&device);
    let ranges = ranges(&device, way);
    let best = best_range(&ranges).ok_or_else(|| match ranges.first() {
        None => AudioError::NoDevice(format!("{name} has no {}", way.name())),
        Some(range) => AudioError::Rate {
            what: name.clone(),
            rate_hz: range.max_sample_rate(),
            cure: "Choose another device, or set this one to 48000 Hz in its own settings.".into(),
        },
    })?;
    Ok(Chosen { device, name, channels: best.channels(), format: best.sample_format() })
}

/// The range to open: floats before integers, two channels before more before one.
fn best_range(ranges: &[SupportedStreamConfigRange]) -> Option<&SupportedStreamConfigRange> {
    let rate = SampleRate::WIRE.as_hz();
    ranges
        .iter()
        .filter(|range| (range.min_sample_rate()..=range.max_sample_rate()).contains(&rate))
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

fn ranges(device: &cpal::Device, direction: Direction) -> Vec<SupportedStreamConfigRange> {
    match direction {
        Direction::Input => {
            device.supported_input_configs().map(Iterator::collect).unwrap_or_default()
        }
        Direction::Output => {
            device.supported_output_configs().map(Iterator::collect).unwrap_or_default()
        }
    }
}

/// What a device can do in one direction, in one line; `None` where it cannot do it at all.
fn describe(direction: Direction, ranges: &[SupportedStreamConfigRange]) -> Option<String> {
    let channels = ranges.iter().map(SupportedStreamConfigRange::channels).max()?;
    let min_hz = ranges.iter().map(SupportedStreamConfigRange::min_sample_rate).min()?;
    let max_hz = ranges.iter().map(SupportedStreamConfigRange::max_sample_rate).max()?;
    let opened = match best_range(ranges) {
        None => "cannot run at 48000 Hz".to_owned(),
        Some(range) => {
            let periods = match *range.buffer_size() {
                cpal::SupportedBufferSize::Range { min, max } => format!("{min} to {max} frames"),
                cpal::SupportedBufferSize::Unknown => "unknown".to_owned(),
            };
            let (channels, format) = (range.channels(), range.sample_format());
            format!("opened with {channels} channels as {format}, period {periods}")
        }
    };
    let name = direction.name();
    Some(format!("{name}: up to {channels} channels, {min_hz} to {max_hz} Hz; {opened}"))
}

fn name_of(device: &cpal::Device) -> String {
    device
        .description()
        .map_or_else(|_| "unnamed device".to_owned(), |description| description.name().to_owned())
}

fn device_error(device: &str, error: &cpal::Error) -> AudioError {
    AudioError::Device { device: device.to_owned(), reason: error.to_string() }
}

/// Tries one period length after the other until the device takes one.
fn first_that_works<T>(
    sizes: &[BufferSize],
    mut build: impl FnMut(BufferSize) -> Result<T, AudioError>,
) -> Result<T, AudioError> {
    let mut result = Err(AudioError::NoDevice("no period length to try".to_owned()));
    for size in sizes {
        result = build(*size);
        if result.is_ok() {
            break;
        }
    }
    result
}

#[expect(clippy::wildcard_enum_match_arm, reason = "cpal adds sample formats as it likes")]
fn build_input(
    chosen: &Chosen,
    size: BufferSize,
    callbacks: &Callbacks,
    state: &Arc<State>,
) -> Result<cpal::Stream, AudioError> {
    let result = match chosen.format {
        SampleFormat::F32 => input_stream::<f32>(chosen, size, callbacks, state),
        SampleFormat::I32 => input_stream::<i32>(chosen, size, callbacks, state),
        SampleFormat::I24 => input_stream::<I24>(chosen, size, callbacks, state),
        _ => input_stream::<i16>(chosen, size, callbacks, state),
    };
    result.map_err(|error| device_error(&chosen.name, &error))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "cpal adds sample formats as it likes")]
fn build_output(
    chosen: &Chosen,
    size: BufferSize,
    callbacks: &Callbacks,
    state: &Arc<State>,
) -> Result<cpal::Stream, AudioError> {
    let result = match chosen.format {
        SampleFormat::F32 => output_stream::<f32>(chosen, size, callbacks, state),
        SampleFormat::I32 => output_stream::<i32>(chosen, size, callbacks, state),
        SampleFormat::I24 => output_stream::<I24>(chosen, size, callbacks, state),
        _ => output_stream::<i16>(chosen, size, callbacks, state),
    };
    result.map_err(|error| device_error(&chosen.name, &error))
}

fn input_stream<T: SizedSample>(
    chosen: &Chosen,
    size: BufferSize,
    callbacks: &Callbacks,
    state: &Arc<State>,
) -> Result<cpal::Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    let (callbacks, channels) = (callbacks.clone(), usize::from(chosen.channels));
    let mut planar = [(); 2].map(|()| vec![0.0; PERIOD_FRAMES_MAX]);
    let mut first = true;
    let data = move |interleaved: &[T], _: &cpal::InputCallbackInfo| {
        raise_once(&mut first);
        for part in interleaved.chunks(PERIOD_FRAMES_MAX * channels) {
            let frames = part.len() / channels;
            deinterleave(part, channels, &mut planar);
            let input = [&planar[0][..frames], &planar[1][..frames]];
            callbacks.capture(&input[..callbacks.input_channels()]);
        }
    };
    chosen.device.build_input_stream(config(chosen, size), data, on_error(state), None)
}

fn output_stream<T: SizedSample + FromSample<f32>>(
    chosen: &Chosen,
    size: BufferSize,
    callbacks: &Callbacks,
    state: &Arc<State>,
) -> Result<cpal::Stream, cpal::Error> {
    let (callbacks, channels) = (callbacks.clone(), usize::from(chosen.channels));
    let mut planar = [(); OUTPUT_CHANNELS].map(|()| vec![0.0; PERIOD_FRAMES_MAX]);
    let mut first = true;
    let shared = Arc::clone(state);
    let data = move |interleaved: &mut [T], _: &cpal::OutputCallbackInfo| {
        raise_once(&mut first);
        let frames = interleaved.len() / channels;
        // The longest so far: some systems call back with other lengths every time.
        shared.period_frames.fetch_max(u32::try_from(frames).unwrap_or(0), Ordering::Relaxed);
        for part in interleaved.chunks_mut(PERIOD_FRAMES_MAX * channels) {
            let frames = part.len() / channels;
            let [left, right] = &mut planar;
            callbacks.render(&mut [&mut left[..frames], &mut right[..frames]]);
            interleave(&planar, channels, part);
        }
    };
    chosen.device.build_output_stream(config(chosen, size), data, on_error(state), None)
}

fn config(chosen: &Chosen, buffer_size: BufferSize) -> StreamConfig {
    StreamConfig { channels: chosen.channels, sample_rate: SampleRate::WIRE.as_hz(), buffer_size }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "cpal adds kinds of errors as it likes")]
fn on_error(state: &Arc<State>) -> impl FnMut(cpal::Error) + Send + 'static {
    let state = Arc::clone(state);
    move |error| match error.kind() {
        ErrorKind::Xrun => {
            state.xruns.fetch_add(1, Ordering::Relaxed);
        }
        ErrorKind::DeviceNotAvailable | ErrorKind::StreamInvalidated => {
            let mut ended = state.ended.lock().unwrap_or_else(PoisonError::into_inner);
            *ended = Some(error.to_string());
        }
        _ => tracing::warn!(%error, "audio device"),
    }
}

/// cpal's ALSA thread has ordinary priority: the first callback asks for more, once.
fn raise_once(first: &mut bool) {
    if core::mem::take(first) && cfg!(target_os = "linux") {
        // Refused on a machine without real-time limits; `join` says so for its own threads.
        drop(priority::raise(Role::Audio));
    }
}

/// Period lengths in the order they are tried.
const PERIODS_TRIED: [u32; 4] = [64, 128, 256, 512];

/// What the device likes best, when it takes nothing we like.
const LAST_RESORT: [BufferSize; 1] = [BufferSize::Default];

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
        assert_eq!(best_range(&ranges), Some(&ranges[3]));
        assert_eq!(best_range(&ranges[..2]), Some(&ranges[1]));
        assert_eq!(best_range(&ranges[..1]), Some(&ranges[0]));
        assert_eq!(best_range(&ranges[4..]), None);
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
        assert!(line.ends_with("cannot run at 48000 Hz"), "{line}");
        assert_eq!(describe(Direction::Input, &[]), None);
    }

    #[test]
    fn a_device_that_is_not_there_is_named() {
        let options = DefaultDeviceOptions {
            output_device: Some("no such thing".into()),
            ..DefaultDeviceOptions::default()
        };
        let callbacks = Callbacks::new(1, Box::new(|_| ()), Box::new(|_| ()));
        let error = DefaultDevice::new(options).start(&callbacks).expect_err("it is not there");
        assert!(error.to_string().contains("\"no such thing\""), "{error}");
    }
}
