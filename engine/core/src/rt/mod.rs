//! What runs inside the audio callbacks, and nothing else does.
//!
//! # The real-time contract
//! Everything that [`Capture::capture`] and [`Render::render`] reach
//! - allocates and frees nothing: what is needed is made before, by [`crate::Control`], travels in
//!   through a queue, and travels back out to be freed;
//! - takes no lock, makes no system call, writes no log, never awaits;
//! - does not panic: indices are checked where they are computed, arithmetic on what peers sent
//!   wraps or saturates, and what does not decode is concealed;
//! - has only loops whose bounds are known at start: the period, the table of remotes, the length
//!   of a queue, the frames of a packet;
//! - changes gains along ramps and signals along cross-fades: nothing that is heard jumps;
//! - makes no denormal numbers. There is no switch for that in WebAssembly and none in safe Rust,
//!   so it is done by construction: input below -300 dB becomes zero, decaying states
//!   end at zero, and libopus keeps its own filters away from them.
//!
//! Tests run both callbacks under an allocator that aborts (`tests/real_time.rs`). Constructors do
//! not belong to the contract: they run on the thread of [`crate::Control`].

pub(crate) mod capture;
mod click;
mod clock_line;
pub(crate) mod codec;
mod concealment;
pub(crate) mod delay_line;
mod device_clock;
mod drift;
mod extrapolation;
mod jitter_buffer;
mod least_squares;
mod limiter;
mod meter;
mod mixer;
mod own_input;
mod playout;
mod prediction;
mod ramp;
mod rate;
mod relief;
pub(crate) mod remote;
pub(crate) mod render;
mod repetition;
mod resample;
pub(crate) mod ring;
mod scratch;
mod splice;
pub(crate) mod tap;
mod timeline;

pub use capture::Capture;
pub use rate::{DeviceInput, DeviceOutput, RateError};
pub use render::Render;
