//! Opus custom mode with codec frames of 64: libopus functions that the `opus` crate does not know.
//!
//! The C library is the one that `opusic-sys` builds; `CFLAGS=-DCUSTOM_MODES` in
//! `.cargo/config.toml` makes it export these. Every packet starts with one byte of libopus's own
//! that says mono or stereo, so a decoder takes both.

use core::ffi::{c_int, c_uchar};
use core::ptr::{self, NonNull};

// Only for its C library.
use opusic_sys as _;
use protocol::codec::Codec;
use protocol::units::{Bitrate, SampleRate};

use crate::encoding::Channels;

#[derive(Debug)]
pub(crate) struct CustomEncoder {
    encoder: NonNull<Opaque>,
    channels: Channels,
    /// Bytes of every packet: hard constant bitrate.
    bytes: usize,
    /// Outlives the encoder: fields drop after `drop`, which destroys the encoder.
    _mode: Mode,
}

#[derive(Debug)]
pub(crate) struct CustomDecoder {
    decoder: NonNull<Opaque>,
    channels: Channels,
    /// As in the encoder.
    _mode: Mode,
}

// SAFETY: a libopus state is plain memory that nothing else points to; it may be used from any
// thread as long as only one does at a time, which `&mut self` ensures.
unsafe impl Send for CustomEncoder {}

// SAFETY: as for the encoder.
unsafe impl Send for CustomDecoder {}

impl CustomEncoder {
    pub(crate) fn new(channels: Channels, bitrate: Bitrate, complexity: u8) -> Option<Self> {
        let mode = Mode::new()?;
        let count = c_channels(channels);
        // SAFETY: the mode is valid; a null error pointer is allowed.
        let encoder =
            unsafe { opus_custom_encoder_create(mode.0.as_ptr(), count, ptr::null_mut()) };
        let encoder = NonNull::new(encoder)?;
        let bytes = super::frame_bytes(bitrate, FRAMES);
        let mut made = Self { encoder, channels, bytes, _mode: mode };
        let settings = [
            (OPUS_SET_VBR, 0),
            (OPUS_SET_BITRATE, OPUS_BITRATE_MAX),
            (OPUS_SET_COMPLEXITY, c_int::from(complexity)),
        ];
        for (request, value) in settings {
            made.set(request, value)?;
        }
        Some(made)
    }

    /// Makes every packet decodable without the ones before.
    pub(crate) fn code_independently(&mut self) -> Option<()> {
        self.set(CELT_SET_PREDICTION, 0)
    }

    pub(crate) fn encode(&mut self, interleaved: &[f32], out: &mut [u8]) -> Option<usize> {
        if interleaved.len() != FRAMES * self.channels.count() || out.len() < self.bytes {
            return None;
        }
        // SAFETY: the input holds one codec frame and the output at least `bytes`, both checked.
        let len = unsafe {
            opus_custom_encode_float(
                self.encoder.as_ptr(),
                interleaved.as_ptr(),
                FRAMES_C,
                out.as_mut_ptr(),
                c_int::try_from(self.bytes).ok()?,
            )
        };
        usize::try_from(len).ok()
    }

    pub(crate) fn set_complexity(&mut self, complexity: u8) {
        // Fails for no number that a session may be configured with.
        let _ = self.set(OPUS_SET_COMPLEXITY, c_int::from(complexity));
    }

    pub(crate) fn reset(&mut self) {
        // SAFETY: the encoder is valid, and this request takes no argument.
        let _ = unsafe { opus_custom_encoder_ctl(self.encoder.as_ptr(), OPUS_RESET_STATE) };
    }

    /// Makes one of the settings that take an int.
    fn set(&mut self, request: c_int, value: c_int) -> Option<()> {
        // SAFETY: the encoder is valid, and every request that is passed here takes one int.
        let result = unsafe { opus_custom_encoder_ctl(self.encoder.as_ptr(), request, value) };
        (result == OPUS_OK).then_some(())
    }
}

impl Drop for CustomEncoder {
    fn drop(&mut self) {
        // SAFETY: made by `opus_custom_encoder_create`, destroyed once.
        unsafe { opus_custom_encoder_destroy(self.encoder.as_ptr()) };
    }
}

impl CustomDecoder {
    pub(crate) fn new(channels: Channels) -> Option<Self> {
        let mode = Mode::new()?;
        let count = c_channels(channels);
        // SAFETY: the mode is valid; a null error pointer is allowed.
        let decoder =
            unsafe { opus_custom_decoder_create(mode.0.as_ptr(), count, ptr::null_mut()) };
        Some(Self { decoder: NonNull::new(decoder)?, channels, _mode: mode })
    }

    pub(crate) fn decode(&mut self, bytes: &[u8], out: &mut [f32]) -> Option<usize> {
        if bytes.is_empty() {
            return None;
        }
        self.decode_or_conceal(bytes.as_ptr(), c_int::try_from(bytes.len()).ok()?, out)
    }

    /// Lets libopus invent a codec frame.
    pub(crate) fn conceal(&mut self, out: &mut [f32]) -> Option<usize> {
        self.decode_or_conceal(ptr::null(), 0, out)
    }

    fn decode_or_conceal(
        &mut self,
        bytes: *const u8,
        len: c_int,
        out: &mut [f32],
    ) -> Option<usize> {
        if out.len() < FRAMES * self.channels.count() {
            return None;
        }
        // SAFETY: `bytes` is null or has `len` bytes (both callers); the output holds one codec
        // frame of the decoder's channels, which is all that this mode ever writes.
        let frames = unsafe {
            opus_custom_decode_float(self.decoder.as_ptr(), bytes, len, out.as_mut_ptr(), FRAMES_C)
        };
        usize::try_from(frames).ok()
    }

    pub(crate) fn reset(&mut self) {
        // SAFETY: the decoder is valid, and this request takes no argument.
        let _ = unsafe { opus_custom_decoder_ctl(self.decoder.as_ptr(), OPUS_RESET_STATE) };
    }
}

impl Drop for CustomDecoder {
    fn drop(&mut self) {
        // SAFETY: made by `opus_custom_decoder_create`, destroyed once.
        unsafe { opus_custom_decoder_destroy(self.decoder.as_ptr()) };
    }
}

/// The tables that an encoder or decoder works from. One each: they are small, and nobody shares.
#[derive(Debug)]
struct Mode(NonNull<Opaque>);

impl Mode {
    fn new() -> Option<Self> {
        let rate = i32::try_from(SampleRate::WIRE.as_hz()).ok()?;
        // SAFETY: plain numbers; a null error pointer is allowed.
        let mode = unsafe { opus_custom_mode_create(rate, FRAMES_C, ptr::null_mut()) };
        NonNull::new(mode).map(Self)
    }
}

impl Drop for Mode {
    fn drop(&mut self) {
        // SAFETY: made by `opus_custom_mode_create`; the owner destroyed its state before.
        unsafe { opus_custom_mode_destroy(self.0.as_ptr()) };
    }
}

fn c_channels(channels: Channels) -> c_int {
    match channels {
        Channels::Mono => 1,
        Channels::Stereo => 2,
    }
}

/// A libopus object; never looked into.
#[repr(C)]
struct Opaque {
    _bytes: [u8; 0],
}

// `opus_custom.h` of libopus 1.6.
unsafe extern "C" {
    fn opus_custom_mode_create(rate: i32, frames: c_int, error: *mut c_int) -> *mut Opaque;
    fn opus_custom_mode_destroy(mode: *mut Opaque);
    fn opus_custom_encoder_create(
        mode: *const Opaque,
        channels: c_int,
        error: *mut c_int,
    ) -> *mut Opaque;
    fn opus_custom_encoder_destroy(encoder: *mut Opaque);
    fn opus_custom_encoder_ctl(encoder: *mut Opaque, request: c_int, ...) -> c_int;
    fn opus_custom_encode_float(
        encoder: *mut Opaque,
        interleaved: *const f32,
        frames: c_int,
        out: *mut c_uchar,
        bytes_max: c_int,
    ) -> c_int;
    fn opus_custom_decoder_create(
        mode: *const Opaque,
        channels: c_int,
        error: *mut c_int,
    ) -> *mut Opaque;
    fn opus_custom_decoder_destroy(decoder: *mut Opaque);
    fn opus_custom_decoder_ctl(decoder: *mut Opaque, request: c_int, ...) -> c_int;
    fn opus_custom_decode_float(
        decoder: *mut Opaque,
        bytes: *const c_uchar,
        len: c_int,
        interleaved: *mut f32,
        frames: c_int,
    ) -> c_int;
}

const FRAMES: usize = Codec::Opus64.codec_frame_frames();
const FRAMES_C: c_int = 64;
const _: () = assert!(FRAMES == 64);

// `opus_defines.h`.
const OPUS_OK: c_int = 0;
const OPUS_BITRATE_MAX: c_int = -1;
const OPUS_SET_BITRATE: c_int = 4002;
const OPUS_SET_VBR: c_int = 4006;
const OPUS_SET_COMPLEXITY: c_int = 4010;
const OPUS_RESET_STATE: c_int = 4028;

// `celt.h`.
const CELT_SET_PREDICTION: c_int = 10002;
