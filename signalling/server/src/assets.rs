//! The files of the web app, wherever they come from.

use std::borrow::Cow;
use std::sync::Arc;

/// Finds a file by its path without the leading slash.
pub type Assets = Arc<dyn Fn(&str) -> Option<Asset> + Send + Sync>;

/// One file.
#[derive(Debug, Clone)]
pub struct Asset {
    /// What is in it.
    pub bytes: Cow<'static, [u8]>,
    /// How long it may be kept.
    pub caching: Caching,
}

/// How long a browser may use a file without asking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// Forever: its name changes with its content.
    Immutable,
    /// Not at all.
    AskEachTime,
}

impl Caching {
    pub(crate) const fn header(self) -> &'static str {
        match self {
            Self::Immutable => "public, max-age=31536000, immutable",
            Self::AskEachTime => "no-cache",
        }
    }
}

/// The media type of a file by the end of its name.
///
/// Browsers refuse modules, worklets and WebAssembly of another type, so that guessing
/// `application/octet-stream` for what is not here is safe.
pub(crate) fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
