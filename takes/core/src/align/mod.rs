//! When each frame of a stem was played, and stems on one grid.
//!
//! A stem says about once a second what the room's clock showed at one of its frames. [`Timeline`] reads the stem
//! once and makes of that a smooth map from frames to room time (`clock_map.rs`); [`AlignedStem`] reads it again and
//! gives the sound at the frames of a grid: 48,000 a second of room time from a moment on, silence where there is
//! none. Both hold a bounded amount, however long the stem is.
//!
//! What surprises: the map does not go through what the clock showed. Clocks that are learned over a network jitter,
//! settle and are set; quartz does not. So the map is as stiff as quartz is, and readings that no quartz could
//! explain are left out of it.

mod aligned;
mod clock_map;
mod edges;
mod grid;
mod kernel;
mod smoother;
#[cfg(test)]
mod tests;
mod timeline;

pub use aligned::{AlignedStem, Coverage};
pub use grid::Grid;
pub(crate) use grid::{floor, to_f64};
pub use kernel::Interpolator;
pub use timeline::{Clocking, Timeline};
