//! engine-web.
