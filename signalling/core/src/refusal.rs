//! Why a request is not carried out: what `error` messages are made of.

use protocol::signal::ErrorCode;

use crate::limits::ERROR_TEXT_CHARS_MAX;

/// A code for programs and a text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    pub(crate) text: String,
}

impl Refusal {
    /// Cuts `text` where it is too long: it may quote what an app sent.
    pub(crate) fn new(code: ErrorCode, text: impl AsRef<str>) -> Self {
        let text = text.as_ref().chars().take(ERROR_TEXT_CHARS_MAX).collect();
        Self { code, text }
    }
}
