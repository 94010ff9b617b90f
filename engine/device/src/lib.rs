//! engine-device.
