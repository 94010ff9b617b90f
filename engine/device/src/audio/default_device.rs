//! The system's own audio devices through cpal: an input stream and an output stream.
//!
//! Each stream drives its own half of the engine on its own thread, so nothing is queued between
//! the two and neither adds a period to the other; their clocks may differ, as the jitter buffer
//! corrects for the publisher's clock anyway. What surprises: the device decides the real length
//! of a period, whatever was asked for, so it is read from the callbacks.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{
    BufferSize, ErrorKind, FromSample, I24, SampleFormat, SizedSample, Stream, StreamConfig,
};

use super::devices::{Chosen, Direction, choose, device_error};
use super::interleave::{deinterleave, interleave};
use super::{
    AudioBackend, AudioError, AudioFormat, AudioStatus, Callbacks, DeviceNames, OUTPUT_CHANNELS,
    PERIOD_FRAMES_MAX, Rates, Timing,
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
    rates: Rates,
    timing: Timing,
    streams: Option<Streams>,
    /// Why there is no input.
    deaf: Option<String>,
}

/// Streams run for as long as they are held.
struct Streams {
    _input: Option<Stream>,
    _output: Stream,
}

#[derive(Default)]
struct State {
    period_frames: AtomicU32,
    xruns: AtomicU64,
    /// Only ever tried on the device's thread, and locked there by nobody for long.
    ended: Mutex<Option<cpal::Error>>,
}

impl DefaultDevice {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(options: DefaultDeviceOptions) -> Self {
        Self {
            options,
            state: Arc::default(),
            rates: Rates::default(),
            timing: Timing::default(),
            streams: None,
            deaf: None,
        }
    }
}

impl AudioBackend for DefaultDevice {
    fn start(&mut self, callbacks: &Callbacks) -> Result<AudioFormat, AudioError> {
        self.streams = None;
        self.state = Arc::default();
        let host = cpal::default_host();
        let output = choose(&host, Direction::Output, self.options.output_device.as_deref())?;
        self.deaf = None;
        let input = match choose(&host, Direction::Input, self.options.input_device.as_deref()) {
            Ok(input) => Some(input),
            // Whoever has nothing to play into may listen; whose microphone is only busy, or runs
            // at a rate that is not converted, would be surprised.
            Err(AudioError::NoDevice(reason)) if self.options.input_device.is_none() => {
                self.deaf = Some(format!("{reason}: listening only"));
                None
            }
            Err(error) => return Err(error),
        };
        let input_hz = input.as_ref().map_or(output.rate_hz, |input| input.rate_hz);
        self.rates = callbacks.set_rates(input_hz, output.rate_hz).map_err(|reason| {
            let what = output.name.clone();
            AudioError::DeviceRate { what, reason, cure: "Choose another device.".to_owned() }
        })?;
        self.timing = callbacks.timing().clone();
        let sizes: Vec<BufferSize> = match self.options.period_frames {
            Some(frames) => vec![BufferSize::Fixed(frames)],
            None => PERIODS_TRIED.map(BufferSize::Fixed).into_iter().chain(LAST_RESORT).collect(),
        };
        let output_stream = first_that_works(&sizes, |size| {
            build::<Output>(&output, size, callbacks, &self.state)
        })?;
        let input_stream = input
            .as_ref()
            .map(|input| {
                first_that_works(&sizes, |size| build::<Input>(input, size, callbacks, &self.state))
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
        let input = input.map_or_else(String::new, |input| input.name);
        let name = if input.is_empty() { "no input" } else { &input };
        let description = format!("{name} → {}", output.name);
        let names = DeviceNames { backend: "default", input, output: output.name };
        Ok(AudioFormat { description, period_frames, rates: self.rates, names })
    }

    fn status(&self) -> AudioStatus {
        AudioStatus {
            period_frames: self.state.period_frames.load(Ordering::Relaxed),
            rates: self.rates,
            output_latency: self.timing.output_latency(),
            calibrated: false,
            xruns: self.state.xruns.load(Ordering::Relaxed),
            ended: self
                .state
                .ended
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .as_ref()
                .map(ToString::to_string),
            trouble: self.deaf.clone(),
        }
    }

    fn stop(&mut self) -> Result<(), AudioError> {
        self.streams = None;
        Ok(())
    }
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

/// One way through a device, in whatever format it takes.
trait Way {
    fn open<T: SizedSample + FromSample<f32>>(
        chosen: &Chosen,
        size: BufferSize,
        callbacks: &Callbacks,
        state: &Arc<State>,
    ) -> Result<Stream, cpal::Error>
    where
        f32: FromSample<T>;
}

struct Input;
struct Output;

#[expect(clippy::wildcard_enum_match_arm, reason = "cpal adds sample formats as it likes")]
fn build<W: Way>(
    chosen: &Chosen,
    size: BufferSize,
    callbacks: &Callbacks,
    state: &Arc<State>,
) -> Result<Stream, AudioError> {
    let open = match chosen.format {
        SampleFormat::F32 => W::open::<f32>,
        SampleFormat::I32 => W::open::<i32>,
        SampleFormat::I24 => W::open::<I24>,
        _ => W::open::<i16>,
    };
    open(chosen, size, callbacks, state).map_err(|error| device_error(&chosen.name, &error))
}

impl Way for Input {
    fn open<T: SizedSample + FromSample<f32>>(
        chosen: &Chosen,
        size: BufferSize,
        callbacks: &Callbacks,
        state: &Arc<State>,
    ) -> Result<Stream, cpal::Error>
    where
        f32: FromSample<T>,
    {
        let (callbacks, channels) = (callbacks.clone(), usize::from(chosen.channels));
        let mut planar = [(); 2].map(|()| vec![0.0; PERIOD_FRAMES_MAX]);
        let mut first = true;
        let data = move |interleaved: &[T], info: &cpal::InputCallbackInfo| {
            raise_once(&mut first);
            let times = info.timestamp();
            let latency = times.callback.checked_duration_since(times.capture);
            callbacks.timing().set_input_latency(latency.filter(is_latency));
            for part in interleaved.chunks(PERIOD_FRAMES_MAX * channels) {
                let frames = part.len() / channels;
                deinterleave(part, channels, &mut planar);
                let input = [&planar[0][..frames], &planar[1][..frames]];
                callbacks.capture(&input[..callbacks.input_channels()]);
            }
        };
        chosen.device.build_input_stream(config(chosen, size), data, on_error(state), None)
    }
}

impl Way for Output {
    fn open<T: SizedSample + FromSample<f32>>(
        chosen: &Chosen,
        size: BufferSize,
        callbacks: &Callbacks,
        state: &Arc<State>,
    ) -> Result<Stream, cpal::Error>
    where
        f32: FromSample<T>,
    {
        let (callbacks, channels) = (callbacks.clone(), usize::from(chosen.channels));
        let mut planar = [(); OUTPUT_CHANNELS].map(|()| vec![0.0; PERIOD_FRAMES_MAX]);
        let mut first = true;
        let shared = Arc::clone(state);
        let data = move |interleaved: &mut [T], info: &cpal::OutputCallbackInfo| {
            raise_once(&mut first);
            let times = info.timestamp();
            let latency = times.playback.checked_duration_since(times.callback);
            callbacks.timing().set_output_latency(latency.filter(is_latency));
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
}

/// Some drivers do not know, and say zero or nonsense.
fn is_latency(latency: &Duration) -> bool {
    !latency.is_zero() && *latency < Duration::from_secs(1)
}

fn config(chosen: &Chosen, buffer_size: BufferSize) -> StreamConfig {
    StreamConfig { channels: chosen.channels, sample_rate: chosen.rate_hz, buffer_size }
}

/// Runs on the device's thread: keeps what came first for whoever asks, and does nothing else.
#[expect(clippy::wildcard_enum_match_arm, reason = "cpal adds kinds of errors as it likes")]
fn on_error(state: &Arc<State>) -> impl FnMut(cpal::Error) + Send + 'static {
    let state = Arc::clone(state);
    move |error| match error.kind() {
        ErrorKind::Xrun => {
            state.xruns.fetch_add(1, Ordering::Relaxed);
        }
        // It goes on, on the new default device.
        ErrorKind::DeviceChanged => {}
        // `join` says so for its own threads.
        ErrorKind::RealtimeDenied => {}
        // Whatever else cpal tells of (its list grows), the stream is of no use after it: its thread
        // is gone, or repeats the error at every turn.
        _ => {
            if let Ok(mut ended) = state.ended.try_lock() {
                ended.get_or_insert(error);
            }
        }
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

    #[test]
    fn every_error_that_is_no_xrun_ends_the_stream_and_the_first_is_told() {
        let mut device = DefaultDevice::new(DefaultDeviceOptions::default());
        let mut tell = on_error(&device.state);
        for harmless in [ErrorKind::Xrun, ErrorKind::DeviceChanged, ErrorKind::RealtimeDenied] {
            tell(harmless.into());
        }
        let status = device.status();
        assert_eq!((status.xruns, status.ended), (1, None));
        tell(cpal::Error::with_message(ErrorKind::BackendError, "the driver is gone"));
        tell(ErrorKind::DeviceNotAvailable.into());
        let ended = device.status().ended.expect("it is of no use");
        assert!(ended.contains("the driver is gone"), "{ended}");
        device.stop().expect("there is nothing to stop");
    }
}
