//! Offers that browsers really made: one microphone, three slots, a data channel, `max-bundle`.

/// Chromium 156.
pub(crate) const CHROMIUM: &str = include_str!("chromium.sdp");

/// Firefox 153, which offers no RED and marks all but one m-line `bundle-only`.
pub(crate) const FIREFOX: &str = include_str!("firefox.sdp");
