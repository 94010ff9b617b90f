//! The sound card, for every command that needs one: which it is, what was measured of it, and how to try it
//! without a room.

mod flags;
mod store;
mod trial;

pub(crate) use self::flags::DeviceFlags;
pub(crate) use self::store::Store;
pub(crate) use self::trial::{Heard, Side, Trial};
